"""Brackets of successive halving as a state machine: what to do next, given what has ended."""

import math
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

Action = Literal["sample", "promote", "pending", "done"]
T = TypeVar("T")


def bracket_sizes(iteration: int, rungs: int, eta: float) -> tuple[int, ...]:
    """Places on each of the top rungs of the ladder in Hyperband's `iteration`-th bracket (from 0).

    HpBandSter's sizes, not the Hyperband paper's: four rungs and eta 3 give (27, 9, 3, 1), (9, 3, 1), (6, 2),
    (4,), where the paper starts with 27, 12, 6 and 4.
    """
    top = rungs - 1 - iteration % rungs
    first = math.floor(rungs // (top + 1) * eta**top + 1e-9)
    return tuple(max(1, math.floor(first / eta**k + 1e-9)) for k in range(top + 1))


@dataclass
class _Place(Generic[T]):
    """One configuration of a bracket; `loss` is None until heard of, infinite for a failure."""

    configuration: T
    loss: float | None = None


@dataclass
class Bracket(Generic[T]):
    """One run of successive halving over rungs `first_rung`, `first_rung` + 1, …, `sizes` places each.

    Take the next action from `next_action`: "sample" wants `add` with a new configuration, "promote" wants
    `promote`, "pending" that a running place is heard of first, "done" nothing. A rung is left when all its
    places have been heard of; the best of them go up, failures never, and where too few survive the free
    places of the higher rung are filled with new configurations (as HpBandSter does).
    """

    sizes: tuple[int, ...]
    first_rung: int
    stage: int = 0
    _places: list[_Place[T]] = field(default_factory=list)
    _queue: list[T] = field(default_factory=list)

    @property
    def rung(self) -> int:
        """Index on the ladder of the current rung."""
        return self.first_rung + self.stage

    @property
    def next_action(self) -> Action:
        if self.stage == len(self.sizes):
            return "done"
        if self._queue:
            return "promote"
        return "sample" if len(self._places) < self.sizes[self.stage] else "pending"

    def add(self, configuration: T) -> int:
        """A place on the current rung for a new configuration; returns its index."""
        self._places.append(_Place(configuration))
        return len(self._places) - 1

    def promote(self) -> tuple[int, T]:
        """A place on the current rung for the next configuration that came up; its index and the configuration."""
        configuration = self._queue.pop(0)
        return self.add(configuration), configuration

    def report(self, place: int, loss: float) -> None:
        """The outcome of a place of the current rung; infinity for a failure."""
        self._places[place].loss = loss
        losses = [p.loss for p in self._places if p.loss is not None]
        if len(losses) < self.sizes[self.stage]:
            return
        self.stage += 1
        if self.stage < len(self.sizes):
            survivors = [place for place, loss in enumerate(losses) if loss < math.inf]
            # Of equal losses the earlier places go up. HpBandSter sorts by NumPy's default, which orders ties
            # differently from processor to processor.
            best = sorted(survivors, key=losses.__getitem__)[: self.sizes[self.stage]]
            self._queue = [self._places[place].configuration for place in sorted(best)]
        self._places = []
