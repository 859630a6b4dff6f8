"""The density model of BOHB (Falkner et al. 2018, section 4.1; constants as in HpBandSter 0.7.4).

Points live in the unit cube of d hyperparameters; a batch is an array of shape (n, d).
"""

import math
from collections.abc import Callable
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.special import ndtr, ndtri

from jointbench.data.arrays import FloatArray
from jointbench.optimizers.kde_bounds import Bounds, GaussianBounds, GaussianKernels, counted

TOP_PERCENT = 15
CANDIDATES = 64
#: Candidates are drawn this many times wider than the good density is, so that the search does not close in.
WIDENING = 3.0
MIN_BANDWIDTH = 1e-3
#: What is proposed is a multiple of this: processors differ in the last bits of the exponential and of the normal
#: distribution, and a run is to be the same on all of them.
GRID = 2.0**-20


class KernelDensity:
    """A sum of Gaussian products around `points` (n, d), without correction at the borders of the cube."""

    def __init__(self, points: FloatArray) -> None:
        count, dimensions = points.shape
        # Products of matrices add a thousand rows in a tenth of the time of NumPy's mean and standard deviation.
        ones = np.ones(count)
        self._centre = ones @ points / count
        self._centred = points - self._centre
        deviations = np.sqrt(np.vecdot(self._centred.T, self._centred.T) / count)
        # The normal reference rule: 1.06 sd n^(-1/(4+d)), one bandwidth a dimension.
        rule = 1.06 * count ** (-1 / (4 + dimensions)) * deviations
        self.points, self.bandwidths = points, np.maximum(rule, MIN_BANDWIDTH)
        widths = sum(map(math.log, self.bandwidths.tolist()))
        self._log_scale = dimensions / 2 * math.log(2 * math.pi) + widths + math.log(count)

    def log_density(self, at: FloatArray) -> FloatArray:
        """Natural logarithms of the density at a batch (m, d), shape (m,)."""
        # In place: with a thousand points, fresh memory for each step takes longer than the arithmetic.
        terms: FloatArray = cdist(at / self.bandwidths, self.points / self.bandwidths, "sqeuclidean")  # (m, n)
        terms *= -0.5
        largest = terms.max(axis=1, keepdims=True)
        terms -= largest
        np.exp(terms, out=terms)
        logs: FloatArray = np.log(terms.sum(axis=1)) + largest[:, 0] - self._log_scale
        return logs

    def bounds(self, at: FloatArray) -> Bounds:
        """Of `counted(log_density)` at a batch (m, d), in a fraction of its time."""
        return GaussianBounds(self._kernels, at)

    @cached_property
    def _kernels(self) -> GaussianKernels:
        return GaussianKernels(self._centre, self._centred, self.bandwidths, self._log_scale)

    def scatter(self, rng: np.random.Generator, count: int) -> FloatArray:
        """A batch (count, d): random points of this density, each moved by normals truncated to [0, 1]."""
        return self._scattered(rng, count)[1]

    def _scattered(self, rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
        """The points, and where they were moved."""
        centres = self.points[rng.integers(len(self.points), size=count)]
        scale = WIDENING * self.bandwidths
        middle = centres / scale
        low, high = ndtr(-middle), ndtr(1 / scale - middle)
        moved: FloatArray = centres + scale * ndtri(low + rng.random(centres.shape) * (high - low))
        return centres, np.minimum(np.maximum(moved, 0.0, out=moved), 1.0, out=moved)


def points_needed(dimensions: int) -> int:
    """Points that each of the two densities takes at least."""
    return dimensions + 1


def split(losses: npt.ArrayLike, dimensions: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of the good and of the bad results; failures have an infinite loss.

    The best 15 % are good and 85 % of all, taken after them, are bad, but either at least `points_needed`; the bad
    may be fewer when the results do not suffice. Of equal losses the earlier result is the better one.
    """
    order = np.argsort(losses, kind="stable")
    good, both = _sizes(len(order), dimensions)
    return order[:good], order[good:both]


def _sizes(count: int, dimensions: int) -> tuple[int, int]:
    """Of so many ranked results: where the good ones end, and where the bad ones end that follow."""
    good = max(points_needed(dimensions), TOP_PERCENT * count // 100)
    bad = max(points_needed(dimensions), (100 - TOP_PERCENT) * count // 100)
    return good, good + bad


class GoodAndBad:
    """Two densities, of good and of bad results; proposes where the ratio of good to bad is high."""

    def __init__(self, points: FloatArray, losses: npt.ArrayLike) -> None:
        good, bad = split(losses, points.shape[1])
        self.good, self.bad = KernelDensity(points[good]), KernelDensity(points[bad])

    @classmethod
    def of_ranked(
        cls,
        points: FloatArray,
        density: Callable[[FloatArray], KernelDensity] = KernelDensity,
        *,
        before: Self | None = None,
        settled: int = 0,
    ) -> Self:
        """Of points (n, d) in the order of their losses, which are not copied.

        `before`: the densities of fewer points, whose good one stays where the first `settled` are as they were.
        """
        good, both = _sizes(*points.shape)
        made = cls.__new__(cls)
        stays = before is not None and len(before.good.points) == good <= settled
        made.good = before.good if before is not None and stays else density(points[:good])
        made.bad = density(points[good:both])
        return made

    def propose(self, rng: np.random.Generator) -> FloatArray:
        """One point (d,), on the grid: the best of 64 candidates scattered around the good results."""
        candidates = self.good.scatter(rng, CANDIDATES)
        best: FloatArray = np.rint(candidates[self._best(candidates)] / GRID) * GRID
        return best

    def _best(self, candidates: FloatArray) -> int:
        """The index of the candidate (m, d) with the least ratio of bad to good, the first of equal ones.

        Bounds leave one or two candidates, and the ratio is computed for these alone. A part of the terms of the bad
        density, of which there are most, leaves few candidates for its bounds.
        """
        good_low, good_high = self.good.bounds(candidates).between()
        bounds = self.bad.bounds(candidates)
        ratio_low = bounds.floor() - good_high
        probably = int(ratio_low.argmin())
        ratio_high = bounds.between(slice(probably, probably + 1))[1][0] - good_low[probably]
        left = (ratio_low <= ratio_high).nonzero()[0]
        if len(left) > 1:
            bad_low, bad_high = bounds.between(left)
            left = left[bad_low - good_high[left] <= (bad_high - good_low[left]).min()]
        if len(left) == 1:
            return int(left[0])
        good, bad = (counted(density.log_density(candidates[left])) for density in (self.good, self.bad))
        return int(left[np.argmin(bad - good)])
