"""Arithmetic of small networks whose bits are the same on every machine, at the speed of any linear algebra.

A Markov chain of thousands of steps blows the last bit of a product up. Factors that are multiples of a power of two
have products whose sums are exact in float64, in whatever order and with whatever instructions they are added, as long
as they stay below 2^53 of their smallest unit.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import exp, normal_quantile

#: Weights, inputs and activations are multiples of this: 2^5 and more of them, each below 2^5, have exact products.
UNIT = 2.0**-18
#: Weights and inputs stay within this.
MOST = 31.0
#: Bits that a gradient keeps, of its largest entry.
KEPT = 22
#: The hyperbolic tangent is read from a table up to here, with so many entries in one.
FARTHEST, EACH = 9, 1024
#: Adding and subtracting this rounds to whole numbers.
ROUNDING = 1.5 * 2.0**52
_SIZES = 16


def on_grid(values: FloatArray) -> FloatArray:
    """The nearest multiples of `UNIT`, within `MOST`."""
    rounded = np.minimum(np.maximum(values, -MOST), MOST)
    rounded += ROUNDING * UNIT
    rounded -= ROUNDING * UNIT
    return rounded


def to_kept_bits(values: FloatArray) -> FloatArray:
    """Rounded to a unit of 2^-22 of the largest; all of the array share it."""
    largest = np.abs(values).max(initial=0.0)
    rounding = ROUNDING * 2.0 ** float(int(np.frexp(largest)[1]) - KEPT)
    return np.asarray((values + rounding) - rounding)


def tanh(values: FloatArray) -> FloatArray:
    """The hyperbolic tangent on the grid, to 1e-6, by straight lines between the entries of a table."""
    table, slopes = tanh_table()
    places = np.minimum(np.maximum(values, -FARTHEST), FARTHEST)
    places += FARTHEST
    places *= EACH
    whole = places.astype(np.int32)
    places -= whole
    places *= slopes.take(whole)
    places += table.take(whole)
    places += ROUNDING * UNIT
    places -= ROUNDING * UNIT
    return places


@cache
def tanh_table() -> tuple[FloatArray, FloatArray]:
    at = np.arange(-FARTHEST * EACH, FARTHEST * EACH + 1) / EACH
    small = exp(-2 * np.abs(at))
    table = np.sign(at) * (1 - small) / (1 + small)
    return table, np.append(np.diff(table), 0.0)


def normals(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal numbers with 16 bits, up to 4.3 from 0: quantiles at the middles of equal shares."""
    drawn: npt.NDArray[np.uint16] = rng.integers(0, 2**_SIZES, size=shape, dtype=np.uint16)
    return _quantiles().take(drawn)


@cache
def _quantiles() -> FloatArray:
    found: FloatArray = normal_quantile((np.arange(2**_SIZES) + 0.5) / 2**_SIZES)
    return found
