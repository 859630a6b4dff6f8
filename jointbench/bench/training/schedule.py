"""SGDR: cosine annealing with warm restarts (Loshchilov and Hutter 2017), in units of the budget."""

import math

#: Each cycle is this many times as long as the one before (paper, appendix B).
T_MULT = 2


class CosineRestarts:
    """Share of the initial learning rate, from 1 down to 0 in each cycle.

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
        return 0.5 * (1 + math.cos(math.pi * self.position / self.length))

    def advance(self, spent: float) -> None:
        """`spent`: budget used since the last call."""
        self.position += spent
        if self.position >= self.length:
            self.position = 0.0
            self.length *= T_MULT
