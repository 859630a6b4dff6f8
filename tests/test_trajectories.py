"""Ranks, regret and speed-up of trajectories written down by hand."""

import numpy as np
import pytest

from jointbench.bench.trajectories import Speedup, Trajectory, lowest_error, ranks_over_time, shared_seeds, speedup

GRID = np.array([1.0, 2.0, 4.0, 8.0, 16.0])


def trajectory(errors: list[float], seed: int = 0, start: float = 1.0) -> Trajectory:
    """Errors at start, 2 start, 4 start, ..."""
    values = np.array(errors)
    return Trajectory("x", seed, start * 2.0 ** np.arange(len(errors)), values, values)


def test_the_speedup_compares_the_times_from_which_the_error_stays_low() -> None:
    slow = [trajectory([0.5, 0.4, 0.3, 0.2, 0.1], seed) for seed in range(3)]
    # Low at first, then worse (an incumbent of a small budget gives way), low for good from 4 s on.
    fast = [trajectory([0.1, 0.5, 0.1, 0.1, 0.1], seed) for seed in range(3)]
    assert speedup(slow, fast, GRID) == Speedup(4.0, (4.0, 4.0))


def test_whoever_ends_above_random_search_is_never_there() -> None:
    slow, worse = [trajectory([0.5, 0.4, 0.3, 0.2, 0.1])], [trajectory([0.1, 0.2, 0.2, 0.2, 0.2])]
    assert str(speedup(slow, worse, GRID)) == "never there"


def test_random_search_is_once_as_fast_as_itself() -> None:
    runs = [trajectory([0.5, 0.4, 0.3, 0.2, 0.1 + seed / 10], seed) for seed in range(5)]
    assert speedup(runs, runs, GRID) == Speedup(1.0, (1.0, 1.0))


def test_the_interval_holds_the_factor_and_widens_with_the_spread_of_the_seeds() -> None:
    slow = [trajectory([0.5, 0.5, 0.5, 0.5, 0.1], seed) for seed in range(5)]
    fast = [trajectory([0.5] * n + [0.1] * (5 - n), seed) for seed, n in enumerate((0, 1, 2, 3, 4))]
    found = speedup(slow, fast, GRID)
    assert found.factor == 4.0
    assert found.interval[0] < 4.0 < found.interval[1]


def test_ranks_use_the_shared_seeds_and_put_last_who_has_no_answer() -> None:
    trajectories = {
        "a": [trajectory([0.1, 0.3], seed) for seed in range(3)],
        "b": [trajectory([0.2], seed, start=2.0) for seed in range(2)],
    }
    assert shared_seeds(trajectories) == [0, 1]
    ranks = ranks_over_time(trajectories, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(ranks["a"], [1.0, 2.0])
    np.testing.assert_array_equal(ranks["b"], [2.0, 1.0])


def test_regret_is_0_at_the_lowest_error_that_any_incumbent_ever_had() -> None:
    assert lowest_error({"a": [trajectory([0.05, 0.3])], "b": [trajectory([0.2])]}) == pytest.approx(0.05)
