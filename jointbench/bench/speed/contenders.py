"""The optimizers whose asks are timed, and ways to tell each of many results without asking it for as many trials."""

import copy
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from jointbench.bench.speed.subjects import SPACE
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.spaces.suggesting import as_suggested, suggested
from jointbench.optimizers import Optimizer, Trial, make_optimizer
from jointbench.optimizers.contract import outcome

LADDER = Ladder(27.0, 27.0)
#: Small, so that smac's initial design is one configuration.
FULL_BUDGETS = 4.0
SEED = 0


@dataclass
class Contender:
    """An optimizer, and the seconds of its asks and of its tells, turn by turn."""

    name: str
    optimizer: Optimizer
    turns: list[tuple[float, float]] = field(default_factory=list)
    spent: float = 0.0

    def step(self) -> tuple[float, float]:
        """Ask and tell once; seconds of both."""
        start = time.perf_counter()
        trial = self.optimizer.ask()
        asked = time.perf_counter()
        assert trial is not None
        evaluation = outcome(self.optimizer, trial, failed=False)
        told = time.perf_counter()
        self.optimizer.tell(trial, evaluation)
        return asked - start, time.perf_counter() - told

    def turn(self, count: int) -> None:
        """So many steps: some asks fit a model or draw ahead what the others live on, so it is means that count."""
        asks, tells = zip(*(self.step() for _ in range(count)), strict=True)
        self.turns.append((sum(asks) / count, sum(tells) / count))
        self.spent += sum(asks) + sum(tells)

    @property
    def ask_us(self) -> float:
        """Microseconds: of the turns' means the median."""
        return 1e6 * median(ask for ask, _ in self.turns)

    @property
    def tell_us(self) -> float:
        return 1e6 * median(tell for _, tell in self.turns)


class PlainSMAC(Optimizer):
    """smac's facade as it comes: its forest, its selector, its search, its files."""

    def __init__(self) -> None:
        super().__init__(SPACE, LADDER, seed=SEED, full_budgets=FULL_BUDGETS)
        from smac import MultiFidelityFacade, Scenario

        logging.getLogger("smac").setLevel(logging.ERROR)
        self._folder = TemporaryDirectory()
        scenario = Scenario(
            copy.deepcopy(SPACE.configspace),
            output_directory=self._folder.name,  # type: ignore[arg-type]  # smac makes a Path of it
            deterministic=True,
            n_trials=int(FULL_BUDGETS),
            min_budget=LADDER.minimum * (1 - SAME_RUNG),
            max_budget=LADDER.maximum,
            seed=SEED,
        )
        self._facade = MultiFidelityFacade(scenario, None, logging_level=False, overwrite=True)
        self._running: dict[Trial, Any] = {}

    def ask(self) -> Trial:
        info = self._facade.ask()
        trial = Trial(dict(info.config), self.ladder.maximum)
        self._running[trial] = info
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        from smac.runhistory import TrialValue

        self._facade.tell(self._running.pop(trial), TrialValue(cost=evaluation.validation_error))


def contender(name: str, results: int) -> Contender:
    """The optimizer of this name, or "plain smac", that was told of so many results and has begun to use its model."""
    optimizer = (
        PlainSMAC()
        if name == "plain smac"
        else make_optimizer(name, SPACE, LADDER, seed=SEED, full_budgets=FULL_BUDGETS, any_ladder=True)
    )
    made = Contender(name, optimizer)
    if name.endswith(("smac", "smac-default")):
        _tell_smac(optimizer, results)
    elif name == "tpe":
        _tell_optuna(optimizer, results)
    elif name == "hpbandster-bohb":
        _tell_hpbandster(optimizer, results)
    else:
        for _ in range(results):
            made.step()
    # smac's initial design, of one configuration.
    made.step()
    return made


def _random_results(optimizer: Optimizer, count: int) -> Iterator[tuple[Trial, float]]:
    for configuration in SPACE.sample(np.random.default_rng(SEED), count):
        trial = Trial(configuration, LADDER.maximum)
        yield trial, outcome(optimizer, trial, failed=False).validation_error


def _tell_smac(optimizer: Any, count: int) -> None:
    from ConfigSpace import Configuration
    from smac.runhistory import TrialInfo, TrialValue

    facade = optimizer._facade
    space = facade.scenario.configspace
    for trial, error in _random_results(optimizer, count):
        info = TrialInfo(Configuration(space, values=trial.configuration), seed=0, budget=trial.budget)
        facade.tell(info, TrialValue(cost=error), save=False)


def _tell_hpbandster(optimizer: Any, count: int) -> None:
    from hpbandster.core.dispatcher import Job

    for number, (trial, error) in enumerate(_random_results(optimizer, count)):
        unit = SPACE.encode(SPACE.rows([trial.configuration]))[0].tolist()
        job = Job((number, 0, 0), config=dict(zip(SPACE.names, unit, strict=True)), budget=trial.budget)
        job.result = {"loss": error}
        # Its model is fitted once, to all of them.
        optimizer._generator.new_result(job, update_model=number == count - 1)


def _tell_optuna(optimizer: Any, count: int) -> None:
    from optuna import create_study
    from optuna.trial import create_trial

    asked = create_study().ask()
    suggested(optimizer.space, asked)
    for trial, error in _random_results(optimizer, count):
        params = as_suggested(optimizer.space, trial.configuration)
        known = create_trial(params=params, distributions=asked.distributions, value=error)
        optimizer._study.add_trial(known)
