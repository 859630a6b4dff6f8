"""What a comparison found: the incumbent's error over time, and the table that sums it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from jointbench.bench.comparison import RUNS, Settings
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

    `regret`: median final validation error less the lowest true error that any run of the comparison ended with.
    `rank`: mean over the seeds that all optimizers have of the rank by final validation error, 1 the best.
    `speedup`: time that random search's median needs for its own final error, over the time that this median needs
    for it; None where it never gets there or random search is not in the comparison.
    """

    optimizer: str
    seeds: int
    evaluations: int
    validation_error: float
    quartiles: tuple[float, float]
    test_error: float
    regret: float
    rank: float
    speedup: float | None


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
        "never there" if row.speedup is None else f"{row.speedup:.1f}x",
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


def summary(folder: Path) -> list[Row]:
    """The table of a comparison, the best mean rank first."""
    trajectories = read_trajectories(folder)
    grid = time_grid(trajectories)
    final = {name: np.array([run.validation_error[-1] for run in runs]) for name, runs in trajectories.items()}
    least = min(float(errors.min()) for errors in final.values())
    ranks = _ranks(final)
    medians = {name: band(runs, grid)[1] for name, runs in trajectories.items()}
    rows = []
    for name, runs in trajectories.items():
        lower, median, upper = np.quantile(final[name], [0.25, 0.5, 0.75])
        rows.append(
            Row(
                name,
                len(runs),
                sum(run.evaluations for run in runs),
                float(median),
                (float(lower), float(upper)),
                float(np.median([run.test_error[-1] for run in runs])),
                float(median) - least,
                ranks[name],
                _speedup(medians, name, grid),
            )
        )
    return sorted(rows, key=lambda row: row.rank)


def _ranks(final: Mapping[str, FloatArray]) -> dict[str, float]:
    from scipy.stats import rankdata

    shared = min(len(errors) for errors in final.values())
    ranks = rankdata(np.stack([errors[:shared] for errors in final.values()]), axis=0)
    return dict(zip(final, ranks.mean(axis=1).tolist(), strict=True))


def _speedup(medians: Mapping[str, FloatArray], name: str, grid: FloatArray) -> float | None:
    if YARDSTICK not in medians:
        return None
    goal = medians[YARDSTICK][-1]
    there = [grid[np.argmax(medians[n] <= goal)] if (medians[n] <= goal).any() else None for n in (YARDSTICK, name)]
    return None if there[0] is None or there[1] is None else float(there[0] / there[1])
