"""Functional analysis of variance over trees, exact: which share of a tree's variance is due to what it splits on.

Hutter, Hoos and Leyton-Brown, *An Efficient Approach for Assessing Hyperparameter Importance*, 2014. A tree is constant
on each leaf's box in the unit cube, so its marginal over all but one or two dimensions is constant on the cells of a
grid, and every variance is a finite sum. All marginals of a tree are one product of matrices here, which is why all
pairs take about as long as one of them does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray

#: Variances below this are rounding errors of a tree that is constant.
_NOTHING = 1e-14


@dataclass(frozen=True)
class BoxTree:
    """A tree as the boxes of its leaves: `low` and `high` (leaves, dimensions) in the unit cube, `value` (leaves,)."""

    low: FloatArray
    high: FloatArray
    value: FloatArray

    @cached_property
    def sides(self) -> FloatArray:
        return self.high - self.low

    @cached_property
    def volume(self) -> FloatArray:
        """Of each leaf, (leaves,); together 1."""
        return np.asarray(self.sides.prod(axis=1))

    @cached_property
    def mean(self) -> float:
        return float(self.volume @ self.value)

    @cached_property
    def variance(self) -> float:
        return float(self.volume @ (self.value - self.mean) ** 2)

    def inside(self, dimension: int, points: FloatArray) -> FloatArray:
        """One over the side of each leaf that a point lies in, 0 elsewhere, (leaves, points)."""
        low, high = self.low[:, dimension, None], self.high[:, dimension, None]
        # The last point of the interval belongs to the last leaves.
        within = (points >= low) & ((points < high) | ((high == 1.0) & (points == 1.0)))
        return np.asarray(within / self.sides[:, dimension, None])

    def marginal(self, dimension: int, points: FloatArray) -> FloatArray:
        """The mean over all other dimensions at points (n,) of one."""
        return np.asarray((self.volume * self.value) @ self.inside(dimension, points))

    def marginal_of_two(self, first: int, second: int, a: FloatArray, b: FloatArray) -> FloatArray:
        """The mean over all others at points (n,) and (m,) of two dimensions, (n, m)."""
        weighted = self.inside(first, a) * (self.volume * self.value)[:, None]
        return np.asarray(weighted.T @ self.inside(second, b))

    def importances(self) -> tuple[FloatArray, FloatArray]:
        """Shares of the variance: of each dimension alone (d,), and of each pair beyond what its two have alone (d, d),
        symmetric with zeros on the diagonal. NaN of a tree that is constant."""
        dimensions = self.low.shape[1]
        if self.variance <= _NOTHING:
            return np.full(dimensions, np.nan), np.full((dimensions, dimensions), np.nan)
        first, width, cells, weight = self._grid
        alone = np.add.reduceat(width * (weight @ cells) ** 2, first)
        both = np.square(cells.T @ (cells * weight[:, None])) * width * width[:, None]
        together = np.add.reduceat(np.add.reduceat(both, first, axis=0), first, axis=1)
        pairs = np.maximum(together - alone - alone[:, None], 0.0)
        np.fill_diagonal(pairs, 0.0)
        return alone / self.variance, pairs / self.variance

    def alone(self) -> FloatArray:
        """As `importances`, without pairs, which take most of the time."""
        if self.variance <= _NOTHING:
            return np.full(self.low.shape[1], np.nan)
        first, width, cells, weight = self._grid
        return np.asarray(np.add.reduceat(width * (weight @ cells) ** 2, first) / self.variance)

    @property
    def _grid(self) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray, FloatArray]:
        """The cells of all dimensions side by side: where each dimension's begin (d,), their widths (cells,), which
        leaves they lie in as `inside` says it (leaves, cells), and each leaf's part of the mean (leaves,)."""
        edges = [np.unique(np.concatenate([self.low[:, d], self.high[:, d]])) for d in range(self.low.shape[1])]
        width = np.concatenate([np.diff(cuts) for cuts in edges])
        cells = np.concatenate([self.inside(d, cuts[:-1]) for d, cuts in enumerate(edges)], axis=1)
        first = np.cumsum([0, *(len(cuts) - 1 for cuts in edges[:-1])])
        return first, width, cells, self.volume * (self.value - self.mean)


def boxes(
    left: npt.NDArray[np.intp],
    right: npt.NDArray[np.intp],
    feature: npt.NDArray[np.intp],
    threshold: FloatArray,
    value: FloatArray,
    dimensions: int,
) -> BoxTree:
    """The leaves of a tree given by its nodes (n,), children behind their parents: what is at most `threshold` goes to
    `left`, and a leaf's `left` is -1. Thresholds are places in the unit interval."""
    low, high = np.zeros((len(left), dimensions)), np.ones((len(left), dimensions))
    for node in range(len(left)):
        if left[node] < 0:
            continue
        for child in (left[node], right[node]):
            low[child], high[child] = low[node], high[node]
        high[left[node], feature[node]] = threshold[node]
        low[right[node], feature[node]] = threshold[node]
    leaf = left < 0
    # A split beyond the cube leaves a box without volume.
    leaf &= (high > low).all(axis=1)
    return BoxTree(low[leaf], high[leaf], value[leaf])


@dataclass(frozen=True)
class Importances:
    """Of each tree of a forest: `alone` (trees, d) and `pairs` (trees, d, d), shares of its variance; trees that are
    constant are left out."""

    alone: FloatArray
    pairs: FloatArray

    @classmethod
    def of(cls, trees: Sequence[BoxTree]) -> "Importances":
        from threadpoolctl import threadpool_limits

        # Matrices this small are multiplied before other threads have woken up.
        with threadpool_limits(1):
            found = [tree.importances() for tree in trees]
        alone, pairs = (np.array(part) for part in zip(*found, strict=True))
        varying = np.isfinite(alone).all(axis=1)
        return cls(alone[varying], pairs[varying])
