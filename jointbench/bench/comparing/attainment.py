"""Attainment surfaces: what fronts of several runs attain together (Fonseca and Fleming 1996)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jointbench.data.arrays import FloatArray


@dataclass(frozen=True)
class Surfaces:
    """Of two objectives, as what is minimised: at values of the second the lowest first that the best run attains with
    no more of the second, that at least half of the runs attain, and that all do; infinite where it is nothing."""

    best: FloatArray
    median: FloatArray
    worst: FloatArray


def attainment(fronts: Sequence[FloatArray], across: FloatArray) -> Surfaces:
    """Of the fronts of runs, losses (n, 2) each, at values (m,) of the second; a point that is NaN attains nothing."""
    ordered = np.sort([_attained(front, across) for front in fronts], axis=0)
    return Surfaces(ordered[0], ordered[(len(ordered) - 1) // 2], ordered[-1])


def _attained(front: FloatArray, across: FloatArray) -> FloatArray:
    """The lowest first objective of a front among its points whose second is at most each of `across`."""
    allowed = front[:, 1][:, None] <= across
    first = np.nan_to_num(front[:, 0], nan=np.inf)[:, None]
    return np.asarray(np.where(allowed, first, np.inf).min(axis=0, initial=np.inf))
