"""When a hyperparameter is active, as ConfigSpace has it: by the values of others, its parents.

A condition on a parent that is inactive itself does not hold, whatever it asks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any, Literal

from jointbench.data.spaces.hyperparameters import Hyperparameter, Value

#: ConfigSpace's words: equal, not equal, in, less than, greater than.
Relation = Literal["EQ", "NEQ", "IN", "LT", "GT"]
#: Relations that take one value, in words.
_WORDS: Mapping[Relation, str] = {"EQ": "is", "NEQ": "is not", "IN": "is one of", "LT": "is below", "GT": "is above"}


class Condition(ABC):
    """Asked with the numbers of hyperparameters by name (`Hyperparameter.number`), floats or arrays (n,); NaN where
    one is inactive."""

    @abstractmethod
    def holds(self, numbers: Mapping[str, Any]) -> Any:
        """Truth, of one configuration or of each (n,)."""

    @abstractmethod
    def parents(self) -> Iterator[Hyperparameter]:
        """Those that it asks for."""


@dataclass(frozen=True)
class Comparison(Condition):
    """Of a parent's value with one, or of `IN` with several. `LT` and `GT` compare numbers, or the places of choices.

    Raises ConfigurationError for a value that the parent cannot have.
    """

    parent: Hyperparameter
    relation: Relation
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        for value in self.values:
            self.parent.check(value)

    @cached_property
    def _numbers(self) -> tuple[float, ...]:
        return tuple(self.parent.number(value) for value in self.values)

    def holds(self, numbers: Mapping[str, Any]) -> Any:
        here, (first, *_) = numbers[self.parent.name], self._numbers
        match self.relation:
            case "LT":
                return here < first
            case "GT":
                return here > first
            case "NEQ":
                # NaN is unequal to itself too.
                return (here != first) & (here == here)
        return reduce(or_, (here == number for number in self._numbers))

    def parents(self) -> Iterator[Hyperparameter]:
        yield self.parent

    def __str__(self) -> str:
        relation: Relation = "EQ" if self.relation == "IN" and len(self.values) == 1 else self.relation
        return f"{self.parent.name} {_WORDS[relation]} {', '.join(map(str, self.values))}"


@dataclass(frozen=True)
class All(Condition):
    """Every one of several conditions."""

    parts: tuple[Condition, ...]

    def holds(self, numbers: Mapping[str, Any]) -> Any:
        return reduce(and_, (part.holds(numbers) for part in self.parts))

    def parents(self) -> Iterator[Hyperparameter]:
        for part in self.parts:
            yield from part.parents()

    def __str__(self) -> str:
        return " and ".join(_within(part) for part in self.parts)


@dataclass(frozen=True)
class Either(Condition):
    """At least one of several conditions."""

    parts: tuple[Condition, ...]

    def holds(self, numbers: Mapping[str, Any]) -> Any:
        return reduce(or_, (part.holds(numbers) for part in self.parts))

    def parents(self) -> Iterator[Hyperparameter]:
        for part in self.parts:
            yield from part.parents()

    def __str__(self) -> str:
        return " or ".join(_within(part) for part in self.parts)


def _within(part: Condition) -> str:
    return str(part) if isinstance(part, Comparison) else f"({part})"


def equals(parent: Hyperparameter, value: Value) -> Comparison:
    return Comparison(parent, "EQ", (value,))


def differs(parent: Hyperparameter, value: Value) -> Comparison:
    return Comparison(parent, "NEQ", (value,))


def one_of(parent: Hyperparameter, *values: Value) -> Comparison:
    return Comparison(parent, "IN", values)


def below(parent: Hyperparameter, value: Value) -> Comparison:
    return Comparison(parent, "LT", (value,))


def above(parent: Hyperparameter, value: Value) -> Comparison:
    return Comparison(parent, "GT", (value,))
