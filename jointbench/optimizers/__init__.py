"""Who proposes the next evaluation: ask and tell. Imports from `data` alone."""

from jointbench.optimizers.optimizer import Optimizer, Trial, WallClock
from jointbench.optimizers.registry import (
    OPTIMIZERS,
    check_optimizer,
    make_optimizer,
    one_budget,
    unfit,
    uses_small_budgets,
    works_on,
)

__all__ = [
    "OPTIMIZERS",
    "Optimizer",
    "Trial",
    "WallClock",
    "check_optimizer",
    "make_optimizer",
    "one_budget",
    "unfit",
    "uses_small_budgets",
    "works_on",
]
