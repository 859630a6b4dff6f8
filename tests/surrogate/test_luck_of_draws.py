"""The luck of a generator's evaluations, taken apart."""

import numpy as np
import pytest

from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.metrics import VALIDATION_ERROR
from jointbench.surrogate.luck_of_draws import draws_of


def evaluated(generator: int, network: int, error: float, budget: float = 24.0, ok: bool = True) -> Evaluation:
    status = Status.OK if ok else Status.DIVERGED
    return Evaluation(
        "hnag-small", {"x": generator}, budget, 0, status, {"validation_error": error}, architecture_seed=network
    )


def test_both_parts_are_found_again() -> None:
    rng = np.random.default_rng(0)
    made = []
    for generator in range(200):
        mean = rng.uniform(0.1, 0.5)
        for network in range(8):
            drawn = mean + 0.03 * rng.normal()
            many = 8 if network == 0 and generator < 60 else 1
            made += [evaluated(generator, network, drawn + 0.02 * rng.normal()) for _ in range(many)]
    [told] = draws_of(made, VALIDATION_ERROR)
    assert (told.budget, told.generators, told.networks) == (24.0, 200, 60)
    # Variances of 1,400 and 420 degrees of freedom: standard deviations are known to a few per cent.
    assert told.architecture == pytest.approx(0.03, rel=0.1)
    assert told.training == pytest.approx(0.02, rel=0.1)


def test_a_budget_without_both_kinds_says_nothing() -> None:
    several = [evaluated(0, network, 0.1 * network) for network in range(3)]
    assert draws_of(several, VALIDATION_ERROR) == []
    trainings = [evaluated(0, 1, error, 12.0) for error in (0.1, 0.2)]
    assert draws_of([*several, *trainings], VALIDATION_ERROR) == []
    assert draws_of([*several, evaluated(0, 1, 0.9, ok=False)], VALIDATION_ERROR) == []


def test_where_trainings_explain_all_nothing_is_left_for_networks() -> None:
    made = [evaluated(0, network, 0.2) for network in range(3)] + [evaluated(1, 1, error) for error in (0.1, 0.3)]
    [told] = draws_of(made, VALIDATION_ERROR)
    assert told.architecture == 0.0
    assert told.training == pytest.approx(0.02**0.5)
