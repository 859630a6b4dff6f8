"""A table of a person's own: no images, an accuracy to be maximised and a loss above 1, through public calls alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import jointbench
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.summary import cells, headings, summary
from jointbench.bench.pages.report import write_report
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.merging import merge
from jointbench.data.metrics import Metric
from jointbench.data.spaces.joint import JOINT

ACCURACY = Metric("accuracy", "fraction", maximize=True, bounds=(0, 1), failure=0.0, format=".1%")
CROSS_ENTROPY, WALL = Metric("cross_entropy", bounds=(0, 1e6), failure=100.0), Metric("wall_seconds", "seconds")
METRICS = (ACCURACY, CROSS_ENTROPY, WALL)
LADDER = Ladder(1, 9, unit="epochs")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EvaluationLog:
    made = EvaluationLog.open_or_create(tmp_path_factory.mktemp("own") / "table", JOINT, LADDER, None, METRICS)
    evaluations = []
    for number, configuration in enumerate(JOINT.sample(np.random.default_rng(0), 40)):
        for budget in LADDER.rungs:
            accuracy = 0.5 + number / 100 - 0.2 / budget
            metrics = {"accuracy": accuracy, "cross_entropy": 2 - accuracy, "wall_seconds": budget, "proxy": 7.0}
            status = Status.CRASHED if number % 10 == 3 else Status.OK
            evaluations.append(
                Evaluation("joint", configuration, budget, number, status, metrics, key=str((number, budget)))
            )
    made.append(evaluations)
    return made


def test_the_log_describes_itself(log: EvaluationLog, tmp_path: Path) -> None:
    again = EvaluationLog.open(log.path)
    assert again.task == log.task
    assert again.task.metrics == METRICS
    assert again.task.images is None
    first = next(iter(again.evaluations()))
    # What is no metric of the task is not lost.
    assert set(first.metrics) == {"accuracy", "cross_entropy", "wall_seconds"}
    assert first.extras == {"proxy": 7.0}
    assert len(merge([log.path], tmp_path / "merged")) == len(log)
    with pytest.raises(LogError, match="one of trainings on images"):
        _ = again.images


def test_what_its_bounds_forbid_is_refused(log: EvaluationLog, tmp_path: Path) -> None:
    other = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, None, METRICS)
    wrong = replace(next(iter(log.evaluations())), key="x").measuring(accuracy=1.5)
    other.append([wrong])
    with pytest.raises(LogError, match=r"accuracy in row 0 .* 1\.5 given, expected a fraction from 0 to 1"):
        other.table()


def test_a_metric_named_as_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'seed' given, expected a name that no other column"):
        EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, None, [Metric("seed")])


def test_a_run_maximises(log: EvaluationLog) -> None:
    frame = jointbench.run("hyperband", log, full_budgets=12)
    assert {"accuracy", "cross_entropy", "incumbent_accuracy"} <= set(frame)
    became = frame[frame["incumbent"]]
    assert became["accuracy"].is_monotonic_increasing
    assert became["accuracy"].iloc[-1] == frame[frame["status"] == "ok"]["accuracy"].max()


def test_optimizers_are_compared_on_it(log: EvaluationLog, tmp_path: Path) -> None:
    found = jointbench.compare(log, ["random", "hyperband"], seeds=2, full_budgets=6, out=tmp_path / "c", quiet=True)
    assert Settings.read(tmp_path / "c").task == log.task
    table = summary(tmp_path / "c")
    assert headings(table)[3:6] == ("final accuracy", "quartiles", "final cross entropy")
    assert table == sorted(table, key=lambda row: (row.rank or 0, -row.value))
    assert all(cells(row)[3].split(" at ")[0] == f"{row.value:.1%}" for row in table)
    best = max(one.metrics["accuracy"] for one in final_incumbents(tmp_path / "c"))
    assert all(row.regret >= 0 for row in table)
    assert best <= 0.89
    page = write_report(tmp_path / "c").read_text(encoding="utf-8")
    assert "Higher and further left is better" in page
    assert "incumbent's accuracy" in page
    assert "error" not in found.table().headings[3]
    write_report(log.path, tmp_path / "log.html")
