"""The ladder of budgets: the fidelities at which a configuration can be evaluated."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from jointbench.data.errors import BudgetError, InputError
from jointbench.data.notebook import html_table
from jointbench.data.numbers import plain_number

Unit = Literal["seconds", "epochs"]

#: How a unit is written behind a number.
_SUFFIXES: tuple[tuple[str, Unit], ...] = (("epochs", "epochs"), ("seconds", "seconds"), ("s", "seconds"))

#: A ladder with more was not meant as one.
_MOST_RUNGS = 64

#: Two budgets closer than this (relative) are the same rung: text and JSON may have rounded them.
SAME_RUNG = 1e-9


def split_unit(text: str) -> tuple[str, Unit | None]:
    """What stands before the unit, and the unit: `27epochs` is 27 and epochs; None where none is written."""
    body = text.strip()
    for suffix, unit in _SUFFIXES:
        if body.endswith(suffix):
            return body.removesuffix(suffix).strip(), unit
    return body, None


def _plain(budget: Any) -> float:
    """A real number as Python's own float; not a number for anything else."""
    if isinstance(budget, np.ndarray) and not budget.ndim:
        budget = budget[()]
    try:
        if isinstance(budget, np.floating) and not isinstance(budget, float):
            return float(str(budget))
        return float(plain_number(budget))
    except TypeError:
        return math.nan
    except OverflowError:
        return math.inf


@dataclass(frozen=True)
class Ladder:
    """Budgets from `minimum` to `maximum`, factor `eta` apart, in `unit` (paper section 4.1: 400 to 10800 s, eta 3).

    >>> Ladder(400.0, 10800.0).rungs
    (400.0, 1200.0, 3600.0, 10800.0)

    Bounds and eta are any real numbers, as `check_within` takes them, and are kept as plain floats. Raises InputError
    when the bounds are not positive and finite, eta is not above 1, the unit is unknown, or no whole number of factors
    eta leads from the minimum to the maximum.
    """

    minimum: float
    maximum: float
    eta: float = 3.0
    unit: Unit = "seconds"

    def __post_init__(self) -> None:
        for field in ("minimum", "maximum", "eta"):
            given = getattr(self, field)
            value = _plain(given)
            if not 0 < value < math.inf:
                raise InputError(f"ladder {field}", given, "a finite number above 0")
            object.__setattr__(self, field, value)
        if self.eta <= 1:
            raise InputError("ladder eta", self.eta, "a factor above 1")
        if self.minimum > self.maximum:
            raise InputError("ladder minimum", self.minimum, f"at most the maximum, {self.maximum:g}")
        if self.unit not in ("seconds", "epochs"):
            raise InputError("ladder unit", self.unit, "seconds or epochs")
        steps = math.log(self.maximum / self.minimum) / math.log(self.eta)
        if steps > _MOST_RUNGS:
            raise InputError("ladder eta", self.eta, f"a factor that gives at most {_MOST_RUNGS} rungs")
        if abs(steps - round(steps)) > 1e-6:
            raise InputError(
                "ladder maximum", self.maximum, f"{self.minimum:g} times a whole power of eta = {self.eta:g}"
            )

    @cached_property
    def rungs(self) -> tuple[float, ...]:
        """The budgets in ascending order.

        Each is computed from the minimum by one power, rounded to 12 digits (so that 0.1 leads to 0.3); repeated
        division of the maximum loses a rung at 3^5.
        """
        top = round(math.log(self.maximum / self.minimum) / math.log(self.eta))
        inner = (float(f"{self.minimum * self.eta**k:.12g}") for k in range(top))
        return (*inner, self.maximum)

    def rung_of(self, budget: float) -> int:
        """Index of the rung with this budget, any real number. Raises BudgetError when it is not a rung."""
        value = _plain(budget)
        for index, rung in enumerate(self.rungs):
            if abs(value - rung) <= SAME_RUNG * rung:
                return index
        raise BudgetError("budget", budget, f"one of {self} ({self.unit})")

    def check_within(self, budget: float) -> float:
        """The budget, any real number, as a plain float.

        NumPy's numbers, fractions and decimals are as good as Python's. One of 16 or 32 bits stands for the decimal
        as which it is written: np.float32(0.3) is the rung 0.3. Raises BudgetError for what is no number, truth values
        among it, and when it lies outside [minimum, maximum].
        """
        value = _plain(budget)
        if math.isnan(value):
            raise BudgetError("budget", budget, f"a number of {self.unit}")
        if not self.minimum * (1 - SAME_RUNG) <= value <= self.maximum * (1 + SAME_RUNG):
            within = f"{self.minimum:g} to {self.maximum:g}" if len(self.rungs) > 1 else f"{self.maximum:g}"
            raise BudgetError("budget", budget, f"{within} {self.unit}")
        return value

    @classmethod
    def of_rungs(cls, rungs: Iterable[float], unit: Unit = "seconds") -> "Ladder":
        """The ladder with exactly these rungs. Raises InputError for none, or when no constant factor joins them."""
        given = list(rungs)
        rungs = [_plain(budget) for budget in given]
        for budget, value in zip(given, rungs, strict=True):
            if not 0 < value < math.inf:
                raise InputError("ladder", budget, "budgets that are finite and above 0")
        if not rungs:
            raise InputError("ladder", "", "at least one budget")
        if len(rungs) == 1:
            return cls(rungs[0], rungs[0], unit=unit)
        ladder = cls(rungs[0], rungs[-1], (rungs[-1] / rungs[0]) ** (1 / (len(rungs) - 1)), unit)
        # The root is inexact (27 ** (1/3) is 3.0000000000000004): take the whole number where it is one.
        if abs(ladder.eta - round(ladder.eta)) < SAME_RUNG:
            ladder = cls(ladder.minimum, ladder.maximum, float(round(ladder.eta)), unit)
        if any(abs(a - b) > 1e-6 * b for a, b in zip(rungs, ladder.rungs, strict=True)):
            raise InputError("ladder", ",".join(f"{r:g}" for r in rungs), "ascending budgets a constant factor apart")
        return ladder

    @classmethod
    def parse(cls, text: str) -> "Ladder":
        """From the command line: `1,3,9,27` (seconds), `1,3,9,27s` or `3,9,27epochs`. Raises InputError."""
        body, unit = split_unit(text)
        try:
            rungs = [float(part) for part in body.split(",")]
        except ValueError:
            raise InputError("ladder", text, "budgets such as 1,3,9,27 or 3,9,27epochs") from None
        if len(rungs) < 2:
            raise InputError("ladder", text, "at least two budgets, such as 1,3,9,27")
        return cls.of_rungs(rungs, unit or "seconds")

    def amount(self, budget: float) -> str:
        """A budget with its unit, such as 1 second, 27 seconds, 0.5 epochs."""
        number = f"{budget:g}"
        return f"{number} {self.unit.removesuffix('s') if number == '1' else self.unit}"

    def amounts(self) -> str:
        """All rungs with their unit, such as 1, 3, 9, 27 seconds."""
        return self.amount(self.maximum) if len(self.rungs) == 1 else f"{self} {self.unit}"

    def _repr_html_(self) -> str:
        return html_table("ladder", [(f"{rung:g} {self.unit}",) for rung in self.rungs])

    def as_dict(self) -> dict[str, Any]:
        return {"minimum": self.minimum, "maximum": self.maximum, "eta": self.eta, "unit": self.unit}

    def __str__(self) -> str:
        return ", ".join(f"{rung:g}" for rung in self.rungs)
