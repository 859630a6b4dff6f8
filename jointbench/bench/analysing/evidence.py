"""What exhibits are made of: the frame of a log's evaluations, the benchmark fitted to them, or both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jointbench.bench.comparing.nearest import units
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration, Status
from jointbench.data.frames import configurations_of, hyperparameter_column
from jointbench.data.metrics import Metric
from jointbench.data.task import Task
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.table import groups

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Evidence:
    """`frame`: a row an evaluation, as `EvaluationLog.to_pandas` gives it; None of a benchmark that came without its
    trainings. `benchmark`: None of a log. `retrainings`: other logs of trainings of named networks, each a task and a
    frame.
    """

    name: str
    task: Task
    frame: "DataFrame | None" = None
    benchmark: Benchmark | None = None
    retrainings: "Sequence[tuple[Task, DataFrame]]" = ()

    @property
    def objective(self) -> Metric:
        return self.task.objective

    @property
    def rungs(self) -> tuple[float, ...]:
        return self.task.ladder.rungs

    @cached_property
    def ok(self) -> "DataFrame":
        """The evaluations that ended ok, with `rung` (the place of their budget on the ladder), `group` (a number for
        each different configuration) and `value` (that of the objective). Without any where there is no frame."""
        import pandas as pd

        if self.frame is None:
            return pd.DataFrame({"rung": [], "group": [], "value": []})
        return self.all[self.all["status"] == Status.OK.value].reset_index(drop=True)

    @cached_property
    def all(self) -> "DataFrame":
        """As `ok`, failures among them. Only where there is a frame."""
        assert self.frame is not None
        found = self.frame.copy()
        rows = self.task.space.rows(configurations_of(found, self.task.space.names))
        found["rung"] = [self.task.ladder.place_of(budget) for budget in found["budget"]]
        found["group"] = groups(rows) if len(found) else np.zeros(0, dtype=np.int64)
        found["value"] = found[self.objective.name].astype(float)
        return found

    def by_rung(self) -> "Iterator[tuple[int, float, DataFrame]]":
        """Each rung's place and budget, with the evaluations there that ended ok, where there are any."""
        for index, rung in enumerate(self.rungs):
            found = self.ok[self.ok["rung"] == index]
            if len(found):
                yield index, rung, found

    def unit_rows(self, frame: "DataFrame") -> FloatArray:
        """The configurations of a frame in the unit cube (n, hyperparameters); what is inactive stands in the middle,
        where it tells nothing apart."""
        return unit_rows(self.task, frame)

    @cached_property
    def incumbent(self) -> "Any | None":
        """The row of `ok` with the best objective at the largest budget at which anything ended ok; None without."""
        if not len(self.ok):
            return None
        largest = self.ok[self.ok["rung"] == self.ok["rung"].max()]
        return largest.iloc[int(np.argmin(self.objective.losses(largest["value"])))]

    def configuration(self, row: Any) -> Configuration:
        """Of a row of a frame, which has the values of hyperparameters and not their numbers."""
        space = self.task.space
        values = {name: row[hyperparameter_column(name, row)] for name in space.names}
        return space.configuration(space.rows([values])[0])

    @property
    def least_drawn(self) -> float:
        """What has no logarithm is drawn here: an error of 0 at half an image."""
        return 0.5 / self.task.images.validation if self.task.images is not None else 1e-4

    def drawn(self, values: npt.ArrayLike) -> FloatArray:
        """Values of the objective as a logarithmic axis can show them."""
        array = np.asarray(values, dtype=np.float64)
        return np.maximum(array, self.least_drawn) if self.objective.fraction else array

    def amount(self, index: int) -> str:
        """The budget of a rung with its unit."""
        return self.task.ladder.amount(self.rungs[index])


def unit_rows(task: Task, frame: Any) -> FloatArray:
    """As `Evidence.unit_rows`."""
    return units(task.space, configurations_of(frame, task.space.names))
