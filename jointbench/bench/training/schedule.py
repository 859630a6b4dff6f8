"""SGDR: cosine annealing with warm restarts (Loshchilov and Hutter 2017), in units of the budget."""

import math
from typing import Protocol

#: Each cycle is this many times as long as the one before (paper, appendix B).
T_MULT = 2


class Schedule(Protocol):
    """Share of the initial learning rate at each step; `advance` is told what each step spent of the budget. What it
    remembers is in its `vars`."""

    @property
    def factor(self) -> float: ...

    def advance(self, spent: float) -> None: ...


def _annealed(share: float) -> float:
    """From 1 down to 0 over a cycle, of which `share` is over."""
    return 0.5 * (1 + math.cos(math.pi * share))


class CosineRestarts:
    """For budgets that are measured while they are spent. The share goes from 1 down to 0 in each cycle.

    The first cycle lasts T_0 = budget / (2^k - 1) on the k-th rung (k from 1), so that the budget ends at the end
    of the k-th cycle: 720 s for 10,800 s on the fourth rung (appendix B). What runs over the end of a cycle is
    discarded (authors' code), so curves of different budgets are not prefixes of each other.
    """

    def __init__(self, budget: float, rung: int) -> None:
        """rung: index on the ladder, from 0."""
        self.length = budget / (T_MULT ** (rung + 1) - 1)
        self.position = 0.0

    @property
    def factor(self) -> float:
        return _annealed(self.position / self.length)

    def advance(self, spent: float) -> None:
        """`spent`: budget used since the last call."""
        self.position += spent
        if self.position >= self.length:
            self.position = 0.0
            self.length *= T_MULT


class Constant:
    """The initial rate, always."""

    factor = 1.0

    def advance(self, spent: float) -> None:
        pass


class CosineOfSteps:
    """For trainings whose number of steps is known: the cycles of `CosineRestarts`, laid over the steps.

    Nothing runs over the end of a cycle, so every training ends annealed, however few its steps are: discarding the
    overshoot leaves a third of trainings of some sixty steps above a tenth of the rate at their last step.
    """

    def __init__(self, steps: int, rung: int) -> None:
        """steps: of the whole training; rung: index on the ladder, from 0."""
        self.steps, self.cycles, self.taken = steps, rung + 1, 0

    @property
    def factor(self) -> float:
        # In units of the first cycle: the cycles end at 1, 3, 7, ...; whole numbers, so that none is missed by a bit.
        units = T_MULT**self.cycles - 1
        place = self.taken * units
        cycle = next(k for k in range(self.cycles) if place < self.steps * (T_MULT ** (k + 1) - 1))
        begins = self.steps * (T_MULT**cycle - 1)
        return _annealed((place - begins) / (self.steps * T_MULT**cycle))

    def advance(self, spent: float) -> None:
        self.taken += 1
