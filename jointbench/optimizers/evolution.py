"""Regularized evolution (Real et al. 2019, algorithm 1): the oldest dies, not the worst."""

from collections import deque

from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial


class RegularizedEvolution(Optimizer):
    """At the largest budget. A child differs from its parent in one hyperparameter, drawn anew uniformly, and in
    those that this makes active.

    The parent is the best of `tournament` members of the `population`, drawn with replacement. The defaults are
    those of NAS-Bench-201 (Dong and Yang 2020), not the 100 and 25 of Real et al., who had 20,000 evaluations
    where 256 full budgets are 256. Children are made of those members that are known when a worker is free; until
    `population` configurations were proposed and one has ended they are uniform. Raises InputError for numbers
    below 1.
    """

    name = "regularized-evolution"

    def __init__(
        self,
        space: Space,
        ladder: Ladder,
        *,
        seed: int,
        full_budgets: float,
        population: int = 10,
        tournament: int = 3,
    ) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        for field, value in (("population", population), ("tournament", tournament)):
            if value < 1:
                raise InputError(field, value, "at least 1")
        self._population, self._tournament = population, tournament
        self._members: deque[tuple[float, Configuration]] = deque(maxlen=population)
        self._proposed = 0

    def ask(self) -> Trial:
        self._proposed += 1
        if self._proposed <= self._population or not self._members:
            first = self.first if self._proposed == 1 else {}
            return Trial(self.space.changed(self.space.sample(self.rng)[0], first), self.ladder.maximum)
        drawn = [self._members[i] for i in self.rng.integers(len(self._members), size=self._tournament)]
        return Trial(self._mutate(min(drawn, key=lambda member: member[0])[1]), self.ladder.maximum)

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        loss = self.loss(evaluation)
        self._members.append((loss, trial.configuration))

    def _mutate(self, parent: Configuration) -> Configuration:
        # What is inactive has no effect, and a constant no other value.
        names = [h.name for h in self.space.hyperparameters if h.name in parent and not h.constant]
        name = names[self.rng.integers(len(names))]
        drawn = self.space.values_at(self.rng.random(len(self.space.names)))
        return self.space.active({**drawn, **parent, name: drawn[name]})
