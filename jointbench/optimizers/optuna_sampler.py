"""Optuna's samplers (Akiba et al. 2019), driven by ask and tell at the largest budget."""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from jointbench.data.errors import InputError, MissingExtraError, UnknownNameError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.data.spaces.suggesting import as_suggested, suggested
from jointbench.optimizers.optimizer import Optimizer, Trial

#: They need a finite space, or objects that no word can name.
_NOT_DRIVEN = ("BaseGASampler", "BaseSampler", "BruteForceSampler", "GridSampler", "PartialFixedSampler")


#: They refuse several.
_ONE_OBJECTIVE = ("CmaEsSampler",)


class OptunaSampler(Optimizer):
    """Any sampler of Optuna's: `sampler` is its class, `settings` its keywords besides the seed.

    A failed evaluation is a failed trial, which Optuna's samplers leave out. Several objectives are a study of several
    directions. Raises MissingExtraError when Optuna, or what the sampler needs besides, is not installed, and
    InputError for settings that the sampler refuses, several objectives among them.
    """

    several_objectives = True

    sampler: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float, **settings: Any) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        kind = self.options_of()
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                sampler: Any = kind(seed=seed, **{**self.settings, **settings})
        except ImportError as error:
            raise _missing(self.name) from error
        except (TypeError, ValueError) as error:
            raise InputError("optimizer", self.name, f"settings that Optuna takes ({error})") from error
        directions: list[Any] = ["maximize" if objective.maximize else "minimize" for objective in self.objectives]
        self._study = optuna.create_study(sampler=sampler, directions=directions)
        if len(self.objectives) > 1:
            another: Any = kind(**{**self.settings, **settings})
            self._check_several(optuna.create_study(sampler=another, directions=directions))
        if self.first:
            # Of the others its sampler says what they are.
            self._study.enqueue_trial(as_suggested(space, self.first))
        self._failed = optuna.trial.TrialState.FAIL
        self._running: dict[Trial, optuna.Trial] = {}

    def _check_several(self, study: Any) -> None:
        """Samplers say when they are asked that they take one objective."""
        try:
            suggested(self.space, study.ask())
        except ValueError as error:
            raise InputError("optimizer", self.name, f"one that takes several objectives ({error})") from error

    @classmethod
    def options_of(cls) -> Callable[..., object]:
        """Optuna's class."""
        try:
            import optuna

            kind: Callable[..., object] = getattr(optuna.samplers, cls.sampler)
        except ImportError as error:
            raise _missing(cls.name) from error
        return kind

    def ask(self) -> Trial:
        asked = self._study.ask()
        trial = Trial(suggested(self.space, asked), self.ladder.maximum)
        self._running[trial] = asked
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        asked = self._running.pop(trial)
        if all(math.isfinite(objective.loss_of(evaluation)) for objective in self.objectives):
            self._study.tell(asked, [evaluation.metrics[objective.name] for objective in self.objectives])
        else:
            self._study.tell(asked, state=self._failed)


class TPE(OptunaSampler):
    """TPE over all hyperparameters jointly, as BOHB's model is."""

    name = "tpe"
    sampler = "TPESampler"
    settings: ClassVar = {"multivariate": True}


class CMAES(OptunaSampler):
    """CMA-ES by the cmaes package."""

    name = "cma-es"
    sampler = "CmaEsSampler"
    several_objectives = False
    settings: ClassVar = {"warn_independent_sampling": False}


def sampler_of(name: str) -> type[OptunaSampler]:
    """The sampler that Optuna calls so, with Optuna's defaults. Raises UnknownNameError, or MissingExtraError."""
    try:
        import optuna
    except ImportError as error:
        raise _missing(f"optuna.{name}") from error
    known = [one for one in optuna.samplers.__all__ if one.endswith("Sampler") and one not in _NOT_DRIVEN]
    if name not in known:
        raise UnknownNameError.of("optimizer", f"optuna.{name}", [f"optuna.{one}" for one in known])
    several = {"several_objectives": name not in _ONE_OBJECTIVE}
    return type(name, (OptunaSampler,), {"name": f"optuna.{name}", "sampler": name, **several})


def _missing(name: str) -> MissingExtraError:
    return MissingExtraError(f"'{name}' needs optuna and cmaes: install jointbench[optuna]")
