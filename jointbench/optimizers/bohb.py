"""BOHB (Falkner et al. 2018): Hyperband whose new configurations come from a model, as HpBandSter 0.7.4 does it."""

from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.hyperband import Hyperband
from jointbench.optimizers.optimizer import Trial
from jointbench.optimizers.samplers import ModelSampler


class BOHB(Hyperband):
    """Hyperband's brackets; a failed evaluation counts as infinitely bad in the model."""

    name = "bohb"

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        self.sampler = ModelSampler(space, self.rng)
        self._begun = False

    def _sample(self) -> Configuration:
        sampled = self.sampler.sample()
        if not self._begun:
            sampled, self._begun = self.space.changed(sampled, self.first), True
        return sampled

    def _learn(self, trial: Trial, evaluation: Evaluation) -> None:
        loss = self.loss(evaluation)
        self.sampler.observe(trial.configuration, trial.budget, loss)
