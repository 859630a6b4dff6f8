"""A training that is lost with its first step, on a real worker: an evaluation like any other, with its reason."""

from pathlib import Path

from test_faults import ONE_TRAINING, ended_well, outcomes, started

from jointbench.bench.collecting.doctor import examine
from jointbench.data.evaluation import Status


def test_no_number_from_the_first_step_on_is_recorded_once_as_diverged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "from poisoned import Poisoned" + ONE_TRAINING.replace(
        "objective = TrainingObjective", "objective = Poisoned"
    )
    assert script.count("Poisoned") == 2
    ended_well(started(["-c", script, str(log)]))
    (evaluation,) = outcomes(log).values()
    assert evaluation.status is Status.DIVERGED
    assert evaluation.reason == "the loss is not finite after 1 steps"
    assert (evaluation.steps, evaluation.validation_error, evaluation.test_error) == (1, 1.0, 1.0)
    assert examine(log).problems == []
    assert not list((log / "checkpoints").glob("*"))
