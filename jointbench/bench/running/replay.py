"""A log as an objective: a tabular benchmark, which answers with evaluations that were really made."""

import hashlib
from dataclasses import replace
from functools import cached_property

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Configuration, Evaluation, ReadOnlyConfiguration, Status
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task

#: Where in the unit interval what is inactive lies, so that any two configurations have a distance.
INACTIVE = 0.5


class ReplayObjective:
    """Answers with the evaluation of the logged configuration that is nearest in the unit cube, at the same budget.

    The table is what was logged, each budget for itself: a log that an optimizer collected has few configurations
    that were trained at all budgets. Any proposal is answered (as by the 1-nearest-neighbour surrogate that Syne Tune
    puts over its tables), and a configuration of the log is its own nearest. Where it was trained several times, its
    evaluation with the seed that is asked for is taken, else one of them by the seed. The answer is the logged
    evaluation as it stands, so its `configuration` is the logged one. Raises LogError when the log has none at one
    of the budgets.
    """

    def __init__(self, log: EvaluationLog) -> None:
        self.log = log
        if log.ladder.continuous:
            raise LogError(
                "log", str(log.path), "evaluations at the rungs of its ladder and nowhere between, to replay"
            )
        self._logged: list[list[Evaluation]] = [[] for _ in log.ladder.rungs]
        for evaluation in log.evaluations():
            # Each is handed out again and again.
            kept = replace(evaluation, configuration=ReadOnlyConfiguration(evaluation.configuration))
            self._logged[log.ladder.rung_of(evaluation.budget)].append(kept)
        for rung, logged in zip(log.ladder.rungs, self._logged, strict=True):
            if not logged:
                raise LogError("log", str(log.path), f"evaluations at the budget {rung:g}, to replay")

    @property
    def space(self) -> Space:
        return self.log.space

    @property
    def ladder(self) -> Ladder:
        return self.log.ladder

    @property
    def task(self) -> Task:
        return self.log.task

    @cached_property
    def checksum(self) -> str:
        """Changes whenever an answer could."""
        digest = hashlib.sha256()
        told_metrics = [*(metric.name for metric in self._compared), "wall_seconds"]
        for e in (e for logged in self._logged for e in logged):
            told = e.budget, e.seed, e.status.value, *(e.metrics.get(name) for name in told_metrics)
            digest.update(repr((self.space.row(e.configuration), *told)).encode())
        return digest.hexdigest()

    @property
    def _compared(self) -> list[Metric]:
        """The objective, and the metrics in which a failure counts as something."""
        task = self.task
        return [metric for metric in task.metrics if metric == task.objective or metric.failure is not None]

    @property
    def entries(self) -> list[int]:
        """How many different configurations the table has at each rung."""
        return [len(np.unique(rows, axis=0)) for rows in self._rows]

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        """One that was logged, with the networks' seeds asked for where there is any."""
        repeats = self.repeats(configuration, budget)
        repeats = [e for e in repeats if e.architecture_seed == architecture_seed] or repeats
        return next((e for e in repeats if e.seed == seed), repeats[seed % len(repeats)])

    def expected(self, configuration: Configuration, budget: float) -> Evaluation:
        """The means over the repeats of what a failure counts in; as far as the log knows."""
        repeats = self.repeats(configuration, budget)
        means = {metric.name: float(np.mean([metric.counted_of(e) for e in repeats])) for metric in self._compared}
        status = Status.OK if any(e.ok for e in repeats) else repeats[0].status
        return replace(repeats[0].measuring(**means), status=status)

    def repeats(self, configuration: Configuration, budget: float) -> list[Evaluation]:
        """All evaluations of the nearest logged configuration at this budget, in the order of the log.

        Raises ConfigurationError for a configuration outside the space, BudgetError for a budget that is no rung.
        """
        row = self.space.encode([self.space.check(configuration)], inactive=INACTIVE)[0]
        rung = self.ladder.rung_of(budget)
        distances = np.square(self._rows[rung] - row).sum(axis=1)
        nearest = self._rows[rung][np.argmin(distances)]
        same = np.flatnonzero((self._rows[rung] == nearest).all(axis=1))
        return [self._logged[rung][i] for i in same]

    @cached_property
    def _rows(self) -> list[FloatArray]:
        """The unit cube's rows (n, hyperparameters) of the evaluations of each rung."""
        return [self.space.encode((e.configuration for e in logged), inactive=INACTIVE) for logged in self._logged]
