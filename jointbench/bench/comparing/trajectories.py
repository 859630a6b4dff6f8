"""What a comparison found: the incumbent's metrics over time, run by run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.fronts import read_fronts
from jointbench.bench.comparing.run_table import INCUMBENT, read_run, run_labels
from jointbench.bench.comparing.statistics import mean_ranks
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError
from jointbench.data.metrics import VALIDATION_ERROR, Metric
from jointbench.data.pareto import HYPERVOLUME
from jointbench.data.task import Task

#: Points in time at which trajectories are drawn.
GRID_POINTS = 200


@dataclass(frozen=True)
class Trajectory:
    """One run: after each evaluation's end (seconds, simulated), the incumbent's true metrics, each (evaluations,).

    Before there is an incumbent they have what a failure counts as, or NaN. The optimizer searched for `objective`;
    `judged` is what it is judged by besides, such as the test error; `optimum`: the best value of the objective that
    there is, where that is known; `budgets`: those of the evaluations, in the ladder's unit.
    """

    optimizer: str
    seed: int
    seconds: FloatArray
    metrics: Mapping[str, FloatArray]
    objective: Metric = VALIDATION_ERROR
    judged: Metric | None = None
    optimum: float | None = None
    budgets: FloatArray | None = None

    @property
    def values(self) -> FloatArray:
        """Those of the objective."""
        return self.metrics[self.objective.name]

    @property
    def losses(self) -> FloatArray:
        """The same as what is minimised."""
        return self.objective.losses(self.values)

    @property
    def evaluations(self) -> int:
        return len(self.seconds)

    def at(self, grid: FloatArray, metric: Metric | None = None) -> FloatArray:
        """A metric of the incumbent, the objective where none is given, at each time of the grid; NaN before the first
        evaluation ended.

        Where several evaluations end at one time, the value is that after the last of them.
        """
        values = self.values if metric is None else self.metrics[metric.name]
        return _steps(self.seconds, values, grid)

    def spent(self, budgets: FloatArray) -> FloatArray:
        """The incumbent's objective when evaluations had spent so many budgets together (n,); NaN before the first of
        them ended."""
        assert self.budgets is not None
        # Sums of the same numbers in another order differ in their last bits.
        return _steps(np.cumsum(self.budgets), self.values, budgets * (1 + 1e-9))


def _steps(at: FloatArray, values: FloatArray, grid: FloatArray) -> FloatArray:
    last = np.searchsorted(at, grid, side="right") - 1
    return np.where(last < 0, np.nan, values[np.maximum(last, 0)])


#: Optimizer to its runs.
Runs = Mapping[str, Sequence[Trajectory]]


def read_trajectories(folder: Path) -> dict[str, list[Trajectory]]:
    """All runs of a comparison by optimizer, in the order of their names; of several objectives the hypervolume is the
    one that they are compared by.

    Raises LogError when there are none, or one that cannot be read.
    """
    settings = Settings.read(folder)
    if settings.box:
        return _of_fronts(folder)
    task = settings.task
    found: dict[str, list[Trajectory]] = {}
    runs = run_files(folder)
    called = run_labels(folder)
    for optimizer, seed, path in runs:
        try:
            with open(path, "rb") as file:
                there = pq.read_schema(file).names
        except (pa.ArrowException, OSError) as error:
            raise LogError("run", str(path), f"readable Parquet ({type(error).__name__})") from None
        known = [metric for metric in task.metrics if f"{INCUMBENT}{metric.name}" in there]
        table = read_run(path, ["end", "budget", *(f"{INCUMBENT}{metric.name}" for metric in known)])
        seconds, budgets, *values = (column.to_numpy() for column in table.columns)
        metrics = dict(zip((metric.name for metric in known), values, strict=True))
        made = Trajectory(
            called[optimizer],
            seed,
            seconds,
            metrics,
            task.objective,
            _judged(task, metrics),
            settings.optimum,
            budgets,
        )
        found.setdefault(called[optimizer], []).append(made)
    if not found:
        raise LogError("comparison", str(folder), "a folder with finished runs")
    return found


def _of_fronts(folder: Path) -> dict[str, list[Trajectory]]:
    return {
        name: [
            Trajectory(
                name, run.seed, run.seconds, {HYPERVOLUME.name: run.hypervolumes}, HYPERVOLUME, budgets=run.budgets
            )
            for run in several
        ]
        for name, several in read_fronts(folder).items()
    }


def _judged(task: Task, known: Collection[str]) -> Metric | None:
    """The first metric after the objective in which a failure counts as something: no cost, but a quality."""
    qualities = (m for m in task.metrics if m.failure is not None and m != task.objective and m.name in known)
    return next(qualities, None)


def time_grid(runs: Runs, until: float | None = None) -> FloatArray:
    """Logarithmic, from the first end of any evaluation that took time to the last, or to the time that runs had."""
    ends = np.concatenate([run.seconds for several in runs.values() for run in several])
    ends = ends[ends > 0]
    if not len(ends):
        return np.array([1.0])
    return np.geomspace(ends.min(), max(ends.max(), until or 0.0), GRID_POINTS)


def change_times(runs: Iterable[Trajectory]) -> FloatArray:
    """The times at which the objective of any of the incumbents begins or changes, ascending."""
    changes = [run.seconds[np.append(True, np.diff(run.values) != 0)] for run in runs]
    return np.unique(np.concatenate(changes))


def objective_of(runs: Runs) -> Metric:
    """What the runs of a comparison searched for."""
    return next(run.objective for several in runs.values() for run in several)


def held_out(runs: Runs) -> Metric | None:
    """The metric by which the incumbents are judged besides, where all runs have one."""
    found = {run.judged for several in runs.values() for run in several}
    return found.pop() if len(found) == 1 else None


def band(
    runs: Sequence[Trajectory], grid: FloatArray, metric: Metric | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lower quartile, median and upper quartile over runs at each time; NaN until all runs have begun to answer."""
    values = np.stack([run.at(grid, metric) for run in runs])
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return lower, median, upper


def final_losses(runs: Runs) -> dict[str, dict[int, float]]:
    """Optimizer to seed to the incumbent's objective at the end, as what is minimised."""
    return {name: {run.seed: float(run.losses[-1]) for run in several} for name, several in runs.items()}


def best_value(runs: Runs) -> float:
    """Where regret is 0: the optimum where it is known, else the best true objective that any incumbent ever had."""
    known = next(run.optimum for several in runs.values() for run in several)
    if known is not None:
        return known
    best = min(float(np.nanmin(run.losses)) for several in runs.values() for run in several)
    return float(objective_of(runs).losses(best))


def shared_seeds(runs: Runs) -> list[int]:
    """The seeds that all optimizers have: those by which they can be ranked."""
    return sorted(set.intersection(*({run.seed for run in several} for several in runs.values())))


def ranks_over_time(runs: Runs, grid: FloatArray) -> dict[str, FloatArray]:
    """Mean rank of each optimizer over the shared seeds at each time; who has no answer yet comes last.

    Empty where no seed is shared.
    """
    shared = set(shared_seeds(runs))
    if not shared:
        return {}
    losses = objective_of(runs).losses(
        np.stack([[run.at(grid) for run in several if run.seed in shared] for several in runs.values()])
    )
    return dict(zip(runs, mean_ranks(np.nan_to_num(losses, nan=np.inf)), strict=True))
