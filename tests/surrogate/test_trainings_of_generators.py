"""What a surrogate takes of the trainings of generators, whose space has no hyperparameters of training."""

from pathlib import Path

import numpy as np
import pytest

from jointbench.data.evaluation import Evaluation, Provenance, Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.registry import get_space
from jointbench.surrogate.table import training_table

SPACE = get_space("hnag-small")
SECONDS = {"training_seconds": 20.0, "batch_seconds": 1.0, "validation_seconds": 0.5, "test_seconds": 0.25}


@pytest.mark.parametrize(("clock", "beside"), [("reference:epyc-thread-v1", 1.75), ("measured", 280.0)])
def test_by_a_reference_clock_a_busy_machine_does_not_count(clock: str, beside: float, tmp_path: Path) -> None:
    images = ImageFacts("digits-halves", (1, 8, 8), 10, 719, 719, 359)
    log = EvaluationLog.open_or_create(tmp_path / "log", SPACE, Ladder(12, 48, 2, "epochs"), images, SPACE.metrics)
    made = [
        Evaluation(
            SPACE.name,
            at,
            24.0,
            number,
            Status.OK,
            {"validation_error": 0.1, "test_error": 0.1, "wall_seconds": 300.0, **SECONDS},
            provenance=Provenance(clock=clock),
        )
        for number, at in enumerate(SPACE.sample(np.random.default_rng(0), 25))
    ]
    log.append(made)
    table = training_table(log)
    assert table.measures is not None
    names = [cost.name for cost in table.measures.costs]
    assert table.costs[:, names.index("wall_seconds")] == pytest.approx(beside)
    assert table.costs[:, names.index("training_seconds")] == pytest.approx(20.0)
