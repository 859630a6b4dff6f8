"""A log as an objective: a tabular benchmark, which answers with evaluations that were really made."""

from functools import cached_property

import numpy as np

from jointbench.data.errors import LogError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.space import FloatArray, Space


class ReplayObjective:
    """Answers with the evaluation of the logged configuration that is nearest in the unit cube, at the same budget.

    A configuration of the log is its own nearest. Where it was trained several times, its evaluation with the seed
    that is asked for is taken, else one of them by the seed. The answer is the logged evaluation as it stands, so
    its `configuration` is the logged one. Raises LogError when the log has none at one of the budgets.
    """

    def __init__(self, log: EvaluationLog) -> None:
        self.log = log
        self._logged: list[list[Evaluation]] = [[] for _ in log.ladder.rungs]
        for evaluation in log.evaluations():
            self._logged[log.ladder.rung_of(evaluation.budget)].append(evaluation)
        for rung, logged in zip(log.ladder.rungs, self._logged, strict=True):
            if not logged:
                raise LogError("log", str(log.path), f"evaluations at the budget {rung:g}, to replay")

    @property
    def space(self) -> Space:
        return self.log.space

    @property
    def ladder(self) -> Ladder:
        return self.log.ladder

    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
        repeats = self.repeats(configuration, budget)
        return next((e for e in repeats if e.seed == seed), repeats[seed % len(repeats)])

    def repeats(self, configuration: Configuration, budget: float) -> list[Evaluation]:
        """All evaluations of the nearest logged configuration at this budget, in the order of the log.

        Raises ConfigurationError for a configuration outside the space, BudgetError for a budget that is no rung.
        """
        row = self.space.encode(self.space.rows([self.space.check(configuration)]))[0]
        rung = self.ladder.rung_of(budget)
        distances = np.square(self._rows[rung] - row).sum(axis=1)
        nearest = self._rows[rung][np.argmin(distances)]
        same = np.flatnonzero((self._rows[rung] == nearest).all(axis=1))
        return [self._logged[rung][i] for i in same]

    @cached_property
    def _rows(self) -> list[FloatArray]:
        """The unit cube's rows (n, hyperparameters) of the evaluations of each rung."""
        return [self.space.encode(self.space.rows(e.configuration for e in logged)) for logged in self._logged]
