"""How much sooner an optimizer gets to where random search ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.bench.comparing.statistics import Interval, bootstrap
from jointbench.bench.comparing.trajectories import Trajectory, change_times
from jointbench.data.arrays import FloatArray

#: Seconds; what takes no time at all is not infinitely quick.
SHORTEST = 1e-6


@dataclass(frozen=True)
class Speedup:
    """`factor`: the time from which random search's median over seeds stays as good as its final one, by the objective,
    over the time from which the optimizer's median stays as good as that; 0 where that never comes.

    `interval`: 95 %, from resampled seeds of both; None where one has a single seed.
    """

    factor: float
    interval: Interval | None

    def __str__(self) -> str:
        if self.interval is None or self.interval[1] == 0:
            return _times(self.factor)
        low, high = self.interval
        return f"{_times(self.factor)} ({_times(low)} to {_times(high)})"


def _times(factor: float) -> str:
    return f"{factor:.1f}x" if factor else "never"


def speedup(yardstick: Sequence[Trajectory], runs: Sequence[Trajectory]) -> Speedup:
    """Of `runs` over `yardstick`, random search's."""
    grid = change_times([*yardstick, *runs])
    slow, fast = (
        np.nan_to_num(np.stack([run.objective.losses(run.at(grid)) for run in some]), nan=np.inf)
        for some in (yardstick, runs)
    )
    itself = yardstick is runs

    def factors(samples: Sequence[npt.NDArray[np.intp]]) -> FloatArray:
        reference = _medians(slow[samples[0]])
        goal = reference[:, -1:]
        median = reference if itself else _medians(fast[samples[1]])
        return _stays(reference, goal, grid) / _stays(median, goal, grid)

    return Speedup(
        float(factors([np.arange(len(slow))[None], np.arange(len(fast))[None]])[0]),
        bootstrap(factors, [len(slow), len(fast)]),
    )


def _medians(losses: FloatArray) -> FloatArray:
    """Over seeds, (n, times) of (n, seeds, times), which are sorted for it: in this shape that takes a quarter of the
    time of NumPy's own median."""
    losses.sort(axis=1)
    seeds = losses.shape[1]
    return np.asarray((losses[:, (seeds - 1) // 2] + losses[:, seeds // 2]) / 2)


def _stays(medians: FloatArray, goal: FloatArray, grid: FloatArray) -> FloatArray:
    """The times (n,) from which medians (n, times) stay at or below goals (n, 1); infinite where they end above."""
    above = medians > goal
    last = np.where(above.any(axis=1), above.shape[1] - np.argmax(above[:, ::-1], axis=1), 0)
    return np.append(np.maximum(grid, SHORTEST), np.inf)[last]
