"""What the README shows works as it stands there."""

import re
import shlex
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

import jointbench
from jointbench.bench.running.credentials import new_credentials
from jointbench.bench.running.workplaces import Slurm
from jointbench.cli import main, parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.name: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_three_lines_answer_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = blocks("python")[0]
    assert len(first.splitlines()) == 3
    monkeypatch.chdir(tmp_path)
    # Longer runs of more seeds teach no more.
    exec(compile(first.replace("seeds=5", "seeds=2, full_budgets=8"), "README.md", "exec"), {})
    assert re.search("two-stage.*random|random.*two-stage", capsys.readouterr().out, flags=re.DOTALL)


def table_of_the_readme() -> dict[str, list[str]]:
    """The cells of each optimizer's row."""
    rows = re.findall(r"^│ (\S+) +│(.*)│$", README, flags=re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("│")] for name, rest in rows}


def test_the_table_is_what_the_command_printed() -> None:
    # Written by `jointbench compare` and `jointbench export runs/compare --format csv`.
    printed = pd.read_csv(ROOT / "docs" / "compare.csv").set_index("optimizer")
    shown = table_of_the_readme()
    assert list(shown) == list(printed.index)
    for name, row in printed.iterrows():
        seeds, evaluations, error, quartiles, test_error, regret, rank, _ = shown[str(name)]
        assert (int(seeds), int(evaluations.replace(",", ""))) == (row["seeds"], row["evaluations"])
        assert (error, test_error, regret) == tuple(
            f"{row[of]:.2%}" for of in ("validation_error", "test_error", "regret")
        )
        assert quartiles == f"{row['lower_quartile']:.2%} to {row['upper_quartile']:.2%}"
        assert rank == f"{row['rank']:.2f}"


def test_who_makes_the_comparison_finds_what_the_table_shows(tmp_path: Path) -> None:
    # The two that take the least of the processor's time.
    found = jointbench.compare(optimizers=["random", "hyperband"], seeds=30, out=tmp_path / "out")
    shown = table_of_the_readme()
    for row in found.summary:
        seeds, evaluations, error, quartiles, *_ = shown[row.optimizer]
        assert (seeds, evaluations) == (str(row.seeds), f"{row.evaluations:,}")
        low, high = row.quartiles
        assert (error, quartiles) == (f"{row.value:.2%}", f"{low:.2%} to {high:.2%}")


def test_it_is_cited_as_the_version_that_it_is() -> None:
    (bibtex,) = blocks("bibtex")
    assert f"Version {jointbench.__version__}" in bibtex
    assert f"version: {jointbench.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {jointbench.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    folder = ROOT if page == "README.md" else ROOT / "docs"
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", PAGES[page]):
        assert (folder / target).exists(), target


def test_the_query_example_runs() -> None:
    (example,) = (block for block in blocks("python") if "load_benchmark" in block)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert 0 <= names["benchmark"].query(names["configuration"], budget=81.0).validation_error <= 1  # type: ignore[attr-defined]


def test_the_optimizer_example_takes_part_in_a_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = (block for block in blocks("python") if "class Greedy" in block)
    (tmp_path / "mine.py").write_text(example, encoding="utf-8")
    out = tmp_path / "out"
    main(
        f"compare --optimizers {tmp_path}/mine.py:Greedy,random --seeds 1 --full-budgets 4 --jobs 1 --out {out}".split()
    )
    # The name that it gives itself.
    assert "greedy" in capsys.readouterr().out
    main(["check", f"{tmp_path}/mine.py:Greedy", "--trials", "20"])


def test_the_calls_give_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = (block for block in blocks("python") if "jointbench.list" in block)
    monkeypatch.chdir(tmp_path)
    names = {"jointbench": jointbench, "benchmark": jointbench.load_benchmark("fashion-small")}
    # Long runs teach no more.
    exec(compile(example.replace("full_budgets=64", "full_budgets=2"), "README.md", "exec"), names)
    compared = jointbench.Comparison("runs/mine")
    assert {row.optimizer for row in compared.summary} == {"random", "bohb"}


@pytest.mark.parametrize(
    "line",
    [
        line
        for text in PAGES.values()
        for block in blocks("console", text)
        for line in block.replace("\\\n", "").splitlines()
        if line.startswith("$ jointbench")
    ],
)
def test_the_commands_shown_can_be_given(line: str) -> None:
    words = shlex.split(line.removeprefix("$ jointbench "), comments=True)
    parser().parse_args(words)


def test_the_slurm_file_makes_a_job_script(tmp_path: Path) -> None:
    (shown,) = blocks("toml")
    file = tmp_path / "slurm.toml"
    file.write_text(shown, encoding="utf-8")
    with closing(Slurm.read(file, 16).cluster(new_credentials(tmp_path))) as cluster:
        script = cluster.job_script()
    for line in ("#SBATCH -p gpu", "#SBATCH -t 24:00:00", "#SBATCH --mem=32G", "#SBATCH --gres=gpu:1"):
        assert line in script
    assert "\nsource ~/venv/bin/activate\n" in script


def test_a_question_that_was_asked_in_public_has_a_command() -> None:
    questions = PAGES["questions.md"].split("\n## ")[1:]
    assert [question.partition(".")[0] for question in questions] == [str(number) for number in range(1, 16)]
    for question in questions:
        assert re.search(r"\b[\w-]+/[\w-]+#\d+", question), question
        (commands,) = blocks("console", question)
        # Which `test_the_commands_shown_can_be_given` gives to the parser.
        assert commands.startswith("$ jointbench ")
