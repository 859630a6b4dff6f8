"""Random search: uniform configurations at the largest budget."""

from jointbench.data.evaluation import Evaluation
from jointbench.optimizers.optimizer import Optimizer, Trial


class RandomSearch(Optimizer):
    """Never waits and never learns: what every other optimizer has to beat."""

    name = "random"

    def ask(self) -> Trial:
        return Trial(self.space.sample(self.rng)[0], self.ladder.maximum)

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        pass
