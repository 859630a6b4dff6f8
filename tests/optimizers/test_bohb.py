"""BOHB: when it models, on what, and over which hyperparameters."""

import math

import numpy as np
import pytest

from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Trial
from jointbench.optimizers.bohb import BOHB
from jointbench.optimizers.contract import outcome
from jointbench.optimizers.samplers import RANDOM_FRACTION, ModelSampler, RandomSampler

LADDER = Ladder(1.0, 27.0)


def sampler(seed: int = 0) -> ModelSampler:
    return ModelSampler(JOINT, np.random.default_rng(seed))


def observe(model: ModelSampler, count: int, budget: float, target: float) -> None:
    """Results whose loss is the distance of the momentum from `target`, on the unit scale."""
    for configuration in JOINT.sample(np.random.default_rng(1), count):
        distance = abs(JOINT.by_name["momentum"].encode(configuration["momentum"]) - target)
        model.observe(configuration, budget, float(distance))


def proposed_momentum(model: ModelSampler, count: int = 60) -> float:
    return float(np.median([JOINT.by_name["momentum"].encode(model.sample()["momentum"]) for _ in range(count)]))


def test_the_first_model_needs_36_results() -> None:
    model = sampler()
    observe(model, 35, 1.0, 0.2)
    for _ in range(20):
        model.sample()
    assert model.from_model == 0
    model.observe(JOINT.sample(np.random.default_rng(2))[0], 1.0, 0.5)
    for _ in range(20):
        model.sample()
    assert model.from_model > 0


def test_two_of_three_configurations_come_from_the_model() -> None:
    model = sampler()
    observe(model, 40, 1.0, 0.2)
    count = 600
    for _ in range(count):
        model.sample()
    expected = count * (1 - RANDOM_FRACTION)
    # Four standard deviations of the binomial.
    assert abs(model.from_model - expected) < 4 * math.sqrt(expected * RANDOM_FRACTION)


def test_the_largest_budget_with_a_model_is_used_and_smaller_ones_are_ignored() -> None:
    model = sampler()
    observe(model, 200, 1.0, 0.1)
    assert proposed_momentum(model) < 0.35
    observe(model, 35, 3.0, 0.9)
    assert proposed_momentum(model) < 0.35
    observe(model, 100, 3.0, 0.9)
    assert proposed_momentum(model) > 0.65


def test_failures_are_infinitely_bad() -> None:
    model = sampler()
    for configuration in JOINT.sample(np.random.default_rng(1), 200):
        low = JOINT.by_name["momentum"].encode(configuration["momentum"]) < 0.5
        model.observe(configuration, 1.0, math.inf if low else 0.5)
    assert proposed_momentum(model) > 0.6


def test_a_subspace_is_searched_with_the_rest_fixed() -> None:
    fixed = {name: value for name, value in JOINT.named["zela-2018"].items() if name != "momentum"}
    model = ModelSampler(JOINT, np.random.default_rng(0), fixed=fixed)
    assert model.dimensions == 1
    for loss in range(4):
        model.observe(model.sample(), 1.0, float(loss))
    seen = [model.sample() for _ in range(30)]
    assert model.from_model > 0
    for configuration in seen:
        assert JOINT.check(configuration) == configuration
        assert {name: configuration[name] for name in fixed} == fixed
    assert len({configuration["momentum"] for configuration in seen}) == 30


def test_a_uniform_vector_gives_every_integer_its_full_share() -> None:
    uniform = RandomSampler(JOINT, np.random.default_rng(0))
    counts = np.bincount([int(uniform.sample()["res_branches_1"]) for _ in range(2000)], minlength=6)[1:]
    # Four standard deviations of the binomial around 400; halved shares at the ends would be 250.
    assert np.abs(counts - 400).max() < 4 * math.sqrt(2000 * 0.2 * 0.8)


def test_before_its_first_model_bohb_is_hyperband() -> None:
    from jointbench.optimizers.hyperband import Hyperband

    bohb, hyperband = (kind(JOINT, LADDER, seed=5, full_budgets=10) for kind in (BOHB, Hyperband))
    for _ in range(40):
        mine, other = bohb.ask(), hyperband.ask()
        assert (mine.configuration, mine.budget) == (other.configuration, other.budget)
        for optimizer, trial in ((bohb, mine), (hyperband, other)):
            optimizer.tell(trial, outcome(optimizer, trial, failed=False))


@pytest.mark.parametrize("failures", [0.0, 0.3])
def test_bohb_models_most_of_what_it_samples_once_it_can(failures: float) -> None:
    bohb = BOHB(JOINT, LADDER, seed=0, full_budgets=100)
    rng = np.random.default_rng(0)
    for _ in range(300):
        trial: Trial = bohb.ask()
        bohb.tell(trial, outcome(bohb, trial, failed=bool(rng.random() < failures)))
    before = bohb.sampler.from_model
    for _ in range(200):
        bohb._sample()
    assert 100 < bohb.sampler.from_model - before < 170
