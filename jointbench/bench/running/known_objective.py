"""Objectives whose truth is known: each configuration of a public table, each point of a function in closed form."""

from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from jointbench.bench.running.hartmann import FUNCTIONS, HartmannObjective
from jointbench.bench.running.objective import Objective, OfTask
from jointbench.bench.running.public_tables import TABLES, PublicTable, public_table
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Configuration, Evaluation, Provenance, Status
from jointbench.data.task import Task


class KnownObjective(Objective, Protocol):
    """`name` by which `known_objective` finds it; `checksum` changes whenever an answer could; `optimum`: the best
    value of the objective that there is, at the largest budget and without noise."""

    @property
    def name(self) -> str: ...

    @property
    def task(self) -> Task: ...

    @property
    def checksum(self) -> str: ...

    @property
    def optimum(self) -> float: ...

    def expected(self, configuration: Configuration, budget: float) -> Evaluation:
        """The outcome without noise."""
        ...


class TableObjective(OfTask):
    """Answers with the table's training of the seed that is asked for, which stands for all that differ by a whole
    number of times its seeds; expects the mean over the table's seeds."""

    def __init__(self, table: PublicTable) -> None:
        self.table, self.task = table, table.task
        self._provenance = Provenance(device=f"table {table.name}")

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def checksum(self) -> str:
        return self.table.checksum

    @cached_property
    def means(self) -> FloatArray:
        """The objective, (configurations,), means over seeds."""
        return np.asarray(np.nanmean(self.table.values[self.task.objective.name], axis=1))

    @cached_property
    def _seeds(self) -> npt.NDArray[np.int64]:
        """How many each configuration has, (configurations,)."""
        return np.asarray(np.isfinite(self.table.values[self.task.objective.name]).sum(axis=1), dtype=np.int64)

    @property
    def optimum(self) -> float:
        best = self.means.max() if self.task.objective.maximize else self.means.min()
        return float(best)

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        """Raises ConfigurationError and BudgetError."""
        row = self._row(configuration)
        own = seed % int(self._seeds[row])
        values = {name: float(array[row, own]) for name, array in self.table.values.items()}
        return self._evaluation(configuration, budget, seed, values)

    def expected(self, configuration: Configuration, budget: float) -> Evaluation:
        row = self._row(configuration)
        values = {name: float(array[row, : self._seeds[row]].mean()) for name, array in self.table.values.items()}
        return self._evaluation(configuration, budget, -1, values)

    def seeds(self, configuration: Configuration) -> int:
        """How many trainings of a configuration the table has."""
        return int(self._seeds[self._row(configuration)])

    def _row(self, configuration: Configuration) -> int:
        checked, row = self.space.check(configuration), 0
        for h in self.space.hyperparameters:
            row = row * (int(h.high) + 1) + int(h.number(checked[h.name]))
        return row

    def _evaluation(
        self, configuration: Configuration, budget: float, seed: int, values: dict[str, float]
    ) -> Evaluation:
        budget = self.ladder.rungs[self.ladder.rung_of(budget)]
        return Evaluation(self.space.name, configuration, budget, seed, Status.OK, values, provenance=self._provenance)


def known_objective(name: str) -> KnownObjective:
    """Raises UnknownNameError, and as `public_table` does."""
    if name in TABLES:
        return TableObjective(public_table(name))
    if name in FUNCTIONS:
        return HartmannObjective(name)
    raise UnknownNameError.of("task", name, known_names())


def known_names() -> list[str]:
    return [*TABLES, *FUNCTIONS]
