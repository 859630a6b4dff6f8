"""A training function of a person's own: what it is given, what may come of it, and that nothing of it is left."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import jointbench
from jointbench.bench.running.function_objective import CURVE_POINTS, FunctionObjective, curve_of
from jointbench.bench.running.own_function import OwnFunction
from jointbench.bench.running.training_child import Reported
from jointbench.bench.running.training_process import TrainingProcess
from jointbench.cli import main
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Status
from jointbench.data.ladder import Ladder
from jointbench.data.log import OUTPUT, EvaluationLog
from jointbench.data.metric_words import parse_metrics
from jointbench.data.seeds import function_seed
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Choice, Number
from jointbench.data.task import Task

#: One kind of end a choice.
ENDS = (
    *("well", "raises", "exits", "dies", "killed", "memory", "out_of_memory", "sleeps", "has_children"),
    *("nan", "nothing", "missing", "outside", "text", "whole"),
)
SPACE = PlainSpace("own", (Choice("end", ENDS), Number("x", 0.0, 1.0)))
LADDER = Ladder(1, 9, unit="epochs")
MINE = '''
import os, signal, subprocess, sys, time
import beside

kept = []


class OutOfMemoryError(RuntimeError):
    """As torch calls its own."""


def train(configuration, budget, seed, report):
    end = configuration["end"]
    for epoch in range(1, budget + 1):
        report({"loss": 2.0 / epoch, "epochs": epoch})
    if end == "raises":
        raise ValueError("my bug")
    if end == "exits":
        sys.exit("enough")
    if end == "dies":
        os._exit(3)
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if end == "memory":
        kept.append(b"x" * 2**27)
    if end == "out_of_memory":
        raise OutOfMemoryError("no more")
    if end == "sleeps":
        time.sleep(60)
    if end == "has_children":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", __file__])
        time.sleep(60)
    return {
        "nan": {"loss": float("nan")},
        "nothing": None,
        "missing": {"los": 1.0},
        "outside": {"loss": -1.0},
        "text": {"loss": "low"},
        "whole": {"loss": 1.0, "layers": 2.5},
    }.get(end, {"loss": 1.0 + configuration["x"], "layers": budget, "seed": seed, "beside": beside.NUMBER})
'''


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    (folder / "beside.py").write_text("NUMBER = 7", encoding="utf-8")
    return f"{folder / 'mine.py'}:train"


@pytest.fixture(scope="module")
def task() -> Task:
    layers = jointbench.Metric("layers", bounds=(0, 100), whole=True)
    return Task(SPACE, LADDER, metrics=parse_metrics(["loss:0..", layers, "wall_seconds", "peak_memory"]))


@pytest.fixture(scope="module")
def evaluate(mine: str, task: Task, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    objective = FunctionObjective(OwnFunction.of(mine), task, 1.0, 2**26, tmp_path_factory.mktemp("log"))

    def evaluated(end: str, budget: float = 3.0, seed: int = 11) -> Any:
        return objective({"end": end, "x": 0.5}, budget, seed)

    yield evaluated
    objective.close()


class TestOneTraining:
    def test_is_given_plain_values_and_its_numbers_are_kept(self, evaluate: Callable[..., Any], mine: str) -> None:
        found = evaluate("well")
        assert found.ok, found.reason
        assert found.metrics["loss"] == 1.5
        # A whole budget is a whole number, which counts trees and epochs.
        assert found.metrics["layers"] == 3
        assert found.extras == {"seed": float(function_seed(11)), "beside": 7.0}
        assert 0 <= function_seed(11) < 2**32
        assert 0 < found.wall_seconds < 1
        assert found.peak_memory >= 0
        assert found.curve.epochs == (1.0, 2.0, 3.0)
        assert found.curve.of("loss") == (2.0, 1.0, 2.0 / 3)
        assert found.provenance.code_version == f"mine.py:train {OwnFunction.of(mine).code}"

    @pytest.mark.parametrize(
        ("end", "status", "reason"),
        [
            ("raises", Status.CRASHED, "ValueError: my bug (mine.py:"),
            ("exits", Status.CRASHED, "SystemExit: enough (mine.py:"),
            ("dies", Status.CRASHED, "its process ended with exit code 3"),
            ("killed", Status.CRASHED, "its process was ended by SIGKILL, as a system does that runs out of memory"),
            ("memory", Status.OUT_OF_MEMORY, "bytes taken, more than 67,108,864"),
            ("out_of_memory", Status.OUT_OF_MEMORY, "OutOfMemoryError: no more (mine.py:"),
            ("sleeps", Status.TIMEOUT, "longer than 1 s"),
            ("nan", Status.DIVERGED, "loss is nan"),
            ("outside", Status.CRASHED, "-1.0 given, expected a finite number of at least 0"),
            ("text", Status.CRASHED, "'loss' is str, expected a number"),
            ("whole", Status.CRASHED, "layers that was returned: 2.5 given, expected a whole number"),
        ],
    )
    def test_a_failure_is_an_outcome(self, evaluate: Callable[..., Any], end: str, status: Status, reason: str) -> None:
        found = evaluate(end)
        assert found.status is status
        assert reason in found.reason
        assert "loss" not in found.metrics
        assert found.wall_seconds > 0
        # What it reported before is not lost.
        assert found.curve.of("loss") == (2.0, 1.0, 2.0 / 3)

    @pytest.mark.parametrize(
        ("end", "said"),
        [
            ("nothing", "returned by mine.py:train: 'NoneType' given, expected a dict of numbers by name"),
            ("missing", "returned by mine.py:train: 'los' given, expected loss among them"),
        ],
    )
    def test_what_lacks_the_objective_is_no_outcome(self, evaluate: Callable[..., Any], end: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            evaluate(end)
        assert evaluate("well").ok

    def test_the_next_one_is_none_the_worse_for_it(self, evaluate: Callable[..., Any]) -> None:
        assert evaluate("dies").status is Status.CRASHED
        assert evaluate("well").ok

    def test_what_it_has_started_ends_with_it(self, evaluate: Callable[..., Any], mine: str) -> None:
        assert evaluate("has_children").status is Status.TIMEOUT
        file = mine.removesuffix(":train")
        left = [one for one in psutil.process_iter(["cmdline"]) if file in (one.info["cmdline"] or ())]
        _, left = psutil.wait_procs(left, timeout=10)
        assert not [one for one in left if one.status() != psutil.STATUS_ZOMBIE]

    def test_it_ends_when_whoever_asked_is_killed(self, mine: str) -> None:
        code = (
            "import os\n"
            "from jointbench.bench.running.own_function import OwnFunction\n"
            "from jointbench.bench.running.training_process import TrainingProcess\n"
            f"made = TrainingProcess(OwnFunction.of({mine!r}))\n"
            "print(made.process_id, flush=True)\n"
            "os.kill(os.getpid(), 9)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        child = int(done.stdout)
        deadline = time.monotonic() + 60
        while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "still there after a minute"
            time.sleep(0.02)


class TestNaming:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("nowhere.py:train", "a file that can be read"),
            ("mine.py", "FILE.py:FUNCTION"),
            ("mine.txt:train", "FILE.py:FUNCTION"),
            (3, "FILE.py:FUNCTION"),
        ],
    )
    def test_what_names_no_function_is_refused(self, given: Any, said: str) -> None:
        with pytest.raises(InputError, match=said):
            OwnFunction.of(given)

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("import no_such_module", "a file that Python can run .ModuleNotFoundError: No module named 'no_such_mod"),
            ("other = 3", "a function that broken.py defines"),
            ("train = 3", "a function that broken.py defines"),
            ("def train(configuration): pass", "train.configuration, budget, seed, report. .too many positional"),
        ],
    )
    def test_a_function_that_cannot_be_called_is_refused_before_anything_is_trained(
        self, tmp_path: Path, source: str, said: str
    ) -> None:
        (tmp_path / "broken.py").write_text(source, encoding="utf-8")
        with pytest.raises(InputError, match=said):
            TrainingProcess(OwnFunction.of(f"{tmp_path / 'broken.py'}:train"))

    def test_comments_do_not_make_it_another(self, tmp_path: Path) -> None:
        codes = []
        for source in ("def train(c, b, s, r): return 1", "# why\ndef train(c, b, s, r):\n    return 1", "train = 2"):
            (tmp_path / "one.py").write_text(source, encoding="utf-8")
            codes.append(OwnFunction.of(f"{tmp_path / 'one.py'}:train").code)
        assert codes[0] == codes[1] != codes[2]


def test_a_curve_takes_whatever_is_reported() -> None:
    assert curve_of([], "epochs").seconds == ()
    reports = [Reported(0.1 * n, {"accuracy": n / 10, "validation_error": 0.5}) for n in (1, 2)]
    reports.append(Reported(0.4, {"validation_error": 0.25, "trees": 12.0}))
    curve = curve_of(reports, "trees")
    assert curve.epochs == (1.0, 2.0, 12.0)
    assert curve.validation_error == (0.5, 0.5, 0.25)
    assert str(curve.of("accuracy")) == "(0.1, 0.2, nan)"
    many = curve_of([Reported(float(n), {"loss": float(n)}) for n in range(10 * CURVE_POINTS)], "epochs")
    assert len(many.seconds) == CURVE_POINTS
    assert (many.epochs[0], many.epochs[-1]) == (1.0, 10.0 * CURVE_POINTS)


class TestCollecting:
    """The command, and the call with a function of this file."""

    @pytest.fixture
    def space(self, tmp_path: Path) -> Path:
        ends = PlainSpace("own", (Choice("end", ("well", "raises")), Number("x", 0.0, 1.0)))
        (tmp_path / "space.json").write_text(json.dumps(ends.as_dict()), encoding="utf-8")
        return tmp_path / "space.json"

    def test_a_log_is_collected_stopped_and_continued(
        self, mine: str, space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = tmp_path / "log"
        words = f"collect {log} --objective {mine} --space {space} --ladder 1,3,9epochs --metrics loss:0.."
        words += " --optimizer hyperband --workers 1 --timeout 20 --memory 1 --quiet"
        main(f"{words} --full-budgets 2".split())
        first = list(EvaluationLog.open(log).evaluations())
        main(f"{words} --full-budgets 5".split())
        evaluations = list(EvaluationLog.open(log).evaluations())
        assert evaluations[: len(first)] == first
        assert len(evaluations) > len(first)
        assert {e.status for e in evaluations} == {Status.OK, Status.CRASHED}
        assert all(e.provenance.optimizer == "hyperband" for e in evaluations)
        task = EvaluationLog.open(log).task
        assert [metric.name for metric in task.metrics] == ["loss", "wall_seconds"]
        assert "my bug" in "".join(file.read_text(encoding="utf-8") for file in (log / OUTPUT).iterdir())
        assert not [one for one in psutil.process_iter(["cmdline"]) if mine in " ".join(one.info["cmdline"] or ())]
        # Whoever opens it finds a log like any other.
        assert jointbench.doctor(log).healthy
        frame = jointbench.run("bohb", EvaluationLog.open(log), full_budgets=3)
        assert frame["loss"].notna().any()

    def test_a_function_without_an_objective_ends_the_command_at_once_and_mended_it_goes_on(
        self, space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log, slip = tmp_path / "log", tmp_path / "slip.py"
        slip.write_text("def train(configuration, budget, seed, report):\n    loss = 1.0\n", encoding="utf-8")
        words = f"collect {log} --objective {slip}:train --space {space} --ladder 1,3epochs --metrics loss --quiet"
        with pytest.raises(SystemExit) as ended:
            main(f"{words} --full-budgets 5 --workers 1".split())
        assert ended.value.code == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert said == "jointbench: returned by slip.py:train: 'NoneType' given, expected a dict of numbers by name"
        assert not list(EvaluationLog.open(log).evaluations())
        slip.write_text('def train(configuration, budget, seed, report):\n    return {"loss": 1.0}\n', encoding="utf-8")
        main(f"{words} --full-budgets 5 --workers 1".split())
        assert [one.ok for one in EvaluationLog.open(log).evaluations()] == [True] * 5

    def test_where_no_training_ends_ok_the_command_fails(
        self, space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "broken.py").write_text(
            "def train(configuration, budget, seed, report):\n    1 / 0\n", encoding="utf-8"
        )
        log = tmp_path / "log"
        words = f"collect {log} --objective {tmp_path / 'broken.py'}:train --space {space} --ladder 1,3epochs"
        with pytest.raises(SystemExit) as ended:
            main(f"{words} --metrics loss --full-budgets 2 --workers 1 --quiet".split())
        assert ended.value.code == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith(f"jointbench: {log} has 2 trainings, none of which ended ok (2 crashed; the first: Zero")

    def test_a_function_itself_will_do(self, space: Path, tmp_path: Path) -> None:
        offset = 2.0

        def trained(configuration: Any, budget: Any, seed: int, report: Callable[[Any], None]) -> Any:
            report({"accuracy": 0.1})
            return {"accuracy": configuration["x"] / offset}

        made = jointbench.collect(
            tmp_path / "log",
            objective=trained,
            space=space,
            ladder="1,3epochs",
            metrics="accuracy:max:0..1",
            full_budgets=3,
            workers=1,
            quiet=True,
        )
        assert [e.metrics["accuracy"] for e in made.evaluations] == [e.configuration["x"] / 2 for e in made.evaluations]
        assert made.evaluations[0].provenance.code_version.startswith("trained ")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("--images digits", "images: 'digits' given, expected no images with an objective of your own"),
            ("--precision bf16", "precision: 'bf16' given, expected fp32 with an objective of your own"),
            ("--metrics validation_error:max", "direction and bounds of this name are known"),
            ("--config slurm.toml", "--cluster slurm with it"),
            ("--workers-per-gpu 2", "--device cuda with it"),
        ],
    )
    def test_what_does_not_go_together_is_refused(
        self, mine: str, space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, said: str
    ) -> None:
        command = f"collect {tmp_path / 'log'} --objective {mine} --space {space} --ladder 1,3epochs --full-budgets 2"
        with pytest.raises(SystemExit) as stopped:
            main([*command.split(), *words.split()])
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "log").exists()

    @pytest.mark.parametrize("option", ["--timeout 3", "--metrics loss"])
    def test_its_options_without_it_are_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
    ) -> None:
        command = f"collect {tmp_path / 'log'} --images digits --ladder 1,3 --full-budgets 2 {option}"
        with pytest.raises(SystemExit):
            main(command.split())
        assert "expected an --objective of your own with it" in capsys.readouterr().err

    def test_without_a_space_it_says_so(self, mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(f"collect {tmp_path / 'log'} --objective {mine} --ladder 1,3epochs --full-budgets 2".split())
        assert "space: None given, expected --space" in capsys.readouterr().err
