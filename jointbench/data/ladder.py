"""The ladder of budgets: the fidelities at which a configuration can be evaluated."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import BudgetError, InputError
from jointbench.data.notebook import html_table
from jointbench.data.numbers import plain_number

#: What budgets are counted in: seconds, epochs, or a word of a person's own, such as trees.
Unit = str
_UNIT = re.compile(r"[a-z][a-z0-9_ ]{0,39}")

#: How a unit is written behind a number.
_SUFFIXES: tuple[tuple[str, Unit], ...] = (("epochs", "epochs"), ("seconds", "seconds"), ("s", "seconds"))
#: A number, and a word of a person's own behind it.
_WITH_WORD = re.compile(r"(.*[0-9.])\s*([a-z][a-z_ ]*)")

#: A ladder with more was not meant as one.
_MOST_RUNGS = 64

#: Two budgets closer than this (relative) are the same rung: text and JSON may have rounded them.
SAME_RUNG = 1e-9


def split_unit(text: str, *, any_unit: bool = False) -> tuple[str, Unit | None]:
    """What stands before the unit, and the unit: `27epochs` is 27 and epochs; None where none is written. `any_unit`:
    also a word of a person's own, as in `27trees`."""
    body = text.strip()
    if any_unit and (found := _WITH_WORD.fullmatch(body)) is not None:
        return found[1].strip(), "seconds" if found[2] == "s" else found[2]
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

    A table that others made may have budgets that no constant factor joins: `levels` are its rungs then, from the
    minimum to the maximum, and eta is the mean factor between them (`of_levels`). `continuous`: evaluations lie
    anywhere between the bounds, each with its nearest rung, and optimizers ask at rungs.

    Bounds and eta are any real numbers, as `check_within` takes them, and are kept as plain floats. Raises InputError
    when the bounds are not positive and finite, eta is not above 1, the unit is no word, no whole number of factors
    eta leads from the minimum to the maximum, or levels do not.
    """

    minimum: float
    maximum: float
    eta: float = 3.0
    unit: Unit = "seconds"
    levels: tuple[float, ...] = ()
    continuous: bool = False

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
        if not isinstance(self.unit, str) or not _UNIT.fullmatch(self.unit):
            raise InputError("ladder unit", self.unit, "a word such as seconds, epochs or trees")
        if type(self.continuous) is not bool:
            raise InputError("ladder continuous", self.continuous, "true or false")
        if self.levels:
            self._check_levels()
            return
        # From JSON it is a list.
        object.__setattr__(self, "levels", ())
        steps = math.log(self.maximum / self.minimum) / math.log(self.eta)
        if steps > _MOST_RUNGS:
            raise InputError("ladder eta", self.eta, f"a factor that gives at most {_MOST_RUNGS} rungs")
        if abs(steps - round(steps)) > 1e-6:
            raise InputError(
                "ladder maximum", self.maximum, f"{self.minimum:g} times a whole power of eta = {self.eta:g}"
            )

    def _check_levels(self) -> None:
        levels = tuple(map(_plain, self.levels))
        ends = levels[0] == self.minimum and levels[-1] == self.maximum
        if not ends or len(levels) > _MOST_RUNGS or not all(a * (1 + SAME_RUNG) < b for a, b in pairwise(levels)):
            expected = f"at most {_MOST_RUNGS} ascending budgets from the minimum to the maximum"
            raise InputError("ladder levels", self.levels, expected)
        object.__setattr__(self, "levels", levels)

    @cached_property
    def rungs(self) -> tuple[float, ...]:
        """The budgets in ascending order.

        Each is computed from the minimum by one power, rounded to 12 digits (so that 0.1 leads to 0.3); repeated
        division of the maximum loses a rung at 3^5.
        """
        if self.levels:
            return self.levels
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

    def place_of(self, budget: float) -> int:
        """The rung that an evaluation at this budget counts as. Raises BudgetError as `rung_of` does."""
        return int(self.nearest(self.check_within(budget))) if self.continuous else self.rung_of(budget)

    def nearest(self, budgets: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The places of the rungs nearest to budgets above 0, by their ratio, of the same shape."""
        far = np.abs(np.log(np.asarray(budgets, dtype=np.float64)[..., None] / np.array(self.rungs)))
        return np.asarray(far.argmin(axis=-1), dtype=np.int64)

    def has(self, budgets: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """A mask (n,) of the budgets (n,) at which there can be evaluations: rungs, or where it is continuous, what is
        within the bounds."""
        given = np.asarray(budgets, dtype=np.float64)
        if self.continuous:
            within = (given >= self.minimum * (1 - SAME_RUNG)) & (given <= self.maximum * (1 + SAME_RUNG))
            return np.asarray(within, dtype=bool)
        found: npt.NDArray[np.bool_] = np.zeros(given.shape, dtype=bool)
        for rung in self.rungs:
            found |= np.abs(given - rung) <= SAME_RUNG * rung
        return found

    def at(self, budgets: npt.ArrayLike, rung: float) -> npt.NDArray[np.bool_]:
        """A mask (n,) of the budgets (n,) that count as this rung's."""
        given: FloatArray = np.asarray(budgets, dtype=np.float64)
        if self.continuous:
            return np.asarray(self.nearest(given) == self.rungs.index(rung))
        return np.asarray(np.isclose(given, rung))

    def part(self, first: int, last: int) -> "Ladder":
        """The ladder from one of its rungs to another, both included."""
        rungs = self.rungs[first : last + 1]
        levels = rungs if self.levels else ()
        return Ladder(rungs[0], rungs[-1], self.eta, self.unit, levels, self.continuous)

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
    def of_levels(cls, levels: Iterable[float], unit: Unit, *, continuous: bool = False) -> "Ladder":
        """The ladder with these rungs, ascending, whatever factors join them. Raises InputError."""
        rungs = tuple(levels)
        try:
            made = cls.of_rungs(rungs, unit)
        except InputError:
            if len(rungs) < 2 or not 0 < rungs[0] < rungs[-1] < math.inf:
                raise
            eta = (rungs[-1] / rungs[0]) ** (1 / (len(rungs) - 1))
            return cls(rungs[0], rungs[-1], eta, unit, rungs, continuous)
        return cls(made.minimum, made.maximum, made.eta, unit, (), continuous)

    @classmethod
    def parse(cls, text: str, *, any_unit: bool = False) -> "Ladder":
        """From the command line: `1,3,9,27` (seconds), `1,3,9,27s` or `3,9,27epochs`; `any_unit`: also words of a
        person's own, such as `10,30,90trees`. Raises InputError."""
        body, unit = split_unit(text, any_unit=any_unit)
        try:
            rungs = [float(part) for part in body.split(",")]
        except ValueError:
            raise InputError("ladder", text, "budgets such as 1,3,9,27 or 3,9,27epochs") from None
        if len(rungs) < 2:
            raise InputError("ladder", text, "at least two budgets, such as 1,3,9,27")
        if sorted(rungs) != rungs:
            raise InputError("ladder", text, "budgets from the smallest to the largest")
        return cls.of_rungs(rungs, unit or "seconds")

    def amount(self, budget: float) -> str:
        """A budget with its unit, such as 1 second, 27 seconds, 0.5 epochs."""
        number = f"{budget:g}"
        one = number == "1" and self.unit.endswith("s") and not self.unit.endswith("ss")
        return f"{number} {self.unit[:-1] if one else self.unit}"

    def amounts(self) -> str:
        """All rungs with their unit, such as 1, 3, 9, 27 seconds."""
        return self.amount(self.maximum) if len(self.rungs) == 1 else f"{self} {self.unit}"

    def in_words(self) -> str:
        """Such as budgets of 1, 3, 9, 27 seconds, or a budget of 3 epochs."""
        return f"{'budgets' if len(self.rungs) > 1 else 'a budget'} of {self.amounts()}"

    def _repr_html_(self) -> str:
        return html_table("ladder", [(f"{rung:g} {self.unit}",) for rung in self.rungs])

    def as_dict(self) -> dict[str, Any]:
        made: dict[str, Any] = {"minimum": self.minimum, "maximum": self.maximum, "eta": self.eta, "unit": self.unit}
        # Ladders of before have neither.
        if self.levels:
            made["levels"] = list(self.levels)
        return {**made, "continuous": True} if self.continuous else made

    def __str__(self) -> str:
        return ", ".join(f"{rung:g}" for rung in self.rungs)
