"""What is sampled at random, and by which law: ours, and those of the spaces that we hand to others."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from jointbench.data.errors import InputError
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.hyperparameters import Hyperparameter, Number
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.space import Space
from jointbench.optimizers import make_optimizer
from jointbench.surrogate import adapters
from jointbench.surrogate.stored import load_benchmark

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BENCHMARK = load_benchmark("digits-cpu")
COUNT = 20_000
INTEGERS = [h for h in JOINT.hyperparameters if h.integer]
FLOATS = [h for h in JOINT.hyperparameters if not h.integer]
LOG_INTEGERS = [h for h in INTEGERS if h.log]

#: Seeds are fixed, so that a test passes always or never; of 17 hyperparameters by 4 laws none comes near.
SURE = 1e-4


def shares(borders: np.ndarray) -> np.ndarray:
    """Of the bins between these borders, by length."""
    return np.diff(borders) / (borders[-1] - borders[0])


def ours(h: Hyperparameter) -> np.ndarray:
    """Bins that reach half a step to both sides, on the scale of the range."""
    borders = np.arange(h.low, h.high + 2) - 0.5
    return shares(np.log(borders) if h.log else borders)


def configspaces(h: Hyperparameter) -> np.ndarray:
    """ConfigSpace 1.2's: on a log scale as many bins of equal width between both ends."""
    if not h.log:
        return np.full(int(h.high - h.low) + 1, 1 / (h.high - h.low + 1))
    return shares(np.log(np.linspace(h.low, h.high, int(h.high - h.low) + 2)))


def syne_tunes(h: Hyperparameter) -> np.ndarray:
    """Rounded from numbers between both ends; on other scales as ours."""
    if not h.log:
        return ours(h)
    return shares(np.log(np.clip(np.arange(h.low, h.high + 2) - 0.5, h.low, h.high)))


def follows(values: np.ndarray, h: Hyperparameter, law: np.ndarray) -> float:
    """The p-value of a chi-squared test."""
    counts = np.bincount(values.astype(int), minlength=int(h.high) + 1)[int(h.low) :]
    return float(stats.chisquare(counts, law * len(values)).pvalue)


def of_the_benchmark() -> dict[str, np.ndarray]:
    sampled = BENCHMARK.sample(COUNT, 0)
    return {name: np.array([configuration[name] for configuration in sampled]) for name in JOINT.names}


@pytest.fixture(scope="module")
def sampled() -> dict[str, np.ndarray]:
    return of_the_benchmark()


@pytest.mark.parametrize("h", INTEGERS, ids=lambda h: h.name)
def test_integers_are_uniform_over_bins_of_half_a_step_on_their_scale(
    h: Hyperparameter, sampled: dict[str, np.ndarray]
) -> None:
    assert follows(sampled[h.name], h, ours(h)) > SURE


@pytest.mark.parametrize("h", FLOATS, ids=lambda h: h.name)
def test_floats_are_uniform_on_their_scale(h: Hyperparameter, sampled: dict[str, np.ndarray]) -> None:
    scaled = (np.log(sampled[h.name]), np.log([h.low, h.high])) if h.log else (sampled[h.name], [h.low, h.high])
    assert stats.kstest((scaled[0] - scaled[1][0]) / (scaled[1][1] - scaled[1][0]), "uniform").pvalue > SURE


def test_hyperparameters_are_independent(sampled: dict[str, np.ndarray]) -> None:
    correlations = stats.spearmanr(np.stack([sampled[name] for name in JOINT.names], axis=1)).statistic
    # Five standard deviations of an independent pair's.
    assert np.abs(correlations - np.eye(len(JOINT.names))).max() < 5 / np.sqrt(COUNT)


def test_a_sample_is_what_random_search_proposes_with_its_seed() -> None:
    for seed in (0, 7):
        search = make_optimizer("random", JOINT, Ladder(1, 27), seed=seed, full_budgets=100)
        proposed = [trial.configuration for trial in (search.ask() for _ in range(100)) if trial]
        assert BENCHMARK.sample(100, seed) == proposed
        assert BENCHMARK.sample(3, seed) == proposed[:3]
    assert BENCHMARK.sample(0, 0) == []


@pytest.mark.parametrize("count", [-1, 1.5, "3", True, None])
def test_other_counts_and_seeds_are_refused_by_name(count: object) -> None:
    with pytest.raises(InputError, match=r"^count: "):
        BENCHMARK.sample(count, 0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^seed: "):
        BENCHMARK.sample(1, count)  # type: ignore[arg-type]


class TestLawsOfOthers:
    """What our docstrings say of the spaces that we hand out; another version of a library may make it untrue."""

    @pytest.mark.parametrize("h", INTEGERS, ids=lambda h: h.name)
    def test_configspace_draws_integers_from_bins_of_equal_width_between_both_ends(self, h: Hyperparameter) -> None:
        theirs = JOINT.configspace[h.name]
        drawn = theirs.to_value(theirs.sample_vector(COUNT, seed=np.random.RandomState(0)))
        assert follows(drawn, h, configspaces(h)) > SURE
        if h.name.startswith("res_blocks"):
            # From 1 on the two laws are far apart; where a range begins at 8 or 32, so many draws do not tell them.
            assert follows(drawn, h, ours(h)) < SURE

    @pytest.mark.parametrize("h", LOG_INTEGERS, ids=lambda h: h.name)
    def test_syne_tune_rounds_integers_on_a_log_scale(self, h: Hyperparameter) -> None:
        pytest.importorskip("syne_tune")
        domain = adapters.syne_tune_blackbox(BENCHMARK).configuration_space[h.name]
        drawn = np.array(domain.sample(size=2000, random_state=np.random.RandomState(0)))
        assert follows(drawn, h, syne_tunes(h)) > SURE

    @pytest.mark.parametrize("h", LOG_INTEGERS, ids=lambda h: h.name)
    def test_optuna_has_our_bins(self, h: Hyperparameter) -> None:
        optuna = pytest.importorskip("optuna")
        distribution = optuna.distributions.IntDistribution(int(h.low), int(h.high), log=True)
        sampler, study = optuna.samplers.RandomSampler(seed=0), optuna.create_study()
        drawn = [sampler.sample_independent(study, None, h.name, distribution) for _ in range(2000)]
        assert follows(np.array(drawn), h, ours(h)) > SURE

    def test_the_shares_that_we_quote_are_theirs(self) -> None:
        blocks = JOINT.by_name["res_blocks_1"]
        of_one = {law: f"{law(blocks)[0]:.1%}".replace("%", " %") for law in (ours, configspaces, syne_tunes)}
        for law, said in (
            (ours, Number.__doc__),
            (ours, Space.configspace.__doc__),
            (configspaces, Space.configspace.__doc__),
            (syne_tunes, adapters.syne_tune_blackbox.__doc__),
            *((law, README) for law in (ours, configspaces, syne_tunes)),
        ):
            assert said is not None
            assert of_one[law] in said
