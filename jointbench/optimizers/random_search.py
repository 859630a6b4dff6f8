"""Random search: uniform configurations at the largest budget."""

from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.optimizers.uniform import UniformDraws


class RandomSearch(Optimizer):
    """Never waits and never learns: what every other optimizer has to beat."""

    name = "random"
    several_objectives = True

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        self._uniform = UniformDraws(space, self.rng, self.first)

    def ask(self) -> Trial:
        return Trial(self._uniform.next(), self.ladder.maximum)

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        pass
