"""What a comparison found: the incumbent's error over time, and the table that sums it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from jointbench.bench.comparison_folder import RUNS, Settings
from jointbench.bench.statistics import bootstrap, mean_ranks
from jointbench.data.errors import LogError

FloatArray = npt.NDArray[np.float64]

#: Points in time at which trajectories are compared.
GRID_POINTS = 200

#: The optimizer that the others' speed is measured against.
YARDSTICK = "random"


@dataclass(frozen=True)
class Trajectory:
    """One run: after each evaluation's end (seconds, simulated), the incumbent's true errors (fractions)."""

    optimizer: str
    seed: int
    seconds: FloatArray
    validation_error: FloatArray
    test_error: FloatArray

    @property
    def evaluations(self) -> int:
        return len(self.seconds)

    def at(self, grid: FloatArray) -> FloatArray:
        """The incumbent's validation error at each time of the grid; NaN before the first evaluation ended."""
        last = np.searchsorted(self.seconds, grid, side="right") - 1
        return np.where(last < 0, np.nan, self.validation_error[np.maximum(last, 0)])


@dataclass(frozen=True)
class Row:
    """An optimizer in the table; errors are fractions, medians and quartiles over seeds.

    `regret`: median final validation error less the lowest true error that any incumbent of the comparison ever had.
    `rank`: mean over the seeds that all optimizers have of the rank by final validation error, 1 the best.
    `speedup`: see `Speedup`; None when random search is not in the comparison.
    """

    optimizer: str
    seeds: int
    evaluations: int
    validation_error: float
    quartiles: tuple[float, float]
    test_error: float
    regret: float
    rank: float
    speedup: "Speedup | None"


@dataclass(frozen=True)
class Speedup:
    """How much sooner an optimizer gets to where random search ends.

    `factor`: the time from which random search's median stays at or below its final validation error, over the time
    from which the optimizer's median stays at or below the same error; 0 where that never comes. `interval`: 95 %,
    from resampled seeds of both.
    """

    factor: float
    interval: tuple[float, float]

    def __str__(self) -> str:
        if self.factor == 0:
            return "never there"
        low, high = self.interval
        return f"{self.factor:.1f}x ({low:.1f} to {high:.1f})"


HEADINGS = (
    "optimizer",
    "seeds",
    "evaluations",
    "final validation error",
    "quartiles",
    "final test error",
    "regret",
    "mean rank",
    "speed-up over random",
)


def cells(row: Row) -> tuple[str, ...]:
    """A row as the terminal and the page both print it, in the order of HEADINGS."""
    return (
        row.optimizer,
        str(row.seeds),
        f"{row.evaluations:,}",
        f"{row.validation_error:.2%}",
        f"{row.quartiles[0]:.2%} to {row.quartiles[1]:.2%}",
        f"{row.test_error:.2%}",
        f"{row.regret:.2%}",
        f"{row.rank:.2f}",
        "-" if row.speedup is None else str(row.speedup),
    )


def read_trajectories(folder: Path) -> dict[str, list[Trajectory]]:
    """All runs of a comparison by optimizer, in the order of their names. Raises LogError when there are none."""
    Settings.read(folder)
    found: dict[str, list[Trajectory]] = {}
    for path in sorted((folder / RUNS).glob("*.parquet")):
        optimizer, _, seed = path.stem.rpartition("-")
        table = pq.read_table(path, columns=["end", "incumbent_validation_error", "incumbent_test_error"])
        columns = [column.to_numpy() for column in table.columns]
        found.setdefault(optimizer, []).append(Trajectory(optimizer, int(seed), *columns))
    if not found:
        raise LogError("comparison", str(folder), "a folder with finished runs")
    return {name: sorted(runs, key=lambda run: run.seed) for name, runs in found.items()}


def time_grid(trajectories: Mapping[str, Sequence[Trajectory]]) -> FloatArray:
    """Logarithmic, from the first end of any evaluation to the last."""
    runs = [run for several in trajectories.values() for run in several]
    return np.geomspace(min(run.seconds[0] for run in runs), max(run.seconds[-1] for run in runs), GRID_POINTS)


def band(runs: Sequence[Trajectory], grid: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lower quartile, median and upper quartile over runs at each time; NaN until all runs have begun to answer."""
    values = np.stack([run.at(grid) for run in runs])
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return lower, median, upper


def final_errors(trajectories: Mapping[str, Sequence[Trajectory]]) -> dict[str, dict[int, float]]:
    """Optimizer to seed to the incumbent's validation error at the end."""
    return {name: {run.seed: float(run.validation_error[-1]) for run in runs} for name, runs in trajectories.items()}


def lowest_error(trajectories: Mapping[str, Sequence[Trajectory]]) -> float:
    """The lowest true validation error that any incumbent ever had: where regret is 0."""
    return min(float(run.validation_error.min()) for runs in trajectories.values() for run in runs)


def shared_seeds(trajectories: Mapping[str, Sequence[Trajectory]]) -> list[int]:
    """The seeds that all optimizers have: those by which they can be ranked."""
    return sorted(set.intersection(*({run.seed for run in runs} for runs in trajectories.values())))


def ranks_over_time(trajectories: Mapping[str, Sequence[Trajectory]], grid: FloatArray) -> dict[str, FloatArray]:
    """Mean rank of each optimizer over the shared seeds at each time; who has no answer yet comes last."""
    shared = set(shared_seeds(trajectories))
    errors = np.stack([[run.at(grid) for run in runs if run.seed in shared] for runs in trajectories.values()])
    return dict(zip(trajectories, mean_ranks(np.nan_to_num(errors, nan=np.inf)), strict=True))


def summary(folder: Path) -> list[Row]:
    """The table of a comparison, the best mean rank first."""
    trajectories = read_trajectories(folder)
    grid = time_grid(trajectories)
    least = lowest_error(trajectories)
    ranks = ranks_over_time(trajectories, grid)
    rows = []
    for name, runs in trajectories.items():
        lower, median, upper = np.quantile([run.validation_error[-1] for run in runs], [0.25, 0.5, 0.75])
        rows.append(
            Row(
                name,
                len(runs),
                sum(run.evaluations for run in runs),
                float(median),
                (float(lower), float(upper)),
                float(np.median([run.test_error[-1] for run in runs])),
                float(median) - least,
                float(ranks[name][-1]),
                speedup(trajectories[YARDSTICK], runs, grid) if YARDSTICK in trajectories else None,
            )
        )
    return sorted(rows, key=lambda row: row.rank)


def speedup(yardstick: Sequence[Trajectory], runs: Sequence[Trajectory], grid: FloatArray) -> Speedup:
    """Of `runs` over `yardstick`, on a common grid of times."""
    slow, fast = (np.nan_to_num(np.stack([run.at(grid) for run in some]), nan=np.inf) for some in (yardstick, runs))
    itself = yardstick is runs

    def factors(samples: Sequence[npt.NDArray[np.intp]]) -> FloatArray:
        reference = np.median(slow[samples[0]], axis=1)
        goal = reference[:, -1:]
        median = reference if itself else np.median(fast[samples[1]], axis=1)
        return _stays(reference, goal, grid) / _stays(median, goal, grid)

    return Speedup(
        float(factors([np.arange(len(slow))[None], np.arange(len(fast))[None]])[0]),
        bootstrap(factors, [len(slow), len(fast)]),
    )


def _stays(medians: FloatArray, goal: FloatArray, grid: FloatArray) -> FloatArray:
    """The times (n,) from which medians (n, times) stay at or below goals (n, 1); infinite where they end above."""
    above = medians > goal
    last = np.where(above.any(axis=1), above.shape[1] - np.argmax(above[:, ::-1], axis=1), 0)
    return np.append(grid, np.inf)[last]
