"""Hyperband (Li et al. 2017) with HpBandSter's bracket sizes and its way of keeping all workers busy."""

from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.brackets import Bracket, bracket_sizes
from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.optimizers.uniform import UniformDraws


class Hyperband(Optimizer):
    """Brackets one after the other, new configurations drawn uniformly.

    When every open bracket waits for a running trial the next bracket is opened, so `ask` never returns None.
    """

    name = "hyperband"
    fewest_rungs = 2

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        self._iteration = 0
        self._open: list[Bracket[Configuration]] = []
        self._running: dict[Trial, tuple[Bracket[Configuration], int]] = {}
        self._uniform = UniformDraws(space, self.rng, self.first)

    def ask(self) -> Trial:
        for bracket in self._open:
            action = bracket.next_action
            if action == "promote":
                place, configuration = bracket.promote()
                break
            if action == "sample":
                configuration = self._sample()
                place = bracket.add(configuration)
                break
        else:
            self._open.append(self._next_bracket())
            return self.ask()
        trial = Trial(configuration, self.ladder.rungs[bracket.rung])
        self._running[trial] = bracket, place
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        bracket, place = self._running.pop(trial)
        self._learn(trial, evaluation)
        bracket.report(place, self.loss(evaluation))
        if bracket.next_action == "done":
            self._open.remove(bracket)

    def _next_bracket(self) -> Bracket[Configuration]:
        rungs = len(self.ladder.rungs)
        sizes = bracket_sizes(self._iteration, rungs, self.ladder.eta)
        self._iteration += 1
        return Bracket(sizes, rungs - len(sizes))

    def _sample(self) -> Configuration:
        return self._uniform.next()

    def _learn(self, trial: Trial, evaluation: Evaluation) -> None:
        """What BOHB adds: a model of the outcomes."""
