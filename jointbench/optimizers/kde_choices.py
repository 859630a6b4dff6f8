"""BOHB's density model where some hyperparameters are choices without an order, as in HpBandSter 0.7.4.

A choice has Aitchison and Aitken's kernel: 1 - h for the same one, h shared by all others.
"""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from jointbench.data.arrays import FloatArray
from jointbench.optimizers.kde import MIN_BANDWIDTH, KernelDensity
from jointbench.optimizers.kde_bounds import ALL, Bounds, Rows, counted

#: Above what rounding does to a logarithm of a density.
_ROUNDING = 1e-9


class ChoiceDensity(KernelDensity):
    """Around `points` (n, d); `places`: of each dimension the places of its choices in the unit interval (k,), which
    are the only ones that a point has there, and none (0,) of a number."""

    def __init__(self, points: FloatArray, places: Sequence[FloatArray]) -> None:
        super().__init__(points)
        counts = np.array([len(each) for each in places])
        self._places = places
        self._numbers, self._chosen = np.flatnonzero(counts == 0), np.flatnonzero(counts)
        # Of the numbers 0, 1, ..., as statsmodels sees them; above the share of a uniform draw it would favour others.
        counts = counts[self._chosen]
        widths = np.clip(self.bandwidths[self._chosen] * counts, MIN_BANDWIDTH, 1 - 1 / counts)
        self.bandwidths[self._chosen] = widths
        self._same, self._other = np.log(1 - widths), np.log(widths / (counts - 1))
        scale = len(self._numbers) / 2 * np.log(2 * np.pi) + np.log(self.bandwidths[self._numbers]).sum()
        self._log_scale = scale + np.log(len(points))

    def log_density(self, at: FloatArray) -> FloatArray:
        numbers, widths = self._numbers, self.bandwidths[self._numbers]
        terms: FloatArray = np.zeros((len(at), len(self.points)))  # (m, n)
        if len(numbers):
            terms -= 0.5 * cdist(at[:, numbers] / widths, self.points[:, numbers] / widths, "sqeuclidean")
        for place, same, other in zip(self._chosen.tolist(), self._same, self._other, strict=True):
            terms += np.where(at[:, place, None] == self.points[:, place], same, other)
        largest = terms.max(axis=1, keepdims=True)
        logs: FloatArray = np.log(np.exp(terms - largest).sum(axis=1)) + largest[:, 0] - self._log_scale
        return logs

    def bounds(self, at: FloatArray) -> Bounds:
        return _ChoiceBounds(counted(self.log_density(at)))

    def scatter(self, rng: np.random.Generator, count: int) -> FloatArray:
        """As of numbers; a choice stays with probability 1 - h, and is otherwise any."""
        centres, moved = self._scattered(rng, count)
        for place in self._chosen.tolist():
            choices = self._places[place]
            drawn = choices[rng.integers(len(choices), size=count)]
            stays = rng.random(count) < 1 - self.bandwidths[place]
            moved[:, place] = np.where(stays, centres[:, place], drawn)
        return moved


class _ChoiceBounds:
    """The logarithms (m,) themselves, as far apart as one and the same in another batch may be."""

    def __init__(self, logs: FloatArray) -> None:
        self._logs = logs

    def between(self, rows: Rows = ALL) -> tuple[FloatArray, FloatArray]:
        return self._logs[rows] - _ROUNDING, self._logs[rows] + _ROUNDING

    def floor(self) -> FloatArray:
        return self._logs - _ROUNDING
