"""One hyperparameter of a space: its values, their numbers, and its encoding in the unit interval.

Every value has a number, which is what arrays hold: a number itself, the place of a choice among its choices from 0,
NaN where the hyperparameter is inactive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import ConfigurationError, InputError
from jointbench.data.exact import exp, log
from jointbench.data.numbers import plain_number

#: Models see numbers in single precision, which ends at 3e38.
LARGEST = 1e37

#: What a configuration holds of one hyperparameter.
Value = float | int | str | bool


class Hyperparameter(ABC):
    """What is common to numbers and choices. `low` and `high` are the ends of its numbers, `integer` says whether they
    are whole ones, `log` whether they are encoded by their logarithms."""

    name: str
    low: float
    high: float
    log: bool
    integer: bool
    #: The value that a person starts from; None: the middle of the unit interval.
    default: Value | None
    #: How many there are, where neighbours among them mean nothing; 0 of all that has an order.
    unordered: int = 0

    @property
    @abstractmethod
    def range(self) -> str:
        """The range in words, as error messages and `describe` show it."""

    @abstractmethod
    def check(self, value: object) -> Any:
        """The value as Python's own. Raises ConfigurationError when it is none of the range."""

    @abstractmethod
    def number(self, value: Any) -> float | int:
        """The number of a value, whose range is not checked. Raises ConfigurationError for what has none."""

    @abstractmethod
    def value(self, number: float) -> Any:
        """The value of a number; its range is not checked."""

    @abstractmethod
    def encode(self, numbers: npt.ArrayLike) -> FloatArray:
        """Numbers to [0, 1], any shape; NaN stays NaN."""

    @abstractmethod
    def decode(self, unit: float) -> Any:
        """A number of [0, 1] to a legal value, the same bits on every machine: a benchmark's noise hangs on them."""

    @abstractmethod
    def decode_all(self, units: FloatArray) -> FloatArray:
        """As `decode`, bit for bit, for an array, to numbers."""

    @property
    def constant(self) -> bool:
        """Whether there is one value alone."""
        return self.low == self.high

    @property
    def usual(self) -> Any:
        """The default where there is one, else the middle of the unit interval."""
        return self.decode(0.5) if self.default is None else self.default


@dataclass(frozen=True)
class Number(Hyperparameter):
    """A bounded number, both bounds included; `log` scales are uniform in the logarithm.

    The unit encoding puts integers at the centre of their bin (1..5 become .1 .3 .5 .7 .9), so that a uniform
    number on [0, 1] gives every integer its full share. On a log scale the share of k is that of the line from
    log(k - 0.5) to log(k + 0.5): of 1..16 the 1 has 31.4 %. Raises InputError for ends that are none.
    """

    name: str
    low: float
    high: float
    log: bool = False
    integer: bool = False
    default: float | int | None = None

    def __post_init__(self) -> None:
        ends = (self.low, self.high)
        if not -np.inf < self.low <= self.high < np.inf or (self.low == self.high and not self.integer):
            raise InputError(self.name, ends, "a lower and an upper end, finite and apart")
        if max(-self.low, self.high) > LARGEST:
            raise InputError(self.name, ends, f"ends between {-LARGEST:g} and {LARGEST:g}")
        if self.log and self.low <= 0:
            raise InputError(self.name, ends, "ends above 0 on a log scale")
        if self.integer and (self.low != int(self.low) or self.high != int(self.high)):
            raise InputError(self.name, ends, "whole ends of an integer")
        if self.default is not None:
            self.check(self.default)

    @cached_property
    def span(self) -> tuple[float, float]:
        """Where [0, 1] begins and ends, on the scale that is encoded."""
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
        kind = "an integer" if self.integer else "a number"
        return f"{kind} in [{self.low:g}, {self.high:g}]"

    def check(self, value: object) -> float | int:
        """Any real number, as a plain int or float; truth values are none."""
        try:
            number = plain_number(value)
        except (TypeError, OverflowError):
            raise ConfigurationError(self.name, value, self.range) from None
        if not self.low <= number <= self.high or (self.integer and number != int(number)):
            raise ConfigurationError(self.name, value, self.range)
        return int(number) if self.integer else float(number)

    def number(self, value: Any) -> float | int:
        try:
            return plain_number(value)
        except (TypeError, OverflowError):
            raise ConfigurationError(self.name, value, "a number") from None

    def value(self, number: float) -> float | int:
        return int(number) if self.integer else float(number)

    def encode(self, numbers: npt.ArrayLike) -> FloatArray:
        raw = np.asarray(numbers, dtype=np.float64)
        low, high = self.span
        return ((np.log(raw) if self.log else raw) - low) / (high - low)

    def decode(self, unit: float) -> float | int:
        low, high = self.span
        raw = low + unit * (high - low)
        if self.log:
            raw = exp(raw)
        value = round(raw) if self.integer else raw
        # The ends may be missed by a rounding error, and those of an integer's bins are half a step outside.
        return self._least if value < self._least else self._most if value > self._most else value

    def decode_all(self, units: FloatArray) -> FloatArray:
        low, high = self.span
        raw = low + units * (high - low)
        raw = exp(raw) if self.log else raw
        return np.clip(np.rint(raw) if self.integer else raw, self.low, self.high)


@dataclass(frozen=True)
class Choice(Hyperparameter):
    """One of some texts, numbers or truth values; of one alone it is a constant.

    `ordered`: its neighbours in the list are neighbours (ConfigSpace's ordinal). Each choice has the same share of the
    unit interval, or one in proportion to its weight, in the list's order. Raises InputError for choices or weights
    that make no sense.
    """

    name: str
    choices: tuple[Value, ...]
    ordered: bool = False
    weights: tuple[float, ...] | None = None
    default: Value | None = None

    low = 0
    log = False
    integer = True

    def __post_init__(self) -> None:
        if not self._places or len(set(self.choices)) < len(self.choices):
            raise InputError(self.name, self.choices, "some choices, each once: texts, numbers or truth values")
        if self.weights is not None and (
            len(self.weights) != len(self.choices) or not all(0 < weight < np.inf for weight in self.weights)
        ):
            raise InputError(self.name, self.weights, "a weight above 0 for each choice")
        if self.default is not None:
            self.check(self.default)

    @property
    def high(self) -> int:  # type: ignore[override]
        return len(self.choices) - 1

    @property
    def unordered(self) -> int:  # type: ignore[override]
        return 0 if self.ordered or self.constant else len(self.choices)

    @cached_property
    def _places(self) -> Mapping[object, int]:
        return {_key(choice): place for place, choice in enumerate(self.choices)}

    @cached_property
    def _ends(self) -> list[float]:
        """Where each choice's share of [0, 1] ends."""
        weights = self.weights or (1.0,) * len(self.choices)
        sums = list(accumulate(weights))
        return [each / sums[-1] for each in sums]

    @property
    def range(self) -> str:
        return repr(self.choices[0]) if self.constant else f"one of {', '.join(map(repr, self.choices))}"

    def check(self, value: object) -> Value:
        return self.choices[self.number(value)]

    def number(self, value: Any) -> int:
        try:
            return self._places[_key(value)]
        except (KeyError, TypeError):
            raise ConfigurationError(self.name, value, self.range) from None

    def value(self, number: float) -> Value:
        return self.choices[int(number)]

    def encode(self, numbers: npt.ArrayLike) -> FloatArray:
        """The middle of each choice's share."""
        raw = np.asarray(numbers, dtype=np.float64)
        ends = np.array([0.0, *self._ends])
        missing = np.isnan(raw)
        middles: FloatArray = ((ends[1:] + ends[:-1]) / 2)[np.where(missing, 0, raw).astype(np.intp)]
        return np.where(missing, np.nan, middles)

    def decode(self, unit: float) -> Value:
        return self.choices[min(bisect_right(self._ends, unit), int(self.high))]

    def decode_all(self, units: FloatArray) -> FloatArray:
        places = np.searchsorted(self._ends, units, side="right")
        return np.minimum(places, self.high).astype(np.float64)


def _key(value: object) -> object:
    """Python takes True for 1; NumPy's texts and numbers are those of Python."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, (str, bool, int, float)):
        raise TypeError(f"{type(value).__name__} is no choice")
    return isinstance(value, bool), value
