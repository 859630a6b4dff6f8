"""What a comparison found: the incumbent's error over time, run by run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.run_table import run_labels
from jointbench.bench.comparing.statistics import mean_ranks
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError

#: Points in time at which trajectories are drawn.
GRID_POINTS = 200


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

    def at(self, grid: FloatArray, *, test: bool = False) -> FloatArray:
        """The incumbent's validation (or test) error at each time of the grid; NaN before the first evaluation ended.

        Where several evaluations end at one time, the error is that after the last of them.
        """
        last = np.searchsorted(self.seconds, grid, side="right") - 1
        errors = self.test_error if test else self.validation_error
        return np.where(last < 0, np.nan, errors[np.maximum(last, 0)])


#: Optimizer to its runs.
Runs = Mapping[str, Sequence[Trajectory]]


def read_trajectories(folder: Path) -> dict[str, list[Trajectory]]:
    """All runs of a comparison by optimizer, in the order of their names.

    Raises LogError when there are none, or one that cannot be read.
    """
    Settings.read(folder)
    found: dict[str, list[Trajectory]] = {}
    runs = run_files(folder)
    called = run_labels(folder)
    for optimizer, seed, path in runs:
        try:
            with open(path, "rb") as file:
                table = pq.read_table(file, columns=["end", "incumbent_validation_error", "incumbent_test_error"])
        except (pa.ArrowException, OSError) as error:
            raise LogError("run", str(path), f"readable Parquet ({type(error).__name__})") from None
        columns = [column.to_numpy() for column in table.columns]
        found.setdefault(called[optimizer], []).append(Trajectory(called[optimizer], seed, *columns))
    if not found:
        raise LogError("comparison", str(folder), "a folder with finished runs")
    return found


def time_grid(runs: Runs, until: float | None = None) -> FloatArray:
    """Logarithmic, from the first end of any evaluation that took time to the last, or to the time that runs had."""
    ends = np.concatenate([run.seconds for several in runs.values() for run in several])
    ends = ends[ends > 0]
    if not len(ends):
        return np.array([1.0])
    return np.geomspace(ends.min(), max(ends.max(), until or 0.0), GRID_POINTS)


def change_times(runs: Iterable[Trajectory]) -> FloatArray:
    """The times at which the validation error of any of the incumbents begins or changes, ascending."""
    changes = [run.seconds[np.append(True, np.diff(run.validation_error) != 0)] for run in runs]
    return np.unique(np.concatenate(changes))


def band(
    runs: Sequence[Trajectory], grid: FloatArray, *, test: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lower quartile, median and upper quartile over runs at each time; NaN until all runs have begun to answer."""
    values = np.stack([run.at(grid, test=test) for run in runs])
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return lower, median, upper


def final_errors(runs: Runs) -> dict[str, dict[int, float]]:
    """Optimizer to seed to the incumbent's validation error at the end."""
    return {name: {run.seed: float(run.validation_error[-1]) for run in several} for name, several in runs.items()}


def lowest_error(runs: Runs) -> float:
    """The lowest true validation error that any incumbent ever had: where regret is 0."""
    return min(float(run.validation_error.min()) for several in runs.values() for run in several)


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
    errors = np.stack([[run.at(grid) for run in several if run.seed in shared] for several in runs.values()])
    return dict(zip(runs, mean_ranks(np.nan_to_num(errors, nan=np.inf)), strict=True))
