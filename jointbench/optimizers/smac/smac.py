"""SMAC (Lindauer et al. 2022): smac 2.4's own facades, driven by ask and tell."""

import copy
import logging
import math
from inspect import signature
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import smac
from ConfigSpace import Configuration
from smac import Scenario
from smac.acquisition.maximizer import LocalAndSortedRandomSearch
from smac.facade.abstract_facade import AbstractFacade
from smac.intensifier.hyperband import Hyperband
from smac.main.exceptions import ConfigurationSpaceExhaustedException
from smac.model.random_forest import RandomForest
from smac.multi_objective.parego import ParEGO
from smac.runhistory import StatusType, TrialInfo, TrialValue
from smac.runhistory.encoder import RunHistoryLogScaledEncoder

from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.optimizers.smac.cube import MOST_LEVELS, CubeSpace
from jointbench.optimizers.smac.encoder import ExactEncoder
from jointbench.optimizers.smac.forest import ExactForest
from jointbench.optimizers.smac.parts import (
    Brackets,
    BracketsHistory,
    Forest,
    ForestSelector,
    History,
    Selector,
    in_order,
)
from jointbench.optimizers.smac.search import ArraySearch


def expected_trials(ladder: Ladder, full_budgets: float) -> int:
    """Evaluations in so many full budgets of smac's Hyperband; it sizes its initial design by them."""
    trials, cost = 0, 0.0
    top = len(ladder.rungs) - 1
    for rungs in range(top, -1, -1):
        first = np.ceil(ladder.eta**rungs * (top + 1) / (rungs + 1) - 1e-9)
        sizes = np.floor(first / ladder.eta ** np.arange(rungs + 1) + 1e-9)
        trials += int(sizes.sum())
        cost += float(sizes @ np.array(ladder.rungs[top - rungs :])) / ladder.maximum
    return max(1, int(full_budgets / cost * trials))


class SMACFacade(Optimizer):
    """Any facade of smac's: `facade` is its class, with its default settings.

    It proposes what the facade proposes with the same seed, without what takes time and changes nothing
    (`smac_parts`), and starts its local searches in an order that does not depend on the process. A facade without
    budgets evaluates at the largest. None of them waits: `ask` returns None where smac finds no configuration of a
    small space that it has not proposed, which ends the search. A failure has the status crashed and the cost that it
    counts as, and so has a value that is no finite number. Several objectives are brought together by ParEGO (Knowles
    2006).
    """

    facade: ClassVar[str]
    several_objectives = True

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        logging.getLogger("smac").setLevel(logging.ERROR)
        kind: type[AbstractFacade] = getattr(smac, self.facade)
        by_budgets = _by_budgets(self.facade)
        # smac counts rungs by a rounded-down logarithm, which loses one at 3^5.
        budgets = {"min_budget": ladder.minimum * (1 - SAME_RUNG), "max_budget": ladder.maximum} if by_budgets else {}
        several = len(self.objectives) > 1
        self._worst = [-math.inf for _ in self.objectives]
        # smac's configuration space holds its random state; the space's own is shared.
        configspace = copy.deepcopy(space.configspace)
        with TemporaryDirectory() as folder:
            scenario = Scenario(
                configspace,
                output_directory=folder,  # type: ignore[arg-type]  # smac makes a Path of it
                deterministic=True,
                n_trials=expected_trials(ladder, full_budgets) if by_budgets else max(1, int(full_budgets)),
                seed=seed,
                objectives=[objective.name for objective in self.objectives] if several else "cost",
                **budgets,  # type: ignore[arg-type]
            )
            eta: dict[str, Any] = {"eta": ladder.eta} if by_budgets else {}
            intensifier = kind.get_intensifier(scenario, **eta)
            self._facade = kind(
                scenario,
                None,
                intensifier=Brackets.of(intensifier) if isinstance(intensifier, Hyperband) else intensifier,
                multi_objective_algorithm=ParEGO(scenario) if several else None,
                logging_level=False,
                overwrite=True,
                **self._parts(kind, scenario),
            )
        if not several or not by_budgets:
            (BracketsHistory if by_budgets else History).of(self._facade.runhistory)
        if self.first:
            design = self._facade._config_selector._initial_design_configs
            values = self.space.changed(self.space.check(dict(design[0])), self.first)
            design[0] = Configuration(configspace, values=values)
        self._first_config: Configuration | None = None
        self._running: dict[Trial, TrialInfo] = {}
        self._exhausted = False

    def _parts(self, kind: type[AbstractFacade], scenario: Scenario) -> dict[str, Any]:
        model, search = kind.get_model(scenario), kind.get_acquisition_maximizer(scenario)
        selector = Selector.of(kind.get_config_selector(scenario))
        if isinstance(search, LocalAndSortedRandomSearch):
            search = in_order(search)
        if isinstance(model, RandomForest):
            model, selector = Forest.of(model), ForestSelector.of(selector)
        return {"model": model, "acquisition_maximizer": search, "config_selector": selector}

    def ask(self) -> Trial | None:
        if self._exhausted:
            return None
        try:
            info = self._facade.ask()
        except ConfigurationSpaceExhaustedException:
            self._exhausted = True
            return None
        proposed = self.ladder.maximum if info.budget is None else info.budget
        # smac divides the maximum by powers of eta, which rounds.
        rung = min(self.ladder.rungs, key=lambda budget: abs(budget - proposed))
        configuration = self.space.check(dict(info.config))
        if self.first:
            self._first_config = self._first_config or info.config
            if info.config == self._first_config:
                # Where points lie on a grid the values do not.
                configuration = self.space.changed(configuration, self.first)
        trial = Trial(configuration, rung)
        self._running[trial] = info
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        losses = [objective.loss_of(evaluation) for objective in self.objectives]
        ended = all(map(math.isfinite, losses))
        costs = losses if ended else self._failure_costs
        if ended:
            self._worst = [max(pair) for pair in zip(self._worst, losses, strict=True)]
        value = TrialValue(
            cost=costs if len(costs) > 1 else costs[0],
            time=evaluation.duration,
            status=StatusType.SUCCESS if ended else StatusType.CRASHED,
        )
        self._facade.tell(self._running.pop(trial), value, save=False)

    @property
    def _failure_costs(self) -> list[float]:
        """What a failure counts as; where an objective does not say it, the worst that was told."""
        # smac's models are fitted to the costs of crashes too.
        told = [worst if math.isfinite(worst) else 0.0 for worst in self._worst]
        return [
            worst if objective.failure is None else objective.loss(objective.failure)
            for objective, worst in zip(self.objectives, told, strict=True)
        ]


class SMACDefault(SMACFacade):
    """smac's Hyperband with a forest. When a rung is incomplete the next bracket is opened."""

    name = "smac-default"
    facade = "MultiFidelityFacade"
    fewest_rungs = 2


class QuickFacade(SMACFacade):
    """A facade with a forest, whose forest grows and whose searches run as `SMAC` says.

    In a space of choices, conditions or integers of very many values the searches are smac's own, and hang on the bits
    of the processor.
    """

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        selector, configspace = self._facade._config_selector, self._facade.scenario.configspace
        if isinstance(configspace, CubeSpace):
            selector._initial_design_configs = [configspace.moved(one) for one in selector._initial_design_configs]

    def _parts(self, kind: type[AbstractFacade], scenario: Scenario) -> dict[str, Any]:
        parts = super()._parts(kind, scenario)
        model = kind.get_model(scenario)
        assert isinstance(model, RandomForest)
        many = any(h.integer and h.high - h.low >= MOST_LEVELS for h in self.space.hyperparameters)
        if many or not self.space.all_numbers:
            # The parts below know numbers that are always there, and have a table of each integer's values. Without a
            # limit of leaves trees grow depth first.
            return {**parts, "model": Forest.of(model, max_leaf_nodes=None)}
        forest = ExactForest.of(model)
        space = CubeSpace.of(scenario.configspace)
        encoder = kind.get_runhistory_encoder(scenario)
        assert isinstance(encoder, RunHistoryLogScaledEncoder)
        return {
            **parts,
            "model": forest,
            "acquisition_maximizer": ArraySearch(space, seed=scenario.seed),
            "runhistory_encoder": ExactEncoder.of(encoder),
        }


class SMAC(QuickFacade, SMACDefault):
    """The same algorithm as `smac-default` with parts that draw other random numbers, and take a fraction of the time.

    Other than in plain smac the forest's trees grow depth first (smac's limit of 2^20 leaves, never reached, makes
    scikit-learn grow them best first), and the acquisition search is `smac_search`'s. Points lie on a grid and all
    that a proposal hangs on has the same bits on every processor (`smac_cube`, `smac_forest`, `smac_encoder`).
    """

    name = "smac"


class SMACParEGO(QuickFacade):
    """smac's usual facade (a forest, at the largest budget), which ParEGO tells one cost where there are several
    objectives, with the parts of `SMAC`; `smac.HyperparameterOptimizationFacade` is the same with smac's own."""

    name = "smac.ParEGO"
    facade = "HyperparameterOptimizationFacade"


def facade_of(name: str) -> type[SMACFacade]:
    """The facade that smac calls so, or `SMACParEGO` by ParEGO, which is no facade. Raises UnknownNameError."""
    if name == "ParEGO":
        return SMACParEGO
    known = [one for one in smac.__all__ if one.endswith("Facade")]
    if name not in known:
        raise UnknownNameError.of("optimizer", f"smac.{name}", [f"smac.{one}" for one in [*known, "ParEGO"]])
    fewest = {"fewest_rungs": 2} if _by_budgets(name) else {}
    return type(name, (SMACFacade,), {"name": f"smac.{name}", "facade": name, **fewest})


def _by_budgets(facade: str) -> bool:
    return "eta" in signature(getattr(smac, facade).get_intensifier).parameters
