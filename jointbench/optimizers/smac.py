"""SMAC (Lindauer et al. 2022): smac 2.4's own MultiFidelityFacade, driven by ask and tell."""

import copy
import logging
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from smac import MultiFidelityFacade, Scenario
from smac.runhistory import StatusType, TrialInfo, TrialValue

from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.optimizers.smac_parts import Forest, OrderedSearch, Selector
from jointbench.optimizers.smac_search import ArraySearch


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


class SMACDefault(Optimizer):
    """The facade with its default settings.

    It proposes what plain smac proposes with the same seed, without what takes time and changes nothing
    (`smac_parts`), and starts its local searches in an order that does not depend on the process. It never waits:
    when a rung is incomplete the next bracket is opened, so that `ask` never returns None. A failure has the error
    of guessing and the status crashed.
    """

    name = "smac-default"

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        logging.getLogger("smac").setLevel(logging.ERROR)
        # smac's configuration space holds its random state; the space's own is shared.
        configspace = copy.deepcopy(space.configspace)
        with TemporaryDirectory() as folder:
            scenario = Scenario(
                configspace,
                output_directory=folder,  # type: ignore[arg-type]  # smac makes a Path of it
                deterministic=True,
                n_trials=expected_trials(ladder, full_budgets),
                # smac counts rungs by a rounded-down logarithm, which loses one at 3^5.
                min_budget=ladder.minimum * (1 - SAME_RUNG),
                max_budget=ladder.maximum,
                seed=seed,
            )
            self._facade = MultiFidelityFacade(
                scenario,
                None,
                intensifier=MultiFidelityFacade.get_intensifier(scenario, eta=ladder.eta),  # type: ignore[arg-type]
                config_selector=Selector(scenario, retrain_after=8, max_new_config_tries=16),
                logging_level=False,
                overwrite=True,
                **self._parts(scenario),
            )
        # Bounds over all trials, recomputed at every ask and tell; only several objectives would use them.
        self._facade.runhistory._update_objective_bounds = lambda: None  # type: ignore[method-assign]
        self._running: dict[Trial, TrialInfo] = {}

    def _parts(self, scenario: Scenario) -> dict[str, Any]:
        return {
            "model": Forest(scenario, max_leaf_nodes=2**20),
            "acquisition_maximizer": OrderedSearch(scenario.configspace, seed=scenario.seed),
        }

    def ask(self) -> Trial:
        info = self._facade.ask()
        assert info.budget is not None
        proposed = info.budget
        # smac divides the maximum by powers of eta, which rounds.
        rung = min(self.ladder.rungs, key=lambda budget: abs(budget - proposed))
        trial = Trial(self.space.check(dict(info.config)), rung)
        self._running[trial] = info
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        value = TrialValue(
            cost=evaluation.validation_error,
            time=evaluation.wall_seconds,
            status=StatusType.SUCCESS if evaluation.ok else StatusType.CRASHED,
        )
        self._facade.tell(self._running.pop(trial), value, save=False)


class SMAC(SMACDefault):
    """The same algorithm with two parts that draw other random numbers, and take a fraction of the time.

    Other than in plain smac the forest's trees grow depth first (smac's limit of 2^20 leaves, never reached, makes
    scikit-learn grow them best first), and the acquisition search is `smac_search`'s.
    """

    name = "smac"

    def _parts(self, scenario: Scenario) -> dict[str, Any]:
        return {
            "model": Forest(scenario, max_leaf_nodes=None),
            "acquisition_maximizer": ArraySearch(scenario.configspace, seed=scenario.seed),
        }
