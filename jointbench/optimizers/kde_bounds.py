"""Two numbers between which a density's logarithm lies, in a fraction of the time that it takes.

In single precision, with squared distances from a product of matrices: |a - b|^2 = |a|^2 - 2 a b + |b|^2. What is
allowed for rounding is a multiple of what it can do to that.
"""

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray

#: Below this a density counts as this, so that two candidates far from everything stay comparable.
LEAST_DENSITY = 1e-32
_LEAST = math.log(LEAST_DENSITY)
#: Sums of exponentials are taken times e^this in single precision, which ends at e^88 and begins at e^-87.
_SHIFT = 75.0
#: Below this a sum of exponentials in single precision may have lost its terms.
_LEAST_SUM = 1e-28
#: Of the terms of a density that it is first judged by: a quarter, but so many at least.
SHARE_OF_TERMS, FEWEST_TERMS = 4, 64
_EPSILON = float(np.finfo(np.float32).eps)
ALL = slice(None)

#: Some of a batch: a slice, or indices (k,).
Rows = slice | npt.NDArray[np.intp]


def counted(logs: FloatArray) -> FloatArray:
    """Logarithms of densities, as they count."""
    return np.maximum(logs, _LEAST)


class Bounds(Protocol):
    """Of the logarithms of one density at one batch (m, d), as they count."""

    def between(self, rows: Rows = ALL) -> tuple[FloatArray, FloatArray]:
        """At some of the batch what they are not below and what they are not above, (k,) each."""

    def floor(self) -> FloatArray:
        """What they are not below (m,), in less time and less near."""


class GaussianKernels:
    """Of a density around points that are `centred` (n, d) about its centre, with a bandwidth (d,) a dimension."""

    def __init__(self, centre: FloatArray, centred: FloatArray, bandwidths: FloatArray, log_scale: float) -> None:
        count, dimensions = centred.shape
        self.centre, self.inverse, self.log_scale = centre, 1 / bandwidths, log_scale
        # Rows of b, of ones and of -|b|^2 / 2: one product with (a, _SHIFT - |a|^2 / 2, 1) gives exponents.
        self.exponents = np.empty((dimensions + 2, count), np.float32)
        points = self.exponents[:dimensions]
        points[...] = centred.T
        self.ones = self.exponents[dimensions]
        self.ones[...] = 1.0
        near = (-0.5 * self.inverse * self.inverse).astype(np.float32) @ (points * points)
        self.exponents[dimensions + 1] = near
        self.furthest = -float(near.min())


class GaussianBounds:
    """From the kernels of a density at a batch (m, d)."""

    def __init__(self, kernels: GaussianKernels, at: FloatArray) -> None:
        count, dimensions = at.shape
        offsets = (at - kernels.centre) * kernels.inverse
        far = 0.5 * np.vecdot(offsets, offsets)
        self._kernels = kernels
        self._at = np.empty((count, dimensions + 2), np.float32)
        np.multiply(offsets, kernels.inverse, out=self._at[:, :dimensions], casting="same_kind")
        self._at[:, dimensions] = _SHIFT - far
        self._at[:, dimensions + 1] = 1.0
        self._error = _EPSILON * (dimensions + 16) * (2 * (float(far.max()) + kernels.furthest) + _SHIFT) + 1e-4

    def between(self, rows: Rows = ALL) -> tuple[FloatArray, FloatArray]:
        return self._of_first(self._kernels.exponents.shape[1], rows)

    def floor(self) -> FloatArray:
        terms = self._kernels.exponents.shape[1]
        return self._of_first(max(FEWEST_TERMS, terms // SHARE_OF_TERMS), ALL)[0]

    def _of_first(self, count: int, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Of the terms of so many points alone."""
        at, exponents = self._at[rows], self._kernels.exponents[:, :count]
        error = self._error + _EPSILON * count
        if not error < 1:
            return np.full(len(at), _LEAST), np.full(len(at), np.inf)
        terms = at @ exponents  # (k, count)
        np.exp(terms, out=terms)
        sums = (terms @ self._kernels.ones[:count]).astype(np.float64)
        logs = np.log(np.maximum(sums, _LEAST_SUM)) - (_SHIFT + self._kernels.log_scale)
        low = logs - error
        low[sums <= _LEAST_SUM] = -np.inf
        return counted(low), counted(logs + error)
