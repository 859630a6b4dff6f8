"""What exhibits of a comparison are made of: the frame of all its runs, and what the benchmark knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jointbench.bench.analysing.evidence import unit_rows
from jointbench.bench.analysing.expected import expected
from jointbench.bench.drawing.palette import Style, styles
from jointbench.data.arrays import FloatArray
from jointbench.data.frames import configurations_of
from jointbench.data.metrics import Metric
from jointbench.data.task import Task
from jointbench.surrogate.benchmark import Benchmark

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Compared:
    """`frame`: a row an evaluation, as `Comparison.to_pandas` gives it. `benchmark`: what answered; None of real
    trainings, of a replayed table, or where it is not there any more. `trainings`: the frame of the log that it was
    fitted to, None where that is not there. `retrainings`: the logs of what `jointbench retrain` trained, each a task
    and a frame. `folder`: that of the comparison."""

    name: str
    task: Task
    frame: "DataFrame"
    benchmark: Benchmark | None = None
    trainings: "DataFrame | None" = None
    retrainings: "Sequence[tuple[Task, DataFrame]]" = ()
    folder: str = ""

    @property
    def objective(self) -> Metric:
        return self.task.objective

    @cached_property
    def optimizers(self) -> Sequence[str]:
        """In the order of names, which is that of all pages' legends here."""
        return sorted(set(self.frame["optimizer"]))

    @cached_property
    def look(self) -> dict[str, Style]:
        return styles(self.optimizers)

    @cached_property
    def points(self) -> FloatArray:
        """The configurations of the frame in the unit cube (n, hyperparameters)."""
        return unit_rows(self.task, self.frame)

    @cached_property
    def rung(self) -> npt.NDArray[np.intp]:
        """The place of each evaluation's budget on the ladder (n,)."""
        budgets = self.frame["budget"].to_numpy(float)
        return np.asarray(np.argmin(np.abs(np.log(budgets[:, None] / np.array(self.task.ladder.rungs))), axis=1))

    @cached_property
    def incumbents(self) -> "DataFrame":
        """The last row of each run that became its incumbent: its configuration, with `value`, what the comparison
        judges it by."""
        became = self.frame[self.frame["incumbent"].astype(bool)]
        last = became.groupby(["optimizer", "run_seed"], as_index=False).tail(1).copy()
        last["value"] = last[f"incumbent_{self.objective.name}"].astype(float)
        return last.reset_index(drop=True)

    @cached_property
    def expected(self) -> FloatArray | None:
        """What the benchmark expects of each evaluation's configuration at the largest budget, (n,); None without."""
        if self.benchmark is None:
            return None
        names = list(self.task.space.names)
        proposed = configurations_of(self.frame, names)
        different = proposed.drop_duplicates()
        values, _ = expected(self.benchmark, different, self.benchmark.ladder.maximum, self.objective.name)
        merged = proposed.merge(different.assign(_expected=values), how="left", on=names)
        return merged["_expected"].to_numpy(float)
