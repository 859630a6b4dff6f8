"""Sentences name an option as whoever made the call writes it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import jointbench
from jointbench.cli import main
from jointbench.data.errors import InputError
from jointbench.data.option_words import on_command_line, option

PACKAGE = Path(jointbench.__file__).parent
OPTION = re.compile(r"(?<![\w-])--[a-z]")


@pytest.mark.parametrize(
    ("name", "value", "python", "words"),
    [
        ("skip_bad_rows", 2, "skip_bad_rows=2", "--skip-bad-rows 2"),
        ("cluster", "slurm", "cluster='slurm'", "--cluster slurm"),
        ("force", True, "force=True", "--force"),
        ("lock", False, "lock=False", "--no-lock"),
        ("full_budgets", None, "full_budgets", "--full-budgets"),
    ],
)
def test_an_option_is_written_as_the_caller_writes_it(
    name: str, value: str | int | None, python: str, words: str
) -> None:
    with on_command_line():
        assert option(name, value) == words
    assert option(name, value) == python


def test_a_command_that_is_refused_leaves_python_s_words_as_they_are() -> None:
    with pytest.raises(InputError), on_command_line():
        raise InputError("out", "there", option("force", True))
    assert option("force", True) == "force=True"


def test_import_says_how_to_leave_rows_out_in_the_caller_s_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.DataFrame({"lr": [1, 2, 3], "epoch": [1, 1, "x"], "loss": [1.0, 2.0, 3.0]})
    with pytest.raises(InputError, match=r"\(skip_bad_rows=1 leaves it out\)"):
        jointbench.import_table(table, tmp_path / "out", budget="epoch", metrics="loss=loss")
    table.to_csv(tmp_path / "mine.csv", index=False)
    words = f"import {tmp_path / 'mine.csv'} --budget epoch --metrics loss=loss --out {tmp_path / 'out'}"
    with pytest.raises(SystemExit):
        main(words.split())
    assert "(--skip-bad-rows 1 leaves it out)" in capsys.readouterr().err


def test_sentences_of_calls_name_no_bare_option() -> None:
    """Outside cli/ an option in an error stands in a whole command, `jointbench …`, or comes from `option`."""
    files = [file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] != "cli"]
    bare = [
        f"{file.name}: {text}"
        for file in files
        for text in _sentences(ast.parse(file.read_text(encoding="utf-8")))
        if OPTION.search(text) and "jointbench " not in text
    ]
    assert not bare


def _sentences(tree: ast.Module) -> Iterator[str]:
    """The texts that errors are made of, f-strings whole: what their calls hold, and what a function calls `expected`
    and the like beforehand."""
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and _ends_in_error(node.func)
        named = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("expected", "more", "hint", "named")
        if not called and not named:
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.JoinedStr):
                yield "".join(text.value for text in part.values if isinstance(text, ast.Constant))
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def _ends_in_error(called: ast.expr) -> bool:
    name = ast.unparse(called)
    return name.endswith(("Error", "Error.of"))
