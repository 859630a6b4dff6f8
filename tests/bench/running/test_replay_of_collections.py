"""A collection that is stopped and continued proposes, and finds, what one that was not stopped does.

Real trainings of a known number of steps, one worker, every optimizer; what dies here is the loop in this process, at
any moment that a process can die at. That real processes die no otherwise is for test_faults to show.
"""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_optimizers import SHIPPED

from jointbench.bench.collecting.collection import evaluated_by
from jointbench.bench.running.cluster import Finished, Started
from jointbench.bench.running.dask_cluster import in_run
from jointbench.bench.running.journal import Journal
from jointbench.bench.running.run import run
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.bench.training.hardware import Hardware
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer

LADDER, FULL_BUDGETS, SEED = Ladder(0.1, 0.3, unit="epochs"), 4.0, 3
#: Every network is made as small as it can be, so that this takes no hours; its training is what was asked for.
SMALL = {
    "filters": 8,
    **{f"{what}_{i}": 1 for i in (1, 2, 3) for what in ("res_blocks", "res_branches", "widen_factor")},
}


class SmallTrainings(TrainingObjective):
    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
        evaluation = super().__call__({**configuration, **SMALL}, budget, seed)
        return replace(evaluation, configuration=configuration)


class Death(BaseException):
    """Nobody catches it."""


class Worker:
    """A cluster of one worker in this process; it may die before or after a training's evaluation is in the log."""

    workers = 1

    def __init__(self, objective: TrainingObjective, log: EvaluationLog, dies: tuple[str, int] | None) -> None:
        self.objective, self.log, self.dies = objective, log, dies

    def start(self, started: Started) -> None:
        trial = started.trial
        if self.dies == ("before", started.number):
            raise Death
        evaluation = in_run(self.objective(trial.configuration, trial.budget, started.seed), started, "o", "r")
        self.log.append([evaluation])
        if self.dies == ("after", started.number):
            raise Death
        self.finished = Finished(started, evaluation, 0.0, 0.0)

    def wait(self) -> Finished:
        return self.finished


def collected(folder: Path, optimizer: str, dies: tuple[str, int] | None = None) -> None:
    """As `collect` does it, but for the processes."""
    log = EvaluationLog.open_or_create(folder, JOINT, LADDER, load_images("digits").facts)
    objective = SmallTrainings(JOINT, LADDER, "digits", Hardware(), folder=folder)
    made = make_optimizer(optimizer, JOINT, LADDER, seed=SEED, full_budgets=FULL_BUDGETS)
    with closing(Journal(log.journals / "r.journal")) as journal:
        evaluated = evaluated_by(log, "r")
        worker = Worker(objective, log, dies)
        for _ in run(made, worker, LADDER, full_budgets=FULL_BUDGETS, seed=SEED, journal=journal, evaluated=evaluated):
            pass


def found(folder: Path) -> list[tuple[object, ...]]:
    """What was asked for and what came of it, in order; not how long that took."""
    evaluations = sorted(EvaluationLog.open(folder).evaluations(), key=lambda e: e.trial)
    return [
        (e.trial, dict(e.configuration), e.budget, e.seed, e.status, e.steps, e.validation_error, e.test_error)
        for e in evaluations
    ]


@pytest.mark.parametrize("optimizer", SHIPPED)
def test_a_continued_collection_is_the_uninterrupted_one(optimizer: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    collected(whole, optimizer)
    expected = found(whole)
    assert len(expected) >= FULL_BUDGETS
    for dies in (("before", 1), ("after", 2), ("before", 3)):
        with pytest.raises(Death):
            collected(broken, optimizer, dies)
    collected(broken, optimizer)
    assert found(broken) == expected
