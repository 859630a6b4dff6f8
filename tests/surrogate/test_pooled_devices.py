"""A log of several devices' trainings: by a reference clock all else is the same, but each has its own memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.inputs import fit_features
from jointbench.surrogate.models import _cost_targets
from jointbench.surrogate.stored import released
from jointbench.surrogate.table import TrainingTable, training_table


def elsewhere(evaluation: Evaluation) -> Evaluation:
    """The same training on a device that says that it took a hundred times as much."""
    measured = evaluation.measuring(peak_memory=100 * int(evaluation.metrics["peak_memory"]))
    return replace(measured, provenance=replace(evaluation.provenance, device="another accelerator, 1 GiB"))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingTable, TrainingTable]:
    """Of one device, and with every third training on another."""
    log = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
    some = [e for e in log.evaluations() if e.ok][:120]
    made = []
    for name, evaluations in (("one", some), ("two", [elsewhere(e) if k % 3 == 0 else e for k, e in enumerate(some)])):
        folder: Path = tmp_path_factory.mktemp(name) / "log"
        pooled = EvaluationLog.open_or_create(folder, log.space, log.ladder, log.images)
        pooled.append(evaluations)
        made.append(training_table(pooled))
    return made[0], made[1]


def test_memory_is_that_of_the_most_common_device(tables: tuple[TrainingTable, TrainingTable]) -> None:
    one, two = tables
    missing = np.isnan(two.costs[:, 2])
    assert missing.sum() == 40
    assert not np.isnan(one.costs).any()
    assert np.array_equal(np.delete(two.costs, 2, axis=1), np.delete(one.costs, 2, axis=1))
    laws = [fit_features(table).cost_model for table in (two, one.take(~missing))]
    assert laws[0] is not None
    assert laws[1] is not None
    assert laws[0].peak_bytes == pytest.approx(laws[1].peak_bytes)


def test_what_was_not_measured_is_as_usual(tables: tuple[TrainingTable, TrainingTable]) -> None:
    _, two = tables
    targets = _cost_targets(fit_features(two), two)
    assert (targets[np.isnan(two.costs[:, 2]), 2] == 0).all()
    assert np.isfinite(targets).all()
