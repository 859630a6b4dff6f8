"""Scores over several partitions, their intervals, their ceiling, and scores among the best."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.surrogate.judging.best import among, best, held_against, lowest
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.noise_floor import noise_floor
from jointbench.surrogate.judging.scores import RESAMPLES, resampled_scores, resamples, scores, with_intervals
from jointbench.surrogate.noise import ErrorScale, Noise
from jointbench.surrogate.repeats import Repeats
from jointbench.surrogate.stored import released
from jointbench.surrogate.table import TrainingTable, training_table

GROUPS, SEEDS = 200, 3


@pytest.fixture(scope="module")
def table() -> TrainingTable:
    return training_table(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))


@pytest.fixture(scope="module")
def known(table: TrainingTable) -> HeldOut:
    """Trainings whose truth is predicted exactly and whose luck is said rightly, in two partitions that agree."""
    true, rng, groups = Noise(0.05, 0.5, 0.5), np.random.default_rng(0), np.repeat(np.arange(GROUPS), SEEDS)
    logit, spread = rng.normal(-1, 1, GROUPS)[groups], rng.exponential(0.2, GROUPS)[groups]
    moved = logit + true.luck(spread, rng.normal(size=len(groups)))
    scales = ErrorScale(table.images.validation), ErrorScale(table.images.test)
    errors = [true.counted(s.from_logit(moved), rng.normal(size=len(groups)), s.images) for s in scales]
    one = table.take(np.repeat(np.flatnonzero(table.ok & (table.budgets == 27))[:1], len(groups)))
    made = replace(one, errors=np.stack(errors, axis=1), group=groups, seed=np.arange(len(groups)))
    mean = np.stack([s.from_logit(logit) for s in scales], axis=1)
    return HeldOut(made, groups * 0, mean, spread, made.costs, {}, true, {}, others=mean[None])


class TestRepeats:
    def test_trainings_of_one_seed_are_no_repeats(self, table: TrainingTable) -> None:
        repeats = Repeats.of(table)
        for rows in repeats.rows:
            assert len(set(table.seed[rows])) == len(rows) > 1
        # 106 groups hold several trainings, 31 of them of one seed alone: Hyperband's, proposed by BOHB as well.
        assert len(repeats) == 75
        # At a second nothing else was repeated: the floor of .013 that this log's card quoted there was of one seed.
        assert 1.0 not in table.budgets[[rows[0] for rows in repeats.rows]]

    def test_a_log_of_two_optimizers_that_propose_the_same_has_none(self, table: TrainingTable) -> None:
        ok = np.flatnonzero(table.ok)[:40]
        twice = table.take(np.concatenate([ok, ok]))
        assert len(Repeats.of(replace(twice, group=np.tile(np.arange(40), 2)))) == 0
        other = replace(twice, group=np.tile(np.arange(40), 2), seed=np.arange(80))
        assert len(Repeats.of(other)) == 40

    def test_the_largest_seeds_stay_apart(self, table: TrainingTable) -> None:
        two = table.take(np.repeat(np.flatnonzero(table.ok)[:1], 2))
        assert len(Repeats.of(replace(two, seed=np.array([2**62, 2**62 + 1])))) == 1


class TestIntervals:
    @given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=4, max_size=30))
    def test_a_resample_that_draws_each_once_has_the_scores_of_all(self, pairs: list[tuple[int, int]]) -> None:
        real, predicted = np.array(pairs).T / 1000
        found, drawn = scores(real, predicted), resampled_scores(real, predicted[None], np.ones((1, len(real))))
        for key, values in drawn.items():
            if found[key] is not None:
                assert values[0] == pytest.approx(found[key], abs=1e-6)

    def test_a_configuration_is_drawn_with_all_its_evaluations(self) -> None:
        group = np.array([3, 3, 8, 9, 8, 3])
        drawn = resamples(group, np.random.default_rng(0))
        assert drawn.shape == (RESAMPLES, 6)
        np.testing.assert_array_equal(drawn[:, 0], drawn[:, 5])
        np.testing.assert_array_equal(drawn[:, [0, 2, 3]].sum(axis=1), 3)

    def test_an_interval_holds_the_middle_of_the_resamples(self) -> None:
        made = with_intervals({"r2": 0.5}, {"r2": np.linspace(0, 1, 201)})
        assert made == {"r2": 0.5, "r2_low": pytest.approx(0.025), "r2_high": pytest.approx(0.975)}

    def test_an_interval_of_means_is_as_wide_as_theory_says(self) -> None:
        rng = np.random.default_rng(0)
        real = rng.normal(size=400)
        rmse = resampled_scores(real, np.zeros((1, 400)), resamples(np.arange(400), rng))["rmse"]
        # The standard error of a standard deviation of normal numbers is 1 / sqrt(2 n) = 0.035.
        assert rmse.std() == pytest.approx(0.035, rel=0.3)


class TestCeiling:
    def test_a_perfect_predictor_reaches_the_ceiling(self, known: HeldOut) -> None:
        rows = [row for row in known.scores() if row["budget"] == 27]
        assert len(rows) == 2
        for row in rows:
            for key in ("r2", "sparse_kendall", "spearman"):
                # 200 configurations: the ceiling is the mean of 20 such logs, this is one of them.
                assert row[key] == pytest.approx(row[f"ceiling_{key}"], abs=0.03)

    def test_one_that_errs_stays_below(self, known: HeldOut) -> None:
        off = np.clip(known.errors + np.random.default_rng(1).normal(0, 0.1, known.errors.shape), 0, 1)
        # The truth that the ceiling takes for granted is then noisier, which does not lift what is predicted.
        for row in replace(known, errors=off, others=off[None]).scores()[:2]:
            if row["r2"] is not None:
                assert row["r2"] < row["ceiling_r2"]

    def test_scores_are_means_over_the_partitions(self, known: HeldOut) -> None:
        worse = np.clip(known.errors + np.random.default_rng(1).normal(0, 0.1, known.errors.shape), 0, 1)
        real = known.table.errors[:, 0]
        mean = np.mean([scores(real, said[:, 0])["r2"] for said in (known.errors, worse)])
        row = next(row for row in replace(known, others=worse[None]).scores() if row["budget"] == 27)
        assert row["r2"] == pytest.approx(mean)
        assert row["r2_low"] < row["r2"] < row["r2_high"]


class TestBest:
    def test_the_best_are_chosen_by_configuration(self) -> None:
        real = np.array([0.1, 0.5, 0.2, 0.2, 0.4, 0.4, 0.9, 0.9])
        chosen = lowest(real, np.repeat(np.arange(4), 2), 0.25)
        # The first configuration has the luckiest training, the second the lowest mean.
        assert np.flatnonzero(chosen).tolist() == [2, 3]

    def test_a_constant_factor_is_the_relative_bias(self) -> None:
        real = np.linspace(0.1, 0.3, 9)
        found = among(real, 1.1 * real)
        assert found["relative_bias"] == pytest.approx(0.1)
        assert found["bias"] == pytest.approx(0.1 * real.mean())
        assert found["spearman"] == pytest.approx(1)

    @given(st.lists(st.tuples(st.floats(0, 0.99), st.floats(0, 1)), min_size=2, max_size=9))
    def test_an_accuracy_is_judged_as_the_error_that_it_leaves(self, pairs: list[tuple[float, float]]) -> None:
        real, said = np.array(pairs).T
        accuracy = Metric("accuracy", maximize=True, bounds=(0, 1))
        left = among(1 - real, 1 - said)
        found = among(-real, -said, held_against(accuracy, -real))
        for key in ("relative_bias", "rmse", "bias"):
            assert found[key] == pytest.approx(left[key], abs=1e-9)

    def test_what_is_maximised_without_a_bound_is_held_against_the_spread(self) -> None:
        reward = -np.linspace(900, 1000, 50)
        against = held_against(Metric("reward", maximize=True), reward)
        assert among(reward[-9:], reward[-9:] + 29, against)["relative_bias"] == pytest.approx(29 / reward.std())

    def test_a_perfect_predictor_is_above_by_luck_alone(self, known: HeldOut) -> None:
        for row in best(known, 0):
            # Some 50 or 20 configurations of three trainings, against the mean of 20 drawn logs.
            assert row["bias"] == pytest.approx(row["ceiling_bias"], abs=0.01)
            assert row["relative_bias_low"] < row["relative_bias"] < row["relative_bias_high"]

    def test_too_few_are_not_scored(self, known: HeldOut) -> None:
        few = np.arange(12)
        small = replace(
            known, **{key: getattr(known, key)[few] for key in ("fold", "errors", "spread", "costs")},
            table=known.table.take(few), others=known.others[:, few],
        )  # fmt: skip
        assert {row["share"] for row in best(small, 0)} <= {0.25}


def test_the_noise_floor_counts_other_seeds_alone(known: HeldOut) -> None:
    same = replace(known, table=replace(known.table, seed=np.zeros(len(known.table), dtype=np.int64)))
    assert noise_floor(same, 0) == []
