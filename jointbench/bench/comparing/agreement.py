"""How far two comparisons agree: on the order of the optimizers at the end and over time, and on each trajectory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jointbench.bench.comparing.trajectories import Runs, Trajectory, band, time_grid
from jointbench.data.arrays import FloatArray


def rank_correlation(kind: Any, first: FloatArray, second: FloatArray) -> float:
    """scipy's `kind` (spearmanr, kendalltau) of two samples (n,); NaN where one is constant or too short."""
    if len(np.unique(first)) < 2 or len(np.unique(second)) < 2:
        return float("nan")
    return float(kind(first, second).statistic)


def final_medians(runs: Runs) -> FloatArray:
    """The median final objective of each optimizer, (optimizers,)."""
    return np.array([np.median([run.values[-1] for run in several]) for several in runs.values()])


def common_grid(first: Runs, second: Runs) -> FloatArray:
    """Logarithmic times (seconds) at which both comparisons have something; empty if there are none."""
    grids = time_grid(first), time_grid(second)
    low, high = max(grid[0] for grid in grids), min(grid[-1] for grid in grids)
    return np.geomspace(low, high, len(grids[0])) if low < high else np.empty(0)


def order_agreement(first: Runs, second: Runs, grid: FloatArray) -> float:
    """Kendall's tau of the optimizers' median errors, 1 for the same order and -1 for the reverse, mean over the times.

    Times at which an optimizer has no median yet, or all medians of a comparison are equal, do not count; NaN where
    none is left. Both comparisons have the same optimizers, in the same order.
    """
    from scipy.stats import kendalltau

    medians = [np.stack([band(several, grid)[1] for several in runs.values()]) for runs in (first, second)]
    taus = [
        rank_correlation(kendalltau, medians[0][:, i], medians[1][:, i])
        for i in range(len(grid))
        if not np.isnan([median[:, i] for median in medians]).any()
    ]
    known = [tau for tau in taus if not np.isnan(tau)]
    return float(np.mean(known)) if known else float("nan")


def trajectory_correlation(first: Sequence[Trajectory], second: Sequence[Trajectory], grid: FloatArray) -> float:
    """Spearman's rank correlation of an optimizer's two median trajectories over a grid; NaN where one is constant."""
    from scipy.stats import spearmanr

    medians = np.stack([band(runs, grid)[1] for runs in (first, second)])
    medians = medians[:, ~np.isnan(medians).any(axis=0)]
    return rank_correlation(spearmanr, *medians)
