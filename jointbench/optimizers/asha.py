"""ASHA (Li et al. 2020, algorithm 2): successive halving that never waits for a rung to fill."""

import math
from bisect import insort
from dataclasses import dataclass, field

from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.optimizers.uniform import UniformDraws


@dataclass
class _Rung:
    """What ended at a budget, best first: loss and the order of arrival; and what went up from here."""

    ended: list[tuple[float, int]] = field(default_factory=list)
    configurations: list[Configuration] = field(default_factory=list)
    promoted: set[int] = field(default_factory=set)

    def add(self, configuration: Configuration, loss: float) -> None:
        insort(self.ended, (loss, len(self.configurations)))
        self.configurations.append(configuration)

    def promote(self, eta: float) -> Configuration | None:
        """The best of the top 1/eta that has not gone up yet; failures never go."""
        for loss, number in self.ended[: int(len(self.ended) / eta)]:
            if number not in self.promoted and math.isfinite(loss):
                self.promoted.add(number)
                return self.configurations[number]
        return None


class ASHA(Optimizer):
    """Promotes from the highest rung where something is in the top 1/eta, else starts a uniform configuration.

    New configurations start at the ladder's smallest budget.
    """

    name = "asha"
    fewest_rungs = 2

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        self._rungs = [_Rung() for _ in ladder.rungs]
        self._uniform = UniformDraws(space, self.rng, self.first)

    def ask(self) -> Trial:
        for index in range(len(self._rungs) - 2, -1, -1):
            configuration = self._rungs[index].promote(self.ladder.eta)
            if configuration is not None:
                return Trial(configuration, self.ladder.rungs[index + 1])
        return Trial(self._uniform.next(), self.ladder.minimum)

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        loss = self.loss(evaluation)
        self._rungs[self.ladder.rung_of(trial.budget)].add(trial.configuration, loss)
