"""Trials known beforehand, in order: repeats and retrainings are runs too."""

from collections.abc import Sequence

from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial


class FixedList(Optimizer):
    """Asks for the given trials and for nothing else."""

    several_objectives = True

    def __init__(
        self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float, name: str, trials: Sequence[Trial]
    ) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        self.name = name
        self._left = list(trials)

    def ask(self) -> Trial | None:
        return self._left.pop(0) if self._left else None

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        pass
