"""Who proposes the next evaluation: ask and tell. Imports from `data` alone."""

from collections.abc import Mapping
from importlib import import_module

from jointbench.data.errors import UnknownNameError
from jointbench.data.ladder import Ladder
from jointbench.data.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial

__all__ = ["OPTIMIZERS", "Optimizer", "Trial", "check_optimizer", "make_optimizer"]

#: Name to "module:class"; imported when asked for, since some bring heavy libraries.
OPTIMIZERS: Mapping[str, str] = {
    "random": "jointbench.optimizers.random_search:RandomSearch",
    "hyperband": "jointbench.optimizers.hyperband:Hyperband",
    "bohb": "jointbench.optimizers.bohb:BOHB",
    "two-stage": "jointbench.optimizers.two_stage:TwoStage",
    "two-stage-long": "jointbench.optimizers.two_stage:TwoStageLong",
    "two-stage-random": "jointbench.optimizers.two_stage:TwoStageRandom",
    "smac": "jointbench.optimizers.smac:SMAC",
    "smac-default": "jointbench.optimizers.smac:SMACDefault",
}


def check_optimizer(name: str) -> None:
    """Raises UnknownNameError when there is no optimizer of this name; imports nothing."""
    if name not in OPTIMIZERS:
        raise UnknownNameError.of("optimizer", name, OPTIMIZERS)


def make_optimizer(name: str, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> Optimizer:
    """The optimizer of this name, fresh. Raises UnknownNameError."""
    check_optimizer(name)
    module, _, kind = OPTIMIZERS[name].partition(":")
    made: Optimizer = getattr(import_module(module), kind)(space, ladder, seed=seed, full_budgets=full_budgets)
    return made
