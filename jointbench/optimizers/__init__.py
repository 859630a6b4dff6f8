"""Who proposes the next evaluation: ask and tell. Imports from `data` alone."""

from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.optimizers.registry import OPTIMIZERS, check_optimizer, make_optimizer, works_on

__all__ = ["OPTIMIZERS", "Optimizer", "Trial", "check_optimizer", "make_optimizer", "works_on"]
