"""A person's optimizer that fails: one sentence, the others finish, the page says what is missing, exit code 1."""

import shutil
from html import unescape
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from comparing import small

from jointbench.bench.comparing.comparison_folder import run_file, run_files
from jointbench.bench.comparing.failures import Failure, failures, write_failure
from jointbench.bench.pages.report import write_report
from jointbench.cli import main
from jointbench.data.errors import InputError, OptimizerError
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import check_optimizer, make_optimizer

CLASSES = """\
import os
from jointbench import Optimizer, Trial

class Works(Optimizer):
    asked = 0
    def ask(self):
        self.asked += 1
        return Trial(self.space.sample(self.rng)[0], 27)
    def tell(self, trial, evaluation): pass

class Crash(Works):
    name = "crash"
    def ask(self):
        if self.asked == 5: raise ZeroDivisionError("my bug")
        return super().ask()

class Outside(Works):
    def ask(self): return Trial({**super().ask().configuration, "filters": 99}, 27)

class Wrong(Works):
    def ask(self): return {"budget": 27}

class Nothing(Works):
    def ask(self): return None

class Leaves(Works):
    def ask(self): raise SystemExit(3)

class Gone(Works):
    def ask(self): os._exit(3)

class Killed(Works):
    def ask(self): os.kill(os.getpid(), 9)

class Unmade(Works):
    def __init__(self, *always, **keywords): raise ValueError("no such thing")

class Mutates(Works):
    own = None
    def ask(self):
        self.own = self.own or dict(super().ask().configuration)
        self.own["filters"] = 8 + self.asked
        self.asked += 1
        return Trial(self.own, 27)

class Numberless(Works):
    name = 7

class NoTell(Optimizer):
    def ask(self): return None

class Bare:
    pass

class Interrupts(Works):
    def ask(self): raise KeyboardInterrupt

class InterruptsLate(Works):
    def tell(self, trial, evaluation): raise KeyboardInterrupt("told")
"""

#: What each that fails is said to have done.
SAID = {
    "Crash": "crash, seed 0, ask 6: ZeroDivisionError: my bug (broken.py:14)",
    "Outside": "Outside, seed 0, ask 1: filters: 99 given, expected an integer in [8, 32]",
    "Wrong": "Wrong, seed 0, ask 1: trial: {'budget': 27} given, expected a Trial, or None to wait",
    "Nothing": "Nothing, seed 0, ask 1: trial: None given, expected a Trial, since none is running",
    "Leaves": "Leaves, seed 0, ask 1: SystemExit: 3 (broken.py:27)",
    "Interrupts": "Interrupts, seed 0, ask 1: KeyboardInterrupt (broken.py:56)",
    "InterruptsLate": "InterruptsLate, seed 0, tell of trial 2: KeyboardInterrupt: told (broken.py:59)",
    "Gone": "broken.py:Gone, seed 0: its process ended with exit code 3",
    "Killed": "broken.py:Killed, seed 0: its process was killed by SIGKILL",
    "Unmade": "Unmade, seed 0, before its first ask: ValueError: no such thing (broken.py:36)",
}
FINE = ("Works", "Mutates")


def compared(folder: Path, classes: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Exit code and the lines on standard error of a comparison with random search."""
    names = ",".join(["random", *(f"broken.py:{name}" for name in classes)])
    words = f"compare digits-cpu --optimizers {names} --seeds 1 --full-budgets 8 --workers 2 --jobs 1 --out {folder}"
    code = 0
    try:
        main(words.split())
    except SystemExit as ended:
        code = int(ended.code or 0)
    lines = capsys.readouterr().err.splitlines()
    return code, [line.removeprefix("jointbench: ") for line in lines if line.startswith("jointbench: ")]


def test_the_others_finish_and_the_page_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text(CLASSES, encoding="utf-8")
    out = tmp_path / "out"
    code, said = compared(out, (*SAID, *FINE), capsys)
    assert code == 1
    assert sorted(said) == sorted(SAID.values())
    assert [name for name, _, _ in run_files(out)] == sorted(["random", *(f"broken.py:{name}" for name in FINE)])
    page = unescape((out / "report.html").read_text(encoding="utf-8"))
    assert "What is missing" in page
    assert all(sentence in page for sentence in SAID.values())
    assert "Traceback" in {one.optimizer: one.traceback for one in failures(out)}["broken.py:Crash"]

    # What an optimizer changed later is not in the file.
    rows = pq.read_table(run_file(out, "broken.py:Mutates", 0)).to_pylist()
    assert sorted(row["configuration"]["filters"] for row in rows) == list(range(9, 17))
    # Budgets that are whole numbers are kept as the floats that they are.
    assert pq.read_table(run_file(out, "broken.py:Works", 0))["budget"].to_pylist() == [27.0] * 8

    # Mended, it is in the comparison, and nothing is missing but what was not asked for again.
    kept = run_file(out, "random", 0).stat().st_mtime_ns
    Path("broken.py").write_text(CLASSES.replace("self.asked == 5", "self.asked == 50"), encoding="utf-8")
    assert compared(out, ("Crash",), capsys) == (0, [])
    assert run_file(out, "random", 0).stat().st_mtime_ns == kept
    assert "broken.py:Crash" not in {one.optimizer for one in failures(out)}


def test_a_comparison_in_which_nothing_finishes_has_a_page_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(CLASSES, encoding="utf-8")
    assert small(tmp_path / "out", (f"{tmp_path}/broken.py:Crash",), seeds=2) == []
    page = write_report(tmp_path / "out").read_text(encoding="utf-8")
    assert "No run has finished" in page
    assert page.count("ZeroDivisionError: my bug") == 2
    assert "jointbench compare --seeds 2" in page


def test_real_trainings_are_compared_without_the_one_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text(CLASSES, encoding="utf-8")
    command = "compare digits-cpu --objective train --images digits --ladder 0.02,0.06 --full-budgets 2 --seeds 2"
    command += " --device cpu"
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--workers", "1", "--optimizers", "broken.py:Unmade", "--out", "out"])
    assert ended.value.code == 1
    shown = capsys.readouterr().err
    assert all(f"Unmade, seed {seed}, before its first ask: ValueError" in shown for seed in (0, 1))
    assert "No run has finished" in Path("out/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("NoTell", "optimizer: '{file}:NoTell' given, expected a class with the methods ask and tell; it lacks tell"),
        ("Bare", "optimizer: '{file}:Bare' given, expected a subclass of"),
        ("Absent", "optimizer: '{file}:Absent' given, expected a class that"),
    ],
)
def test_a_class_that_is_no_optimizer_is_refused_before_anything_is_run(kind: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text(CLASSES, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check_optimizer(f"{file}:{kind}", JOINT, Ladder(1, 27), full_budgets=8)
    assert said.format(file=file) in str(caught.value)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text(CLASSES, encoding="utf-8")
    with pytest.raises(InputError, match="whose name is text, not 7"):
        make_optimizer(f"{file}:Numberless", JOINT, Ladder(1, 27), seed=0, full_budgets=8)
    with pytest.raises(OptimizerError, match=r"^Unmade, seed 5, before its first ask: ValueError: no such thing"):
        make_optimizer(f"{file}:Unmade", JOINT, Ladder(1, 27), seed=5, full_budgets=8)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys\nsys.exit(4)", "SystemExit: 4 (broken.py:2)"),
        ("\nfoo", "NameError: name 'foo' is not defined (broken.py:2)"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines (broken.py:1)"),
        ("class", "SyntaxError: "),
    ],
)
def test_a_file_that_python_cannot_run_is_one_sentence(code: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text(code, encoding="utf-8")
    with pytest.raises(InputError, match="a file that Python can run") as caught:
        check_optimizer(f"{file}:Any", JOINT, Ladder(1, 27), full_budgets=8)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_failure_is_kept_as_it_is_and_damaged_ones_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    kept = [Failure("a/b.py:Ünlike", seed, "it <b>failed</b> — twice", "Traceback …") for seed in (2, 11)]
    for one in reversed(kept):
        write_failure(tmp_path, one)
    assert failures(tmp_path) == kept
    shutil.copy(next((tmp_path / "runs").glob("*-2.failed.json")), tmp_path / "runs" / "._x-2.failed.json")
    (tmp_path / "runs" / "half-0.failed.json").write_text('{"optimizer": "ha', encoding="utf-8")
    assert failures(tmp_path) == kept
