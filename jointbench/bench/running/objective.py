"""What is evaluated: real training, a surrogate or a replayed log, behind one call."""

from typing import Protocol

from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task
from jointbench.optimizers.optimizer import Trial


class Objective(Protocol):
    """Evaluates a configuration at a budget (in the ladder's unit) with a seed.

    `architecture_seed`: with which the network is drawn, where the space draws any; who evaluates trials (`evaluated`)
    gives it where it is not 0. Nothing that uses an objective can tell which kind it is. It raises ConfigurationError
    and BudgetError for bad input; everything that happens in a training is an outcome, not an exception.
    """

    @property
    def space(self) -> Space: ...

    @property
    def ladder(self) -> Ladder: ...

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation: ...


class OfTask:
    """An objective whose space and ladder are those of its task."""

    task: Task

    @property
    def space(self) -> Space:
        return self.task.space

    @property
    def ladder(self) -> Ladder:
        return self.task.ladder


def evaluated(objective: Objective, trial: Trial, seed: int) -> Evaluation:
    """What an objective says of a trial, whose training has this seed."""
    if trial.architecture_seed:
        return objective(trial.configuration, trial.budget, seed, trial.architecture_seed)
    return objective(trial.configuration, trial.budget, seed)
