"""The density model of BOHB (Falkner et al. 2018, section 4.1; constants as in HpBandSter 0.7.4).

Points live in the unit cube of d hyperparameters; a batch is an array of shape (n, d).
"""

from collections.abc import Callable
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.special import ndtr, ndtri

from jointbench.data.arrays import FloatArray

TOP_PERCENT = 15
CANDIDATES = 64
#: Candidates are drawn this many times wider than the good density is, so that the search does not close in.
WIDENING = 3.0
MIN_BANDWIDTH = 1e-3
#: Below this a density counts as this, so that two candidates far from everything stay comparable.
LEAST_DENSITY = 1e-32
#: Sums of exponentials are taken times e^this in single precision, which ends at e^88 and begins at e^-87.
_SHIFT = 75.0
#: Below this a sum of exponentials in single precision may have lost its terms.
_LEAST_SUM = 1e-28
#: Of the terms of a density that it is first judged by: a quarter, but so many at least.
SHARE_OF_TERMS, FEWEST_TERMS = 4, 64
_EPSILON = float(np.finfo(np.float32).eps)
#: What is proposed is a multiple of this: processors differ in the last bits of the exponential and of the normal
#: distribution, and a run is to be the same on all of them.
GRID = 2.0**-20


class KernelDensity:
    """A sum of Gaussian products around `points` (n, d), without correction at the borders of the cube."""

    def __init__(self, points: FloatArray) -> None:
        count, dimensions = points.shape
        # NumPy's mean and standard deviation, without their checks and without doing anything twice.
        self._centre = np.add.reduce(points, axis=0, keepdims=True) / count
        self._centred = points - self._centre
        self._squares = self._centred * self._centred
        deviations = np.sqrt(np.add.reduce(self._squares, axis=0) / count)
        # The normal reference rule: 1.06 sd n^(-1/(4+d)), one bandwidth a dimension.
        rule = 1.06 * deviations * count ** (-1 / (4 + dimensions))
        self.points, self.bandwidths = points, np.maximum(rule, MIN_BANDWIDTH)
        self._log_scale = dimensions / 2 * np.log(2 * np.pi) + np.log(self.bandwidths).sum() + np.log(count)

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

    def bounds(self, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Two numbers, (m,) each, between which `log_density` lies at a batch (m, d), in a fraction of its time."""
        return self._bounds(at, len(self.points))

    def floor(self, at: FloatArray) -> FloatArray:
        """Numbers (m,) that `log_density` is not below at a batch (m, d): its terms of the first points, of a part."""
        return self._bounds(at, max(FEWEST_TERMS, len(self.points) // SHARE_OF_TERMS))[0]

    def _bounds(self, at: FloatArray, first: int) -> tuple[FloatArray, FloatArray]:
        """Bounds of the logarithms of the terms of so many points.

        In single precision, with squared distances from a product of matrices: |a - b|^2 = |a|^2 - 2 a b + |b|^2.
        What is allowed for rounding is a multiple of what it can do to that.
        """
        inverse = 1 / self.bandwidths
        points, squares = self._centred[:first].astype(np.float32), inverse * inverse
        offsets = at - self._centre
        near, far = self._squares[:first] @ squares, (offsets * offsets) @ squares
        terms = (offsets * squares).astype(np.float32) @ points.T  # (m, first)
        terms -= (0.5 * near).astype(np.float32)
        terms += (_SHIFT - 0.5 * far).astype(np.float32)[:, None]
        np.exp(terms, out=terms)
        sums = terms.sum(axis=1).astype(np.float64)
        logs = np.log(np.maximum(sums, _LEAST_SUM)) - _SHIFT - self._log_scale
        error = _EPSILON * ((points.shape[1] + 16) * (far + near.max()) + 4 * _SHIFT) + 1e-4
        told = error < 1
        return np.where(told & (sums > _LEAST_SUM), logs - error, -np.inf), np.where(told, logs + error, np.inf)

    def scatter(self, rng: np.random.Generator, count: int) -> FloatArray:
        """A batch (count, d): random points of this density, each moved by normals truncated to [0, 1]."""
        return self._scattered(rng, count)[1]

    def _scattered(self, rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
        """The points, and where they were moved."""
        centres = self.points[rng.integers(len(self.points), size=count)]
        scale = WIDENING * self.bandwidths
        low, high = ndtr(-centres / scale), ndtr((1 - centres) / scale)
        moved: FloatArray = centres + scale * ndtri(low + rng.random(centres.shape) * (high - low))
        return centres, np.clip(moved, 0.0, 1.0)


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
    def of_ranked(cls, points: FloatArray, density: Callable[[FloatArray], KernelDensity] = KernelDensity) -> Self:
        """Of points (n, d) in the order of their losses, which are not copied."""
        good, both = _sizes(*points.shape)
        made = cls.__new__(cls)
        made.good, made.bad = density(points[:good]), density(points[good:both])
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
        least = np.log(LEAST_DENSITY)
        good_low, good_high = np.maximum(self.good.bounds(candidates), least)
        ratio_low = np.maximum(self.bad.floor(candidates), least) - good_high
        probably = ratio_low.argmin()
        ratio_high = max(self.bad.bounds(candidates[[probably]])[1][0], least) - good_low[probably]
        left = np.flatnonzero(ratio_low <= ratio_high)
        if len(left) > 1:
            bad_low, bad_high = np.maximum(self.bad.bounds(candidates[left]), least)
            left = left[bad_low - good_high[left] <= (bad_high - good_low[left]).min()]
        if len(left) == 1:
            return int(left[0])
        good, bad = (np.maximum(density.log_density(candidates[left]), least) for density in (self.good, self.bad))
        return int(left[np.argmin(bad - good)])
