"""Optimizers search for what they are told to: another metric, one to be maximised, several."""

import math
from importlib.util import find_spec

import numpy as np
import pytest

from jointbench.data.errors import InputError
from jointbench.data.evaluation import Evaluation
from jointbench.data.incumbent import Incumbents
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import METRICS, VALIDATION_ERROR, Metric
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Optimizer, Trial, make_optimizer
from jointbench.optimizers.contract import (
    Check,
    Maker,
    check_deterministic,
    check_goes_on,
    check_legal,
    check_no_number,
    check_objectives,
    drive,
    outcome,
    proposals,
)

LADDER, SHORT = Ladder(1.0, 27.0), Ladder(9.0, 27.0)
SCORE = Metric("score", maximize=True)
ACCURACY = Metric("accuracy", "fraction", maximize=True, bounds=(0, 1), failure=0.0)

#: By Optuna, where it is installed.
OPTUNA = ["tpe", "optuna.NSGAIISampler"] if find_spec("optuna") else []
LEARNING = ["hyperband", "bohb", "asha", "regularized-evolution", "two-stage", *OPTUNA[:1], "smac"]
SEVERAL = {"random": 60, "smac": 10, **dict.fromkeys(OPTUNA, 25)}


def _checks(name: str) -> list[Check]:
    quick: list[Check] = [check_deterministic, check_no_number, check_objectives]
    return quick if name.startswith("smac") else [*quick, check_legal, check_goes_on]


def maker(name: str, *objectives: Metric) -> Maker:
    ladder = SHORT if name.startswith("smac") else LADDER
    return lambda seed: make_optimizer(name, JOINT, ladder, seed=seed, full_budgets=10.0, objectives=objectives)


class Mirrored(Optimizer):
    """Hears of a score that is the validation error with the other sign."""

    def __init__(self, inner: Optimizer) -> None:
        super().__init__(inner.space, inner.ladder, seed=inner.seed, full_budgets=inner.full_budgets)
        self.inner = inner

    def ask(self) -> Trial | None:
        return self.inner.ask()

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        self.inner.tell(trial, evaluation.measuring(score=-evaluation.validation_error))


@pytest.mark.parametrize("name", LEARNING)
def test_maximising_is_minimising_with_the_other_sign(name: str) -> None:
    trials = 12 if name == "smac" else 25 if name in OPTUNA else 120
    # smac counts a failure as 1 where the metric says so, and a score says nothing.
    failures = 0.0 if name == "smac" else 0.1
    plain = drive(maker(name, VALIDATION_ERROR)(0), trials, failures=failures)
    mirrored = drive(Mirrored(maker(name, SCORE)(0)), trials, failures=failures)
    assert proposals(mirrored) == proposals(plain)


@pytest.mark.parametrize(("name", "check"), [(name, check) for name in SEVERAL for check in _checks(name)])
def test_with_several_objectives_an_optimizer_keeps_the_contract(name: str, check: Check) -> None:
    check(maker(name, VALIDATION_ERROR, ACCURACY), trials=SEVERAL[name])


@pytest.mark.parametrize("name", ["hyperband", "bohb", "asha", "two-stage", *(["cma-es"] if OPTUNA else [])])
def test_an_optimizer_of_one_objective_refuses_several(name: str) -> None:
    with pytest.raises(InputError, match="several objectives"):
        maker(name, VALIDATION_ERROR, ACCURACY)(0)


def test_an_objective_stands_once_and_there_is_one() -> None:
    for objectives in ((), (ACCURACY, ACCURACY)):
        with pytest.raises(InputError, match="metrics"):
            maker("random", *objectives)(0)


@pytest.mark.parametrize("name", ["smac", "smac-default", "smac.BlackBoxFacade"])
def test_smac_is_told_each_objective_as_a_cost(name: str) -> None:
    optimizer = maker(name, METRICS["latency"], SCORE)(0)
    first, second = (optimizer.ask() for _ in range(2))
    assert first
    assert second
    ended = outcome(optimizer, first, failed=False)
    optimizer.tell(first, ended.measuring(latency=0.25, score=7.0))
    optimizer.tell(second, outcome(optimizer, second, failed=True))
    costs = [value.cost for value in vars(optimizer)["_facade"].runhistory._data.values()]
    # Of a failure nothing is finite: the worst that was told.
    assert costs == [[0.25, -7.0], [0.25, -7.0]]


@pytest.mark.skipif(not OPTUNA, reason="needs Optuna")
def test_a_search_for_two_objectives_finds_both_ends_of_a_front() -> None:
    """More than one for the first alone: the second objective's best is far from the first's."""
    both, alone = maker("tpe", VALIDATION_ERROR, ACCURACY)(0), maker("tpe", VALIDATION_ERROR)(0)
    best = []
    for optimizer in (both, alone):
        heard = Incumbents((ACCURACY,))
        for trial, evaluation in drive(optimizer, 120):
            if evaluation is not None:
                point = JOINT.encode(JOINT.rows([trial.configuration]))[0]
                heard.hear(evaluation.measuring(accuracy=1 - float(np.mean((point - 0.6) ** 2))))
        assert heard.best
        best.append(heard.best.metrics["accuracy"])
    assert math.isfinite(best[0])
    assert best[0] > best[1]
