"""BOHB that promotes fronts: its ranks, and what they are with one objective."""

import math
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.ladder import Ladder
from jointbench.data.metrics import Metric
from jointbench.data.pareto import non_dominated
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.bohb_fronts import crowding, sorted_by_fronts
from jointbench.optimizers.contract import CHECKS, Check, drive, outcome, proposals

LADDER, LOSS, SIZE = Ladder(1.0, 9.0), Metric("loss"), Metric("size")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_with_two_objectives_it_keeps_the_contract(check: Check) -> None:
    how = {"full_budgets": 40.0, "objectives": (LOSS, SIZE)}
    check(lambda seed: make_optimizer("mo-bohb", JOINT, LADDER, seed=seed, **how), trials=90)  # type: ignore[arg-type]


def test_with_one_objective_it_is_bohb_to_the_bit() -> None:
    ours, plain = (make_optimizer(name, JOINT, LADDER, seed=3, full_budgets=40.0) for name in ("mo-bohb", "bohb"))
    runs = [proposals(drive(one, 200, outstanding=4, failures=0.1)) for one in (ours, plain)]
    assert runs[0] == runs[1]


def test_the_front_of_a_rung_goes_up() -> None:
    how = {"full_budgets": 40.0, "objectives": (LOSS, SIZE)}
    optimizer = make_optimizer("mo-bohb", JOINT, LADDER, seed=0, **how)  # type: ignore[arg-type]
    told = [
        (0.1, 9.0),
        (0.2, 8.0),
        (0.9, 0.1),
        (0.3, 9.5),
        (0.5, 5.0),
        (0.6, 6.0),
        (0.8, 9.9),
        (0.7, 9.8),
        (math.nan, 0),
    ]
    first = []
    for loss, size in told:
        trial = optimizer.ask()
        assert trial
        first.append(trial)
        optimizer.tell(trial, outcome(optimizer, trial, failed=False).measuring(loss=loss, size=size))
    promoted = [optimizer.ask() for _ in range(3)]
    at = [first.index(next(t for t in first if t.configuration == one.configuration)) for one in promoted if one]
    assert {one.budget for one in promoted if one} == {3.0}
    # Of the front's four the ends, and the one with the farthest neighbours.
    assert at == [0, 2, 4]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=15))
def test_who_is_dominated_comes_later(points: list[tuple[int, int]]) -> None:
    losses = np.array(points, dtype=float)
    order = sorted_by_fronts(losses)
    assert sorted(order) == list(range(len(points)))
    front = int(non_dominated(losses).sum())
    assert non_dominated(losses)[order[:front]].all()


def test_the_ends_of_a_front_are_the_least_crowded() -> None:
    found = crowding(np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0], [1.5, 1.5]]))
    assert found.tolist() == [math.inf, 1.5 / 4 + 2.5 / 4, math.inf, 3.0 / 4 + 2.0 / 4]


@pytest.mark.skipif(not find_spec("optuna"), reason="needs Optuna")
def test_rivals_go_by_the_names_of_their_libraries() -> None:
    for name in ("smac.ParEGO", "optuna.NSGAIISampler"):
        made = make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=8.0, objectives=(LOSS, SIZE))
        trial = made.ask()
        assert trial
        assert (made.name, trial.budget) == (name, 9.0)
        made.tell(trial, outcome(made, trial, failed=False))
