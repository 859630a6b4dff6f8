"""What is evaluated: real training, a surrogate or a replayed log, behind one call."""

from typing import Protocol

from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space


class Objective(Protocol):
    """Evaluates a configuration at a budget (in the ladder's unit) with a seed.

    Nothing that uses an objective can tell which kind it is. It raises ConfigurationError and BudgetError for
    bad input; everything that happens in a training is an outcome, not an exception.
    """

    @property
    def space(self) -> Space: ...

    @property
    def ladder(self) -> Ladder: ...

    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation: ...
