"""NAGO's search for several objectives: its networks, its choices, its runs."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import METRICS, VALIDATION_ERROR, Metric
from jointbench.data.pareto import hypervolume
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Optimizer, make_optimizer
from jointbench.optimizers.contract import CHECKS, Check, Maker, drive, outcome
from jointbench.optimizers.nago_mobo.arithmetic import on_grid, tanh, to_kept_bits
from jointbench.optimizers.nago_mobo.choosing import cheap_front, confidence, improvements, penalty
from jointbench.optimizers.nago_mobo.network import BayesianNetworks, Priors, forward, predicted

LADDER = Ladder(1.0, 9.0)
LOSS, SIZE = Metric("loss"), Metric("size")
CUBE = PlainSpace("cube", tuple(Number(f"x{i}", 0.0, 1.0) for i in range(3)))
SIX = PlainSpace("six", tuple(Number(f"x{i}", 0.0, 1.0) for i in range(6)))
#: Short chains: what is tested is the course of a run.
QUICK = "nago-mobo:first=8:burn_in=40:again=10:samples=20:candidates=60"


def maker(name: str = QUICK, *objectives: Metric) -> Maker:
    told = objectives or (LOSS, SIZE)
    return lambda seed: make_optimizer(name, CUBE, LADDER, seed=seed, full_budgets=40.0, objectives=told)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_with_two_objectives_it_keeps_the_contract(check: Check) -> None:
    check(maker(), trials=36)


def test_a_batch_is_handed_out_and_then_waited_for() -> None:
    optimizer = maker(f"{QUICK}:batch=5")(0)
    for _ in range(40):
        trial = optimizer.ask()
        assert trial
        optimizer.tell(trial, outcome(optimizer, trial, failed=False))
    running = []
    while (trial := optimizer.ask()) is not None:
        running.append(trial)
    assert len(running) <= 5
    assert {trial.budget for trial in running} == {3.0}
    assert len({tuple(trial.configuration.values()) for trial in running}) == len(running)


@pytest.mark.parametrize("options", ["acquisition=ehvi", "uncertainty=epistemic", "priors=published", "budget=9"])
def test_options_are_other_searches(options: str) -> None:
    plain, other = (drive(maker(name)(0), 50) for name in (QUICK, f"{QUICK}:{options}"))
    assert [trial.configuration for trial, _ in plain] != [trial.configuration for trial, _ in other]


def test_what_is_exact_is_computed_and_not_modelled() -> None:
    images = ImageFacts("digits", (1, 8, 8), 10, 1_348, 150, 299)
    both, name = (VALIDATION_ERROR, METRICS["flops"]), f"{QUICK}:known=true"
    optimizer = make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=40.0, objectives=both, images=images)
    drive(optimizer, 40)
    (error,) = vars(optimizer)["_networks"].samples
    assert error.ndim == 2
    at = JOINT.sample(np.random.default_rng(0), 3)
    flops = [JOINT.facts(one, images.shape, 10).flops for one in at]
    assert vars(type(optimizer))["known_at"](optimizer, 1, at) == pytest.approx(np.log(flops))
    with pytest.raises(InputError, match="known of nago-mobo"):
        make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=40.0, objectives=both)


def test_it_begins_with_the_evaluations_of_a_log(tmp_path: Path) -> None:
    log = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, None)
    random = make_optimizer("random", JOINT, Ladder(3.0, 3.0), seed=1, full_budgets=40.0)
    for number in range(12):
        trial = random.ask()
        assert trial
        log.append([outcome(random, trial, failed=number == 3)])
    name = f"{QUICK}:start={tmp_path / 'log'}"
    optimizer = make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=40.0)
    assert len(vars(optimizer)["_losses"]) == 12
    trial = optimizer.ask()
    assert trial is not None
    assert trial.budget == 3.0
    with pytest.raises(InputError, match="a log of the space cube"):
        make_optimizer(name, CUBE, LADDER, seed=0, full_budgets=40.0)


@pytest.mark.parametrize("option", ["batch=0", "first=1", "priors=none", "acquisition=ei", "burn_in=0"])
def test_an_option_out_of_its_range_is_refused(option: str) -> None:
    with pytest.raises(InputError, match="nago-mobo"):
        make_optimizer(f"nago-mobo:{option}", CUBE, LADDER, seed=0, full_budgets=4.0, objectives=(LOSS, SIZE))


def front_of(optimizer: Optimizer, trials: int) -> float:
    """The hypervolume that it finds of two sums of six numbers that share one of them, at one budget."""
    points, running = [], 0
    while running < trials:
        trial = optimizer.ask()
        assert trial is not None
        x = SIX.encode([trial.configuration])[0]
        values = float(np.mean(x[:3])), float(np.mean([1 - x[0], *x[3:]]))
        told = outcome(optimizer, trial, failed=False).measuring(loss=values[0], size=values[1])
        optimizer.tell(trial, told)
        points.append(values)
        running += 1
    return hypervolume(np.array(points), np.array([1.0, 1.0]))


def test_it_finds_a_larger_front_than_random_search_does() -> None:
    how: dict[str, Any] = {"full_budgets": 60.0, "objectives": (LOSS, SIZE)}
    found = []
    for name in ("nago-mobo:first=20:burn_in=400:again=60:samples=60:candidates=200", "random"):
        found.append([front_of(make_optimizer(name, SIX, Ladder(3.0, 3.0), seed=seed, **how), 52) for seed in range(2)])
    ours, random = found
    assert min(ours) > max(random)


def fitted(priors: Priors = "repaired", *, heteroscedastic: bool = True, points: int = 30) -> BayesianNetworks:
    rng = np.random.default_rng(0)
    networks = BayesianNetworks(rng, priors=priors, burn_in=50, samples=8, heteroscedastic=heteroscedastic)
    at = rng.random((points, 3))
    networks.fit(at, np.stack([np.sin(3 * at[:, 0]), at[:, 1]], axis=1))
    return networks


@pytest.mark.parametrize("priors", ["repaired", "published"])
def test_gradients_are_those_of_the_energy(priors: Priors) -> None:
    """To 1 %, since weights and activations are multiples of 2^-18: differences are taken over 2^-6."""
    networks = fitted(priors)
    rng, batch = np.random.default_rng(1), np.arange(20)
    weights = on_grid(0.5 * rng.standard_normal((8, networks.layers.count)))
    weights[:, -1] = networks.prior.mean
    found = networks.gradient(weights, batch)
    step = 2.0**-6
    for column in rng.integers(networks.layers.count, size=25):
        above, below = weights.copy(), weights.copy()
        above[:, column] += step
        below[:, column] -= step
        slope = (networks.energy(above, batch) - networks.energy(below, batch)) / (2 * step)
        assert found[:, column] == pytest.approx(slope, rel=0.01, abs=0.01 * np.abs(found).max())


def test_slopes_are_those_of_the_mean() -> None:
    networks = fitted()
    at, step = np.random.default_rng(2).random((5, 3)), 2.0**-6
    found = networks.slopes_at(at)
    for column in range(3):
        moved = step * np.eye(3)[column]
        above, below = (predicted(*networks.outputs_at(at + sign * moved)).mean for sign in (1, -1))
        assert found[..., column] == pytest.approx((above - below) / (2 * step), rel=0.02, abs=0.01)


def test_without_heteroscedasticity_the_noise_is_one_number() -> None:
    noise = fitted(heteroscedastic=False).outputs_at(np.random.default_rng(0).random((6, 3)))[1]
    assert np.ptp(noise, axis=2).max() == 0
    assert np.ptp(fitted().outputs_at(np.random.default_rng(0).random((6, 3)))[1], axis=2).min() > 0


def likelihoods(priors: Priors, *, heteroscedastic: bool) -> float:
    """Negative log likelihood of 50 new points, noise growing 20-fold, of a fit to 100."""
    rng = np.random.default_rng(0)
    at = rng.random((150, 3))
    values = np.sin(4 * at[:, 1]) + 0.02 * 20 ** at[:, 0] * rng.standard_normal(150)
    networks = BayesianNetworks(rng, priors=priors, burn_in=500, samples=60, heteroscedastic=heteroscedastic)
    networks.fit(at[:100], values[:100, None])
    found = predicted(*networks.outputs_at(at[100:]))
    variance = found.deviation[0] ** 2
    apart = networks.outputs(values[100:, None])[:, 0] - found.mean[0]
    return float(np.mean(0.5 * (apart**2 / variance + np.log(2 * math.pi * variance))))


def test_published_priors_are_sure_of_too_much_and_repaired_ones_know_the_noise() -> None:
    """Guessing the mean with its spread has 1.42; noise of 0.1 % of the spread is punished by the square."""
    with_noise = likelihoods("repaired", heteroscedastic=True)
    assert with_noise < likelihoods("repaired", heteroscedastic=False) < 1.42
    assert likelihoods("published", heteroscedastic=True) > 3


def test_a_constant_column_and_a_constant_target_are_no_trouble() -> None:
    networks = BayesianNetworks(np.random.default_rng(0), burn_in=20, samples=8)
    networks.fit(np.ones((10, 2)), np.zeros((10, 1)))
    assert np.isfinite(predicted(*networks.outputs_at(np.zeros((3, 2)))).deviation).all()


@pytest.mark.parametrize(("points", "priors"), [(47, "repaired"), (13, "published"), (1, "repaired")])
def test_compiled_chains_are_those_on_arrays(points: int, priors: Priors) -> None:
    pytest.importorskip("llvmlite")
    rng = np.random.default_rng(points)
    told = rng.random((points, 3))
    targets = np.stack([told.sum(axis=1), 1e3 * rng.standard_normal(points)], axis=1)
    found = []
    for compiled in (True, False):
        networks = BayesianNetworks(np.random.default_rng(1), priors=priors, burn_in=37, again=10, samples=20)
        assert networks._machine_code is not None
        if not compiled:
            networks._machine_code = None
        for _ in range(2):
            # The second goes on from the first, and from the random numbers that it left.
            networks.fit(told, targets)
            found.append((networks.samples, *networks.outputs_at(told), networks.slopes_at(told)))
    for number in range(2):
        for mine, their in zip(found[number], found[number + 2], strict=True):
            np.testing.assert_array_equal(mine, their)


def test_products_have_the_same_bits_in_any_order() -> None:
    networks, rng = fitted(), np.random.default_rng(3)
    points, order = on_grid(rng.standard_normal((40, 3))), rng.permutation(40)
    flat = networks.samples.reshape(-1, networks.layers.count)
    there = forward(networks.layers, flat, points)[-1]
    assert (forward(networks.layers, flat, points[order])[-1] == there[:, order]).all()
    wide, slopes = on_grid(rng.standard_normal((20, 50))), to_kept_bits(1e5 * rng.standard_normal((50, 7)))
    mixed = rng.permutation(50)
    assert (wide @ slopes == wide[:, mixed] @ slopes[mixed]).all()


@given(st.floats(-40, 40))
def test_the_tangent_is_one_to_a_part_in_a_million_and_a_grid(value: float) -> None:
    (found,) = tanh(np.array([value]))
    assert found == pytest.approx(math.tanh(value), abs=2**-19 + 1e-6)
    assert found * 2**18 == round(found * 2**18)


def test_the_penalty_is_nothing_at_the_chosen_point_and_one_where_the_best_can_lie() -> None:
    points = np.array([[0.0, 0.0], [0.3, 0.4], [0.6, 0.8], [1.0, 1.0]])
    found = penalty(points, points[0], slope=2.0, mean=1.5, deviation=0.5, best=0.0)
    assert found.tolist() == [0.0, 0.5, 1.0, 1.0]
    # A mean below the best is as far away from it.
    assert (penalty(points, points[0], 2.0, -1.5, 0.5, 0.0) == found).all()


def test_the_cheap_front_goes_on_with_the_rest_until_there_are_enough() -> None:
    acquisitions = np.array([[0.0, 2.0], [2.0, 0.0], [1.0, 3.0], [3.0, 3.0]])
    assert cheap_front(acquisitions, 1).tolist() == [0, 1]
    assert cheap_front(acquisitions, 3).tolist() == [0, 1, 2]
    assert cheap_front(acquisitions, 9).tolist() == [0, 1, 2, 3]
    assert cheap_front(acquisitions[:, :1], 2).tolist() == [0, 2]


def test_confidence_follows_its_formula() -> None:
    assert confidence(3, 8) == pytest.approx(math.sqrt(math.log(3**6 * math.pi**2 / 0.15)))


_POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6)


@given(_POINTS, st.tuples(st.integers(-1, 7), st.integers(-1, 7)))
def test_an_improvement_is_a_difference_of_hypervolumes(front: list[tuple[int, int]], new: tuple[int, int]) -> None:
    reference, known = np.array([5.0, 5.0]), np.array(front, dtype=float)
    wider: FloatArray = np.append(known, [np.array(new, dtype=float)], axis=0)
    gained = improvements(known, reference, np.array([float(new[0])]), np.array([float(new[1])]))
    assert gained[0] == hypervolume(wider, reference) - hypervolume(known, reference)
