"""The command line as a whole: help, completion, quiet, tables that fit, numbers that a person would use."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from comparing import small

from jointbench.bench.calls.progress import Stage
from jointbench.bench.pages.console import WideTable, text
from jointbench.cli import main, parser
from jointbench.cli.completion import completer
from jointbench.cli.displays import StagesDisplay
from jointbench.data.quantities import counted, duration, large, size
from jointbench.surrogate.stored import released

LOG = released()["digits-cpu"] / "evaluations.parquet"


COMPARE = "compare digits-cpu --optimizers random,hyperband --seeds 2 --workers 4 --full-budgets 8 --jobs 1 --out"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What COMPARE makes: it computes nothing that is there."""
    folder = tmp_path_factory.mktemp("commands") / "out"
    small(folder)
    return folder


def choices(command: str) -> dict[str, object]:
    """The defaults of a command's options."""
    words = {"plan": "plan", "collect": "collect runs/log"}[command]
    parsed = parser().parse_args(f"{words} --images digits --ladder 1,3 --full-budgets 2".split())
    return vars(parsed)


def test_without_a_command_it_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    shown = capsys.readouterr()
    assert "usage: jointbench" in shown.out
    assert all(command in shown.out for command in ("collect", "compare", "list", "check", "export"))
    assert shown.err == ""


def test_what_measures_a_clock_counts_no_seconds_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(f"measure --clock calibrated --out {tmp_path}/mine.json".split())
    assert ended.value.code == 2
    assert "unrecognized arguments: --clock calibrated" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_plan_foretells_what_collect_does_by_default() -> None:
    plan, collect = choices("plan"), choices("collect")
    shared = (
        "space",
        "images",
        "ladder",
        "optimizer",
        "full_budgets",
        "seed",
        "precision",
        "memory",
        "checkpoint_every",
    )
    assert {name: plan[name] for name in shared} == {name: collect[name] for name in shared}


class TestQuiet:
    def test_nothing_is_printed_but_what_went_wrong(
        self, comparison: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (comparison / "runs" / "random-1.parquet").unlink()
        main([*COMPARE.split(), str(comparison), "--quiet"])
        assert capfd.readouterr() == ("", "")
        assert (comparison / "runs" / "random-1.parquet").exists()
        assert (comparison / "report.html").exists()
        with pytest.raises(SystemExit) as ended:
            main(f"report {tmp_path}/nothing -q".split())
        assert ended.value.code == 2
        assert capfd.readouterr().err.startswith("jointbench: folder:")

    def test_a_command_that_is_there_for_its_answer_has_no_such_option(self) -> None:
        for words in ("list", "describe", "query digits-cpu zela-2018"):
            with pytest.raises(SystemExit):
                parser().parse_args([*words.split(), "--quiet"])


class TestList:
    def test_all_kinds_or_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["list"])
        everything = capsys.readouterr().out
        assert all(name in everything for name in ("digits-cpu", "bohb", "joint-small", "cifar100"))
        main(["list", "optimizers"])
        optimizers = capsys.readouterr().out
        assert "bohb" in optimizers
        assert "cifar100" not in optimizers


class TestCheck:
    def test_the_exit_code_says_whether_the_contract_holds(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["check", "random", "--trials", "15"])
        assert "the contract holds" in capsys.readouterr().out
        (tmp_path / "mine.py").write_text(
            "from jointbench import Optimizer, Trial\n"
            "class Mine(Optimizer):\n"
            "    def ask(self):\n        return Trial(self.space.sample(self.rng)[0], 2.0)\n"
            "    def tell(self, trial, evaluation):\n        pass\n",
            encoding="utf-8",
        )
        with pytest.raises(SystemExit) as ended:
            main(f"check {tmp_path}/mine.py:Mine --trials 15".split())
        assert ended.value.code == 1
        assert "FAILED legal: budget 2.0 is no rung of 1, 3, 9, 27" in capsys.readouterr().out


class TestDoctor:
    def test_a_comparison_is_told_as_one(self, comparison: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["doctor", str(comparison)])
        shown = capsys.readouterr().out
        assert "a comparison of optimizers on digits-cpu-v2 (surrogate): 8 full budgets a run, 4 workers" in shown
        assert "4 runs" in shown
        assert "hyperband 2, random 2" in shown
        assert shown.strip().endswith("healthy")

    def test_a_damaged_run_is_a_problem(
        self, comparison: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        copied = Path(shutil.copytree(comparison, tmp_path / "out"))
        (copied / "runs" / "random-0.parquet").write_bytes(b"PAR1 no more")
        with pytest.raises(SystemExit) as ended:
            main(["doctor", str(copied)])
        assert ended.value.code == 1
        assert "PROBLEM: random-0.parquet" in capsys.readouterr().out


class TestCompletion:
    def test_names_are_completed_after_the_last_comma(self) -> None:
        assert completer("optimizers")("random,bo") == ["random,bohb"]
        assert "cifar10" in completer("images")("cif")
        assert completer("")("opt") == ["optimizers"]

    def test_the_shell_is_answered(self, tmp_path: Path) -> None:
        pytest.importorskip("argcomplete")
        asked = "jointbench compare --optim"
        answer = tmp_path / "answer"
        # What argcomplete's hook for bash sets.
        environment = {
            **os.environ,
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "COMP_LINE": asked,
            "COMP_POINT": str(len(asked)),
            "COMP_TYPE": "9",
        }
        subprocess.run([sys.executable, "-m", "jointbench"], env=environment, capture_output=True)
        assert answer.read_text(encoding="utf-8").strip() == "--optimizers"


class TestTables:
    HEADINGS = ("name", "an important number", "another one", "the last")
    ROWS = (("first", "1,000", "2", "3"), ("a-name-with:options=3", "2", "3", "4"))

    def table(self) -> WideTable:
        return WideTable("title", self.HEADINGS, self.ROWS, ("name",), ("the last", "another one"))

    @pytest.mark.parametrize("width", range(39, 100, 5))
    def test_no_word_is_broken_and_no_line_is_too_long(self, width: int) -> None:
        shown = text(self.table(), width)
        assert max(map(len, shown.splitlines())) <= width
        for word in ("first", "1,000", "a-name-with:options=3", "important", "number"):
            assert word in shown

    def test_what_has_no_room_is_named(self) -> None:
        wide, narrow = text(self.table(), 100), text(self.table(), 48)
        assert "no room" not in wide
        assert all(heading in wide for heading in self.HEADINGS)
        assert "no room for: the last" in narrow
        assert "another" in narrow

    def test_the_table_of_a_comparison_fits_eighty_columns(
        self, comparison: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        main([*COMPARE.split(), str(comparison)])
        shown = capsys.readouterr().out.splitlines()
        table = [line for line in shown if line.strip() and line[0] in "┏┃┡│└"]
        assert len(table) > 5
        assert max(map(len, table)) <= 80
        assert any(line.startswith("no room for: ") for line in shown)


def test_stages_are_told_as_they_end(capsys: pytest.CaptureFixture[str]) -> None:
    with StagesDisplay() as display:
        display(Stage("tuning", 0, 3))
        display(Stage("tuning", 3, 3))
        display(Stage("fitting"))
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("tuning: ")
    assert second.startswith("fitting: ")


class TestQuantities:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0.3, "0.3 seconds"),
            (1, "1 second"),
            (90, "1.5 minutes"),
            (3600, "1 hour"),
            (32 * 86_400, "32 days"),
            (1_000 * 86_400, "1,000 days"),
        ],
    )
    def test_durations(self, seconds: float, words: str) -> None:
        assert duration(seconds) == words

    def test_a_word_before_the_unit(self) -> None:
        assert duration(18, "GPU-") == "18 GPU-seconds"

    @pytest.mark.parametrize(
        ("count", "words"),
        [(0, "0 bytes"), (999, "999 bytes"), (2**20, "1 MiB"), (34.28 * 2**30, "34.3 GiB"), (5e15, "4547 TiB")],
    )
    def test_sizes(self, count: float, words: str) -> None:
        assert size(count) == words

    def test_large_numbers_have_a_short_form_and_small_ones_none(self) -> None:
        assert large(3_890) == "3,890"
        assert large(27_590_854) == "27,590,854 (27.59M)"
        assert large(4_944_853_972) == "4,944,853,972 (4.94G)"

    def test_one_and_many(self) -> None:
        assert (counted(1, "run"), counted(2, "run"), counted(0, "run")) == ("1 run", "2 runs", "0 runs")


def test_no_checkpoints_where_trainings_are_shorter_than_the_interval(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["plan", "--images", "digits", "--ladder", "0.1,0.3,0.9", "--full-budgets", "20"]
    main(command)
    short = capsys.readouterr().out
    assert "no checkpoints: no budget is longer than the 5 minutes between two" in short
    assert "18 GPU-seconds" in short
    main([*command, "--checkpoint-every", "0.5"])
    assert "no checkpoints" not in capsys.readouterr().out
