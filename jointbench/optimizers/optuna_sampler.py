"""Optuna's samplers (Akiba et al. 2019), driven by ask and tell at the largest budget."""

from typing import Any

from jointbench.data.errors import MissingExtraError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial


class OptunaSampler(Optimizer):
    """Any sampler of Optuna's: `sampler` is its class, `settings` its keywords besides the seed.

    A failed evaluation is a failed trial, which Optuna's samplers leave out. Raises MissingExtraError when Optuna,
    or what the sampler needs besides, is not installed.
    """

    sampler: str
    settings: dict[str, Any]

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        try:
            import optuna

            optuna.logging.set_verbosity(optuna.logging.ERROR)
            sampler = getattr(optuna.samplers, self.sampler)(seed=seed, **self.settings)
            self._study = optuna.create_study(sampler=sampler)
        except ImportError as error:
            raise MissingExtraError(f"'{self.name}' needs optuna and cmaes: install jointbench[optuna]") from error
        self._distributions: dict[str, optuna.distributions.BaseDistribution] = {
            h.name: optuna.distributions.IntDistribution(int(h.low), int(h.high), log=h.log)
            if h.integer
            else optuna.distributions.FloatDistribution(h.low, h.high, log=h.log)
            for h in space.hyperparameters
        }
        self._failed = optuna.trial.TrialState.FAIL
        self._running: dict[Trial, optuna.Trial] = {}

    def ask(self) -> Trial:
        asked = self._study.ask(self._distributions)
        trial = Trial(self.space.check(asked.params), self.ladder.maximum)
        self._running[trial] = asked
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        asked = self._running.pop(trial)
        if evaluation.ok:
            self._study.tell(asked, evaluation.validation_error)
        else:
            self._study.tell(asked, state=self._failed)


class TPE(OptunaSampler):
    """TPE over all hyperparameters jointly, as BOHB's model is."""

    name = "tpe"
    sampler = "TPESampler"
    settings = {"multivariate": True}  # noqa: RUF012 - never changed


class CMAES(OptunaSampler):
    """CMA-ES by the cmaes package."""

    name = "cma-es"
    sampler = "CmaEsSampler"
    settings = {"warn_independent_sampling": False}  # noqa: RUF012 - never changed
