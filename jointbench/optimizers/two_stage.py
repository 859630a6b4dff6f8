"""The practice that the paper argues against: first the architecture alone, then its hyperparameters."""

import math
from itertools import cycle
from typing import Literal

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import TWO_PARTS, Optimizer, Trial
from jointbench.optimizers.samplers import SAMPLERS, RandomSampler, SamplerName


class TwoStage(Optimizer):
    """Architectures at a small budget with fixed hyperparameters, then the best one's hyperparameters at the largest.

    Both stages use BOHB's sampler, each at one budget. The second stage begins with each finalist as it was picked,
    with the hyperparameters of the first stage: what a practitioner would train first. What differs from BOHB is the
    separation, and that the first stage has an expert's hyperparameters. A joint optimizer begins with them too where
    it is told to (`Optimizer.first`), and `first_stage="uniform"` takes them away here. The options:

    - `sampler`: "model" or "random", for both stages;
    - `first_budget`: the rung of the first stage (default: the smallest);
    - `share`: the fraction of the total that the first stage may spend, above 0 and below 1: of the sum of budgets, or
      where a search has a wall-clock time of that of its workers;
    - `finalists`: how many of the best architectures go on; they take turns, each with a sampler of its own;
    - `hyperparameters`: values during the first stage; what they name is what the second stage searches. Without any
      it is what the space does not call architecture, with what it says that a practitioner uses (`Space.expert`);
    - `first_stage`: "expert", or "uniform": each architecture of the first stage has uniform values of its own instead.

    When the first share is spent `ask` waits for the running trials before it chooses. Raises InputError for an
    option out of range, UnknownNameError for a name, BudgetError for a first budget that is no rung, and
    ConfigurationError for an illegal value.
    """

    name = "two-stage"
    two_parts = True

    def __init__(
        self,
        space: Space,
        ladder: Ladder,
        *,
        seed: int,
        full_budgets: float,
        sampler: SamplerName = "model",
        first_budget: float | None = None,
        share: float = 0.5,
        finalists: int = 1,
        hyperparameters: Configuration | None = None,
        first_stage: Literal["expert", "uniform"] = "expert",
    ) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        if sampler not in SAMPLERS:
            raise UnknownNameError.of("sampler", sampler, SAMPLERS)
        if not 0 < share < 1:
            raise InputError("share", share, "a fraction above 0 and below 1")
        if finalists < 1:
            raise InputError("finalists", finalists, "at least 1")
        if first_stage not in ("expert", "uniform"):
            raise UnknownNameError.of("first stage", first_stage, ["expert", "uniform"])
        self._uniform = first_stage == "uniform"
        if hyperparameters is None:
            training = [name for name in space.names if name not in space.architecture]
            hyperparameters = {**{name: space.usual[name] for name in training}, **space.expert}
        for hyperparameter in hyperparameters:
            if hyperparameter not in space.by_name:
                raise UnknownNameError.of("hyperparameter", hyperparameter, space.names)
        if len(hyperparameters) in (0, len(space.names)):
            raise InputError("space", space.name, TWO_PARTS)
        self._make_sampler = SAMPLERS[sampler]
        self._first_budget = ladder.rungs[0 if first_budget is None else ladder.rung_of(first_budget)]
        clock = self.wall_clock
        # What the first stage may spend: budgets, or seconds of workers.
        self._first_share = share * (full_budgets * ladder.maximum if clock is None else clock.seconds * clock.workers)
        #: The same of what has ended in it.
        self._first_spent = 0.0
        self._finalists = finalists
        self._fixed = {name: space.by_name[name].check(value) for name, value in hyperparameters.items()}
        self._architectures = self._make_sampler(space, self.rng, fixed=self._fixed)
        #: The sampler that each running trial came from.
        self._running: dict[Trial, RandomSampler] = {}
        #: Of the first stage, in the order in which it was asked.
        self._losses: dict[Trial, float] = {}
        #: The finalists as they were picked, each with its sampler, until they have been proposed.
        self._picked: list[tuple[Configuration, RandomSampler]] = []
        self._turns: cycle[RandomSampler] | None = None

    def ask(self) -> Trial | None:
        if self._turns is None and self._first_goes_on():
            configuration = self._architectures.sample()
            if self._uniform:
                drawn = self.space.values_at(self.rng.random(len(self.space.names)))
                configuration = self.space.changed(configuration, {name: drawn[name] for name in self._fixed})
            if not self._losses:
                configuration = self.space.changed(configuration, self.first)
            trial = self._start(self._architectures, configuration, self._first_budget)
            self._losses[trial] = math.inf
            return trial
        if self._turns is None:
            if self._running:
                return None
            self._picked = self._finalists_as_picked()
            self._turns = cycle([sampler for _, sampler in self._picked])
        if self._picked:
            picked, sampler = self._picked.pop(0)
            return self._start(sampler, picked, self.ladder.maximum)
        sampler = next(self._turns)
        return self._start(sampler, sampler.sample(), self.ladder.maximum)

    def _first_goes_on(self) -> bool:
        """Whether one more architecture fits into the first stage's share; the first does, whatever the share."""
        if not self._losses:
            return True
        if self.wall_clock is None:
            return (len(self._losses) + 1) * self._first_budget <= self._first_share * (1 + SAME_RUNG)
        ended = len(self._losses) - len(self._running)
        # What runs is taken to last as long as what has ended; of the first ones nothing is known but their budget.
        usual = self._first_spent / ended if ended else self._first_budget if self.ladder.unit == "seconds" else 0.0
        return self._first_spent + (len(self._running) + 1) * usual <= self._first_share

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        loss = self.loss(evaluation)
        self._running.pop(trial).observe(trial.configuration, trial.budget, loss)
        if trial in self._losses:
            self._losses[trial] = loss
            self._first_spent += evaluation.duration

    def _start(self, sampler: RandomSampler, configuration: Configuration, budget: float) -> Trial:
        trial = Trial(configuration, budget)
        self._running[trial] = sampler
        return trial

    def _finalists_as_picked(self) -> list[tuple[Configuration, RandomSampler]]:
        """Best first; where two are as good, the one that was asked first."""
        best = sorted(self._losses, key=self._losses.__getitem__)[: self._finalists]
        return [
            (
                trial.configuration,
                self._make_sampler(self.space, self.rng, fixed=self._architecture(trial.configuration)),
            )
            for trial in best
        ]

    def _architecture(self, configuration: Configuration) -> Configuration:
        """Of all that shapes it, inactive or not."""
        return {name: value for name, value in {**self.space.usual, **configuration}.items() if name not in self._fixed}


class TwoStageLong(TwoStage):
    """Architectures are judged at the largest budget: fewer, but without the error of a short training."""

    name = "two-stage-long"

    def __init__(
        self,
        space: Space,
        ladder: Ladder,
        *,
        seed: int,
        full_budgets: float,
        sampler: SamplerName = "model",
        share: float = 0.5,
        finalists: int = 1,
    ) -> None:
        options = {"sampler": sampler, "share": share, "finalists": finalists, "first_budget": ladder.maximum}
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets, **options)  # type: ignore[arg-type]


class TwoStageRandom(TwoStage):
    """Random search in both stages."""

    name = "two-stage-random"

    def __init__(
        self,
        space: Space,
        ladder: Ladder,
        *,
        seed: int,
        full_budgets: float,
        first_budget: float | None = None,
        share: float = 0.5,
        finalists: int = 1,
    ) -> None:
        options = {"sampler": "random", "share": share, "finalists": finalists, "first_budget": first_budget}
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets, **options)  # type: ignore[arg-type]
