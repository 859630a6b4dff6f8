"""Tests of differences between optimizers, against worked examples and laws; nothing may warn."""

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.comparing.statistics import (
    Pair,
    bootstrap,
    groups,
    holm,
    mean_ranks,
    pairs,
    seeds_needed,
    wilcoxon,
)


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def pair(first: str, second: str, corrected: float) -> Pair:
    return Pair(first, second, 10, 0.0, corrected, corrected)


def test_holm_by_hand() -> None:
    # Four hypotheses: 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 is lifted to the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p: list[float]) -> None:
    corrected = holm(p)
    for raw, one in zip(p, corrected, strict=True):
        assert raw <= one <= min(1.0, len(p) * raw) + 1e-12
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(np.array(corrected)[order]) >= 0)


def test_wilcoxon_of_ten_wins_in_ten_is_exact() -> None:
    # All 2^10 signs are equally probable; two of them are as extreme.
    assert wilcoxon(np.arange(1, 11) / 100) == pytest.approx(2 / 2**10)


def test_wilcoxon_of_equals_is_1() -> None:
    assert wilcoxon(np.zeros(5)) == 1.0
    assert wilcoxon(np.array([])) == 1.0


@settings(max_examples=25)
@given(st.lists(st.sampled_from([-0.1, 0.0, 0.1, 0.2]), max_size=6))
def test_wilcoxon_takes_few_seeds_ties_and_zeros(differences: list[float]) -> None:
    p = wilcoxon(np.array(differences))
    assert 0 < p <= 1
    assert wilcoxon(-np.array(differences)) == pytest.approx(p)


def test_a_pair_without_a_shared_seed_is_no_difference() -> None:
    (one,) = pairs({"a": {0: 0.1}, "b": {1: 0.5}})
    assert (one.seeds, one.difference, one.corrected) == (0, 0.0, 1.0)
    assert pairs({"a": {0: 0.1}}) == []


@pytest.mark.parametrize("tested", [1, 3, 10])
def test_fewer_seeds_than_needed_cannot_show_a_difference(tested: int) -> None:
    n = seeds_needed(tested)
    assert tested * wilcoxon(np.arange(1, n + 1) / 100) < 0.05 <= tested * wilcoxon(np.arange(1, n) / 100)


def test_pairs_are_tested_on_the_seeds_that_both_have() -> None:
    errors = {
        "a": {seed: 0.1 + seed / 100 for seed in range(10)},
        "b": {seed: 0.2 + seed / 50 for seed in range(10)},
        "c": dict.fromkeys(range(3), 0.1),
    }
    tested = {(one.first, one.second): one for one in pairs(errors)}
    assert {key: one.seeds for key, one in tested.items()} == {("a", "b"): 10, ("a", "c"): 3, ("b", "c"): 3}
    assert tested["a", "b"].significant
    assert tested["a", "b"].difference == pytest.approx(-0.145)
    # Three seeds cannot show anything: the least possible p is 2 / 2^3.
    assert not tested["b", "c"].significant


def test_groups_are_the_longest_runs_without_a_difference() -> None:
    tested = [
        pair("a", "b", 0.5),
        pair("b", "c", 0.5),
        pair("a", "c", 0.01),
        pair("c", "d", 0.01),
        pair("b", "d", 0.01),
    ]
    assert groups(["a", "b", "c", "d"], [*tested, pair("a", "d", 0.01)]) == [("a", "b"), ("b", "c")]


def test_without_differences_all_are_one_group() -> None:
    assert groups(["a", "b", "c"], []) == [("a", "b", "c")]


def test_where_all_differ_there_is_no_group() -> None:
    assert groups(["a", "b"], [pair("a", "b", 0.001)]) == []


def test_ranks_are_shared_by_ties() -> None:
    errors = np.array([[0.1, 0.3], [0.2, 0.1], [0.2, 0.2]])
    np.testing.assert_allclose(mean_ranks(errors), [2.0, 1.75, 2.25])


def test_the_bootstrap_interval_of_a_mean_is_that_of_theory() -> None:
    sample = np.random.default_rng(1).normal(size=400)
    interval = bootstrap(lambda indices: sample[indices[0]].mean(axis=1), [400], resamples=4000)
    assert interval is not None
    low, high = interval
    half = 1.96 * sample.std() / 20
    # The ends of a 95 % interval from 4,000 resamples scatter by about 2 % of its width; five times that.
    assert low == pytest.approx(sample.mean() - half, abs=0.2 * half)
    assert high == pytest.approx(sample.mean() + half, abs=0.2 * half)


def test_there_is_no_interval_of_one_member() -> None:
    assert bootstrap(lambda indices: indices[0].mean(axis=1), [1]) is None
