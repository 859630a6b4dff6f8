"""Trajectories: bands, ranks, regret and speed-up, written down by hand and as laws."""

import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from comparing import both
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.comparing.speedup import Speedup, speedup
from jointbench.bench.comparing.summary import cells, rows
from jointbench.bench.comparing.trajectories import (
    FloatArray,
    Trajectory,
    band,
    best_value,
    change_times,
    ranks_over_time,
    shared_seeds,
    time_grid,
)
from jointbench.data.metrics import TEST_ERROR

TIMES = st.lists(st.floats(0.01, 1e5), min_size=1, max_size=8, unique=True).map(sorted)


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def trajectory(errors: list[float], seed: int = 0, start: float = 1.0) -> Trajectory:
    """Errors at start, 2 start, 4 start, ..."""
    values = np.array(errors)
    return Trajectory("x", seed, start * 2.0 ** np.arange(len(errors)), both(values, values / 2))


@st.composite
def runs(draw: st.DrawFn, least: int = 1) -> list[Trajectory]:
    """Any number of runs from 0.01 s on, with few different errors, so that there are ties."""
    made = []
    for seed in range(draw(st.integers(least, 4))):
        times = draw(TIMES)
        errors = np.array(draw(st.lists(st.integers(0, 9), min_size=len(times), max_size=len(times)))) / 10
        made.append(Trajectory("x", seed, np.array(times), both(errors, errors)))
    return made


def stretched(some: list[Trajectory], factor: float) -> list[Trajectory]:
    return [replace(t, seconds=t.seconds * factor) for t in some]


class TestInTime:
    def test_before_its_first_answer_a_run_has_no_error(self) -> None:
        one = trajectory([0.5, 0.2], start=2.0)
        np.testing.assert_array_equal(one.at(np.array([1.0, 2.0, 3.9, 4.0, 9.0])), [np.nan, 0.5, 0.5, 0.2, 0.2])
        np.testing.assert_array_equal(one.at(np.array([4.0]), TEST_ERROR), [0.1])

    def test_of_several_ends_at_one_time_the_last_counts(self) -> None:
        errors = np.array([0.5, 0.4, 0.3])
        one = Trajectory("x", 0, np.array([1.0, 1.0, 1.0]), both(errors, errors))
        np.testing.assert_array_equal(one.at(np.array([1.0])), [0.3])

    @given(runs())
    def test_at_its_own_times_a_run_has_its_own_errors(self, some: list[Trajectory]) -> None:
        for one in some:
            np.testing.assert_array_equal(one.at(one.seconds), one.values)
            assert one.at(np.array([1e9]))[0] == one.values[-1]

    @given(runs(), TIMES)
    def test_a_run_changes_only_at_its_change_times(self, some: list[Trajectory], grid: list[float]) -> None:
        times = change_times(some)
        for moment in grid:
            before = times[times <= moment]
            for one in some:
                now, then = one.at(np.array([moment])), one.at(before[-1:])
                np.testing.assert_array_equal(now, then if len(then) else [np.nan])

    def test_the_grid_begins_with_the_first_end_that_took_time(self) -> None:
        errors = np.array([0.5, 0.4, 0.3])
        instant = Trajectory("x", 0, np.array([0.0, 2.0, 8.0]), both(errors, errors))
        grid = time_grid({"x": [instant]})
        assert (grid[0], grid[-1]) == pytest.approx((2.0, 8.0))
        assert len(time_grid({"x": [Trajectory("x", 0, np.zeros(1), both(errors[:1], errors[:1]))]})) == 1


class TestBand:
    def test_is_the_quartiles_over_runs(self) -> None:
        several = [trajectory([error], seed) for seed, error in enumerate((0.1, 0.2, 0.4))]
        lower, median, upper = band(several, np.array([1.0]))
        assert (lower[0], median[0], upper[0]) == pytest.approx((0.15, 0.2, 0.3))

    @given(runs(), TIMES)
    def test_is_in_order_and_does_not_depend_on_that_of_the_runs(
        self, some: list[Trajectory], grid: list[float]
    ) -> None:
        at = np.array(grid)
        lower, median, upper = band(some, at)
        known = ~np.isnan(median)
        assert np.all(lower[known] <= median[known])
        assert np.all(median[known] <= upper[known])
        assert np.array_equal(known, at >= max(one.seconds[0] for one in some))
        np.testing.assert_array_equal(band(some[::-1], at), (lower, median, upper))


class TestSpeedup:
    def test_compares_the_times_from_which_the_error_stays_low(self) -> None:
        slow = [trajectory([0.5, 0.4, 0.3, 0.2, 0.1], seed) for seed in range(3)]
        # Low at first, then worse (an incumbent of a small budget gives way), low for good from 4 s on.
        fast = [trajectory([0.1, 0.5, 0.1, 0.1, 0.1], seed) for seed in range(3)]
        assert speedup(slow, fast) == Speedup(4.0, (4.0, 4.0))

    def test_whoever_ends_above_random_search_is_never_there(self) -> None:
        slow, worse = [trajectory([0.5, 0.4, 0.3, 0.2, 0.1])], [trajectory([0.1, 0.2, 0.2, 0.2, 0.2])]
        assert str(speedup(slow, worse)) == "never"
        assert str(speedup(slow * 2, worse * 2)) == "never"

    def test_of_a_single_seed_there_is_no_interval(self) -> None:
        slow, fast = [trajectory([0.5, 0.1])], [trajectory([0.1])]
        assert speedup(slow, fast) == Speedup(2.0, None)
        assert str(speedup(slow, fast)) == "2.0x"

    def test_the_interval_holds_the_factor_and_widens_with_the_spread_of_the_seeds(self) -> None:
        slow = [trajectory([0.5, 0.5, 0.5, 0.5, 0.1], seed) for seed in range(5)]
        fast = [trajectory([0.5] * n + [0.1] * (5 - n), seed) for seed, n in enumerate((0, 1, 2, 3, 4))]
        found = speedup(slow, fast)
        assert found.factor == 4.0
        assert found.interval is not None
        assert found.interval[0] < 4.0 < found.interval[1]

    def test_what_takes_no_time_is_not_infinitely_quick(self) -> None:
        instant = [trajectory([0.1], start=0.0)]
        assert speedup(instant, instant).factor == 1.0

    @settings(max_examples=20)
    @given(runs())
    def test_of_random_search_over_itself_is_1(self, some: list[Trajectory]) -> None:
        assert speedup(some, some) == Speedup(1.0, None if len(some) == 1 else (1.0, 1.0))

    @settings(max_examples=20)
    @given(runs(), runs(), st.sampled_from([0.125, 2.0, 64.0]))
    def test_is_in_proportion_to_the_clock(self, slow: list[Trajectory], fast: list[Trajectory], k: float) -> None:
        # Powers of two, so that stretching is exact.
        assert speedup(stretched(slow, k), stretched(fast, k)).factor == pytest.approx(speedup(slow, fast).factor)
        assert speedup(slow, stretched(slow, k)).factor == pytest.approx(1 / k)


class TestRanks:
    def test_use_the_shared_seeds_and_put_last_who_has_no_answer(self) -> None:
        trajectories = {
            "a": [trajectory([0.1, 0.3], seed) for seed in range(3)],
            "b": [trajectory([0.2], seed, start=2.0) for seed in range(2)],
        }
        assert shared_seeds(trajectories) == [0, 1]
        ranks = ranks_over_time(trajectories, np.array([1.0, 2.0]))
        np.testing.assert_array_equal(ranks["a"], [1.0, 2.0])
        np.testing.assert_array_equal(ranks["b"], [2.0, 1.0])

    @given(st.lists(runs(), min_size=1, max_size=4), TIMES)
    def test_sum_to_the_same_at_any_time(self, several: list[list[Trajectory]], grid: list[float]) -> None:
        trajectories = {f"optimizer {k}": some for k, some in enumerate(several)}
        total: FloatArray = np.sum(list(ranks_over_time(trajectories, np.array(grid)).values()), axis=0)
        np.testing.assert_allclose(total, len(several) * (len(several) + 1) / 2)


class TestTable:
    def test_regret_is_0_at_the_lowest_error_that_any_incumbent_ever_had(self) -> None:
        trajectories = {"a": [trajectory([0.05, 0.3])], "b": [trajectory([0.2])]}
        assert best_value(trajectories) == pytest.approx(0.05)
        assert {row.optimizer: row.regret for row in rows(trajectories)} == pytest.approx({"a": 0.25, "b": 0.15})

    @settings(max_examples=30)
    @given(st.lists(runs(), min_size=1, max_size=4))
    def test_can_be_printed_whatever_happened(self, several: list[list[Trajectory]]) -> None:
        trajectories = {"random" if k == 0 else f"other {k}": some for k, some in enumerate(several)}
        for row in rows(trajectories):
            assert row.regret >= 0
            assert row.quartiles[0] <= row.value <= row.quartiles[1]
            assert not any("nan" in cell or "inf" in cell for cell in cells(row))

    def test_has_no_ranks_where_no_seed_is_shared(self) -> None:
        found = rows({"a": [trajectory([0.5], seed=0)], "b": [trajectory([0.2], seed=1)]})
        assert [(row.optimizer, row.rank) for row in found] == [("b", None), ("a", None)]
        assert ranks_over_time({"a": [trajectory([0.5])], "b": [trajectory([0.2], seed=1)]}, np.ones(1)) == {}

    def test_of_one_optimizer_alone_ranks_it_first_and_has_no_yardstick(self) -> None:
        (row,) = rows({"bohb": [trajectory([0.5])]})
        assert (row.rank, row.speedup) == (1.0, None)
        assert cells(row)[-1] == "-"
