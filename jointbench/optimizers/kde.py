"""The density model of BOHB (Falkner et al. 2018, section 4.1; constants as in HpBandSter 0.7.4).

Points live in the unit cube of d hyperparameters; a batch is an array of shape (n, d).
"""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.special import ndtr, ndtri

from jointbench.data.space import FloatArray

TOP_PERCENT = 15
CANDIDATES = 64
#: Candidates are drawn this many times wider than the good density is, so that the search does not close in.
WIDENING = 3.0
MIN_BANDWIDTH = 1e-3
#: Below this a density counts as this, so that two candidates far from everything stay comparable.
LEAST_DENSITY = 1e-32
#: What is proposed is a multiple of this: processors differ in the last bits of the exponential and of the normal
#: distribution, and a run is to be the same on all of them.
GRID = 2.0**-20


class KernelDensity:
    """A sum of Gaussian products around `points` (n, d), without correction at the borders of the cube."""

    def __init__(self, points: FloatArray) -> None:
        count, dimensions = points.shape
        # The normal reference rule: 1.06 sd n^(-1/(4+d)), one bandwidth a dimension.
        rule = 1.06 * points.std(axis=0) * count ** (-1 / (4 + dimensions))
        self.points, self.bandwidths = points, np.maximum(rule, MIN_BANDWIDTH)
        self._scaled = points / self.bandwidths
        self._log_scale = dimensions / 2 * np.log(2 * np.pi) + np.log(self.bandwidths).sum() + np.log(count)

    def log_density(self, at: FloatArray) -> FloatArray:
        """Natural logarithms of the density at a batch (m, d), shape (m,)."""
        # In place: with a thousand points, fresh memory for each step takes longer than the arithmetic.
        terms: FloatArray = cdist(at / self.bandwidths, self._scaled, "sqeuclidean")  # (m, n)
        terms *= -0.5
        largest = terms.max(axis=1, keepdims=True)
        terms -= largest
        np.exp(terms, out=terms)
        logs: FloatArray = np.log(terms.sum(axis=1)) + largest[:, 0] - self._log_scale
        return logs

    def scatter(self, rng: np.random.Generator, count: int) -> FloatArray:
        """A batch (count, d): random points of this density, each moved by normals truncated to [0, 1]."""
        centres = self.points[rng.integers(len(self.points), size=count)]
        scale = WIDENING * self.bandwidths
        low, high = ndtr(-centres / scale), ndtr((1 - centres) / scale)
        moved: FloatArray = centres + scale * ndtri(low + rng.random(centres.shape) * (high - low))
        return np.clip(moved, 0.0, 1.0)


def points_needed(dimensions: int) -> int:
    """Points that each of the two densities takes at least."""
    return dimensions + 1


def split(losses: npt.ArrayLike, dimensions: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of the good and of the bad results; failures have an infinite loss.

    The best 15 % are good and 85 % of all, taken after them, are bad, but either at least `points_needed`; the bad
    may be fewer when the results do not suffice. Of equal losses the earlier result is the better one.
    """
    order = np.argsort(losses, kind="stable")
    good = max(points_needed(dimensions), TOP_PERCENT * len(order) // 100)
    bad = max(points_needed(dimensions), (100 - TOP_PERCENT) * len(order) // 100)
    return order[:good], order[good : good + bad]


class GoodAndBad:
    """Two densities, of good and of bad results; proposes where the ratio of good to bad is high."""

    def __init__(self, points: FloatArray, losses: npt.ArrayLike) -> None:
        good, bad = split(losses, points.shape[1])
        self.good, self.bad = KernelDensity(points[good]), KernelDensity(points[bad])

    def propose(self, rng: np.random.Generator) -> FloatArray:
        """One point (d,), on the grid: the best of 64 candidates scattered around the good results."""
        candidates = self.good.scatter(rng, CANDIDATES)
        floor = np.log(LEAST_DENSITY)
        good = np.maximum(self.good.log_density(candidates), floor)
        bad = np.maximum(self.bad.log_density(candidates), floor)
        best: FloatArray = np.rint(candidates[np.argmin(bad - good)] / GRID) * GRID
        return best
