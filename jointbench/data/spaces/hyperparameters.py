"""One hyperparameter of a space: its range and its encoding in the unit interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import ConfigurationError
from jointbench.data.exact import exp, log
from jointbench.data.numbers import plain_number


@dataclass(frozen=True)
class Hyperparameter:
    """A bounded number, both bounds included; `log` scales are uniform in the logarithm.

    The unit encoding puts integers at the centre of their bin (1..5 become .1 .3 .5 .7 .9), so that a uniform
    number on [0, 1] gives every integer its full share. On a log scale the share of k is that of the line from
    log(k - 0.5) to log(k + 0.5): of 1..16 the 1 has 31.4 %.
    """

    name: str
    low: float
    high: float
    log: bool = False
    integer: bool = False

    @cached_property
    def _span(self) -> tuple[float, float]:
        low, high = (self.low - 0.5, self.high + 0.5) if self.integer else (self.low, self.high)
        return (log(low), log(high)) if self.log else (low, high)

    @cached_property
    def _least(self) -> float | int:
        return int(self.low) if self.integer else float(self.low)

    @cached_property
    def _most(self) -> float | int:
        return int(self.high) if self.integer else float(self.high)

    @property
    def range(self) -> str:
        """The range in words, as error messages and `describe` show it."""
        kind = "an integer" if self.integer else "a number"
        return f"{kind} in [{self.low:g}, {self.high:g}]"

    def check(self, value: object) -> float | int:
        """The value, any real number, as a plain int or float.

        Raises ConfigurationError when it is none, as truth values are none, or not in the range.
        """
        try:
            number = plain_number(value)
        except (TypeError, OverflowError):
            raise ConfigurationError(self.name, value, self.range) from None
        if not self.low <= number <= self.high or (self.integer and number != int(number)):
            raise ConfigurationError(self.name, value, self.range)
        return int(number) if self.integer else float(number)

    def encode(self, values: npt.ArrayLike) -> FloatArray:
        """Values to [0, 1], any shape."""
        raw = np.asarray(values, dtype=np.float64)
        low, high = self._span
        return ((np.log(raw) if self.log else raw) - low) / (high - low)

    def decode(self, unit: float) -> float | int:
        """A number of [0, 1] to a legal value, the same bits on every machine: a benchmark's noise hangs on them."""
        low, high = self._span
        raw = low + unit * (high - low)
        if self.log:
            raw = exp(raw)
        value = round(raw) if self.integer else raw
        # The ends may be missed by a rounding error, and those of an integer's bins are half a step outside.
        return self._least if value < self._least else self._most if value > self._most else value

    def decode_all(self, units: FloatArray) -> FloatArray:
        """As `decode`, bit for bit, for an array; integers as whole floats."""
        low, high = self._span
        raw = low + units * (high - low)
        raw = exp(raw) if self.log else raw
        return np.clip(np.rint(raw) if self.integer else raw, self.low, self.high)
