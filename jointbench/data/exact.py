"""Elementary functions whose bits are the same on every machine, for a float and for a float64 array alike.

The C library's `exp` and `log` and NumPy's differ in the last bit between processors and systems. These use
nothing but IEEE additions, multiplications, divisions, square roots and shifts of the exponent, in one order, so
neither a drawn configuration nor a benchmark's answers depend on where, or in how large a batch, they are asked for.
"""

import math
from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Any

import numpy as np

_LOG2_E = 1.4426950408889634
#: log 2 in two parts: the first has so few digits that a whole multiple of it is exact.
_LOG_2_HIGH, _LOG_2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
#: Adding and subtracting this rounds to a whole number.
_ROUNDING = 1.5 * 2.0**52
_EXP = tuple(1 / math.factorial(k) for k in range(12, -1, -1))
_LOG = tuple(1 / k for k in range(19, 0, -2))

#: Beyond these exp would overflow or lose digits.
_LARGEST_EXPONENT = 700.0

# Wichura, Algorithm AS 241 (1988), PPND7: highest power first, denominators end in 1.
_CENTRE = (
    (5.9109374720e1, 1.5929113202e2, 5.0434271938e1, 3.3871327179),
    (6.7187563600e1, 7.8757757664e1, 1.7895169469e1, 1.0),
)
_TAIL = (1.7023821103e-1, 1.3067284816, 2.7568153900, 1.4234372777), (1.2021132975e-1, 7.3700164250e-1, 1.0)
_FAR_TAIL = (1.7337203997e-2, 4.2868294337e-1, 3.0812263860, 6.6579051150), (1.2258202635e-2, 2.4197894225e-1, 1.0)


#: The normal distribution's tail beyond x, times e^(x^2 / 2), in (x - 5) / (x + 5) for x from 0 to 38: interpolated at
#: Chebyshev's points, to 2e-16.
_NORMAL_TAIL = (
    *(1.5399930151696527e-09, 4.0656414115531345e-09, -1.1287627240952625e-08, -3.7206720631763256e-08),
    *(7.7916642385308016e-08, 2.4203718335009075e-07, -6.7577116575122978e-07, -1.2695470608729743e-06),
    *(6.6447337691072268e-06, 9.6117335493218063e-07, -6.0427564286748177e-05, 0.00013427686388700573),
    *(0.00021955074983773259, -0.0023788443585535807, 0.0089913705496111988, -0.023413900487602307),
    *(0.047855352284205191, -0.080883877264129239, 0.11606881188600293, -0.14345755526401197, 0.076919304975006292),
)
_FARTHEST = 38.0

#: How far from a half a share is central.
CENTRAL = 0.425


def where(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`."""
    return (yes if condition else no) if isinstance(condition, (bool, np.bool_)) else np.where(condition, yes, no)


def clip(x: Any, low: float, high: float) -> Any:
    return min(max(x, low), high) if isinstance(x, (float, int)) else np.minimum(np.maximum(x, low), high)


def sqrt(x: Any) -> Any:
    return math.sqrt(x) if isinstance(x, float) else np.sqrt(x)


def total(terms: Iterable[Any]) -> Any:
    """The sum from left to right; Python's own `sum` rounds floats in another way since 3.12."""
    return reduce(add, terms)


def ceil(x: Any) -> Any:
    """The smallest whole number that is not below x, as a float."""
    return float(math.ceil(x)) if isinstance(x, float) else np.ceil(x)


def rint(x: Any) -> Any:
    """The nearest whole number, as a float; |x| below 2^51."""
    return (x + _ROUNDING) - _ROUNDING


def exp(x: Any) -> Any:
    """e^x to 1e-15 (relative), for x within 700 of 0 and as if it were there beyond."""
    if isinstance(x, (float, int)):
        return _exp_of_number(x)
    x = clip(x, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    power = rint(x * _LOG2_E)
    fraction = _polynomial(_EXP, (x - power * _LOG_2_HIGH) - power * _LOG_2_LOW)
    return np.ldexp(fraction, power.astype(np.int64))


def _exp_of_number(x: float) -> float:
    """The same steps without a call or a loop: seven of them are a tenth of a query."""
    x = min(max(x, -_LARGEST_EXPONENT), _LARGEST_EXPONENT)
    power = (x * _LOG2_E + _ROUNDING) - _ROUNDING
    z = (x - power * _LOG_2_HIGH) - power * _LOG_2_LOW
    a, b, c, d, e, f, g, h, i, j, k, m, n = _EXP
    fraction = (
        ((((((((((a * z + b) * z + c) * z + d) * z + e) * z + f) * z + g) * z + h) * z + i) * z + j) * z + k) * z + m
    ) * z + n
    return math.ldexp(fraction, int(power))


def log(x: Any) -> Any:
    """The natural logarithm to 1e-15 (absolute near 1), for positive x."""
    mantissa, power = math.frexp(x) if isinstance(x, float) else np.frexp(x)
    small = mantissa < 0.7071067811865476
    mantissa, shift = where(small, mantissa * 2, mantissa), power - small * 1.0
    ratio = (mantissa - 1) / (mantissa + 1)
    return shift * _LOG_2_HIGH + (shift * _LOG_2_LOW + 2 * ratio * _polynomial(_LOG, ratio * ratio))


def logistic(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return 1 / (1 + exp(-x))


def normal_cdf(x: Any) -> Any:
    """The share of standard normal numbers that lies below x, to 1e-13 (relative) where x is above -38."""
    size = clip(abs(x), 0.0, _FARTHEST)
    tail = exp(-0.5 * size * size) * _polynomial(_NORMAL_TAIL, (size - 5) / (size + 5))
    return where(x > 0, 1 - tail, tail)


def normal_quantile(uniform: Any) -> Any:
    """The standard normal number below which a share `uniform`, inside (0, 1), lies; to 1e-7."""
    offset = uniform - 0.5
    if isinstance(uniform, float):
        return central_quantile(offset) if abs(offset) <= CENTRAL else outer_quantile(uniform)
    return np.where(np.abs(offset) <= CENTRAL, central_quantile(offset), outer_quantile(uniform))


def central_quantile(offset: Any) -> Any:
    """`normal_quantile` of a share that is `offset` above a half, at most `CENTRAL` away from it."""
    return offset * _ratio(_CENTRE, 0.180625 - offset * offset)


def outer_quantile(uniform: Any) -> Any:
    """`normal_quantile` of a share farther away from a half."""
    offset = uniform - 0.5
    left = offset < 0
    distance = sqrt(-log(where(left, uniform, 1 - uniform)))
    size = where(distance <= 5, _ratio(_TAIL, distance - 1.6), _ratio(_FAR_TAIL, distance - 5))
    return where(left, -size, size)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Any) -> Any:
    return _polynomial(coefficients[0], x) / _polynomial(coefficients[1], x)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    """Horner's scheme, highest power first."""
    total = coefficients[0] * x + coefficients[1]
    for coefficient in coefficients[2:]:
        # Of arrays in place.
        total *= x
        total += coefficient
    return total
