"""Pareto fronts as arrays of what is minimised: who is on one, and the hypervolume that it dominates."""

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import MissingExtraError
from jointbench.data.metrics import MOST, Metric

#: The share of a box that a front dominates, as a metric: what several objectives are compared by.
HYPERVOLUME = Metric("hypervolume", "fraction", maximize=True, bounds=(0.0, MOST), failure=0.0, format=".2%")


def non_dominated(losses: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of the points (n, objectives) no other is at least as good as in every objective and better in one; equal
    ones stand together."""
    if losses.shape[1] == 2:
        return _of_two(losses)
    better = (losses[:, None] <= losses).all(axis=2) & (losses[:, None] < losses).any(axis=2)
    return np.asarray(~better.any(axis=0))


def _of_two(losses: FloatArray) -> npt.NDArray[np.bool_]:
    """In the order of the first objective, then the second, a point stands whose second is below all before it."""
    order = np.lexsort((losses[:, 1], losses[:, 0]))
    first, second = losses[order].T
    lowest = np.minimum.accumulate(np.append(np.inf, second))[:-1]
    repeats = np.append(False, (first[1:] == first[:-1]) & (second[1:] == second[:-1]))
    stands = second < lowest
    # A repeat stands if what it repeats does.
    for place in np.flatnonzero(repeats):
        stands[place] = stands[place - 1]
    found = np.zeros(len(losses), dtype=bool)
    found[order] = stands
    return found


def hypervolume(losses: FloatArray, reference: FloatArray) -> float:
    """The volume of what points (n, objectives) dominate below a reference (objectives,); what is not below it in every
    objective adds nothing.

    Of two objectives the sum of rectangles (r_1 - f_1)(f_2' - f_2) in the order of the first, f_2' being the last lower
    one; of more moocore's. Raises MissingExtraError where that is not installed.
    """
    points = losses[(losses < reference).all(axis=1)]
    if losses.shape[1] == 1:
        return float((reference - points).max(initial=0.0))
    if losses.shape[1] > 2:
        return _of_more(points, reference)
    points = points[np.lexsort((points[:, 1], points[:, 0]))]
    lowest = np.minimum.accumulate(np.append(reference[1], points[:, 1]))
    return float(np.sum((reference[0] - points[:, 0]) * (lowest[:-1] - lowest[1:])))


def check_hypervolume() -> None:
    """Raises MissingExtraError where the hypervolume of more than two objectives cannot be computed."""
    _of_more(np.empty((0, 3)), np.ones(3))


def _of_more(points: FloatArray, reference: FloatArray) -> float:
    try:
        import moocore
    except ImportError:
        raise MissingExtraError("more than two objectives need moocore: install jointbench[fronts]") from None
    return float(moocore.hypervolume(points, ref=reference)) if len(points) else 0.0
