"""How far two comparisons agree, on trajectories written down by hand."""

import numpy as np
import pytest
from comparing import both
from scipy.stats import kendalltau, spearmanr

from jointbench.bench.comparing.agreement import (
    common_grid,
    final_medians,
    order_agreement,
    rank_correlation,
    trajectory_correlation,
)
from jointbench.bench.comparing.trajectories import Runs, Trajectory
from jointbench.data.arrays import FloatArray

TIMES = np.array([1.0, 2.0, 4.0, 8.0])


def one_run(errors: FloatArray) -> Trajectory:
    return Trajectory("x", 0, TIMES, both(errors, errors))


def runs(*errors: list[float], times: FloatArray = TIMES) -> Runs:
    """One optimizer for each list of errors over time, three seeds apart by a tenth of a per cent."""
    return {
        f"optimizer {k}": [
            Trajectory(f"optimizer {k}", seed, times, both(np.array(several) + 0.001 * seed, np.array(several)))
            for seed in range(3)
        ]
        for k, several in enumerate(errors)
    }


FIRST = runs([0.5, 0.4, 0.3, 0.1], [0.6, 0.5, 0.4, 0.2], [0.7, 0.6, 0.5, 0.3])
REVERSED = runs([0.9, 0.8, 0.7, 0.6], [0.8, 0.7, 0.6, 0.5], [0.7, 0.6, 0.5, 0.4])


def test_a_comparison_agrees_with_itself_and_not_with_its_reverse() -> None:
    assert order_agreement(FIRST, FIRST, TIMES) == pytest.approx(1.0)
    assert order_agreement(FIRST, REVERSED, TIMES) == pytest.approx(-1.0)
    assert rank_correlation(spearmanr, final_medians(FIRST), final_medians(REVERSED)) == pytest.approx(-1.0)


def test_agreement_is_the_mean_over_the_times() -> None:
    # The same order at two of four times, the reverse at the others.
    crossing = runs([0.5, 0.4, 0.7, 0.6], [0.6, 0.5, 0.6, 0.5], [0.7, 0.6, 0.5, 0.4])
    assert order_agreement(FIRST, crossing, TIMES) == pytest.approx(0.0)


def test_final_errors_are_medians_over_seeds() -> None:
    np.testing.assert_allclose(final_medians(FIRST), [0.101, 0.201, 0.301])


def test_times_at_which_somebody_has_no_error_or_all_are_equal_do_not_count() -> None:
    late = {**FIRST, **runs([0.1, 0.1, 0.1, 0.1], times=4 * TIMES)}
    both_late = {name: FIRST[name] for name in FIRST} | {"optimizer 0": late["optimizer 0"]}
    assert order_agreement(both_late, both_late, np.array([1.0, 2.0, 4.0, 8.0])) == pytest.approx(1.0)
    equal = runs([0.5] * 4, [0.5] * 4, [0.5] * 4)
    assert np.isnan(order_agreement(FIRST, equal, TIMES))


def test_trajectories_are_correlated_by_rank() -> None:
    falling, rising = (
        [Trajectory("x", 0, TIMES, both(np.array(e), np.array(e)))] for e in ([4, 3, 2, 1.0], [1, 2, 3, 4.0])
    )
    assert trajectory_correlation(falling, falling, TIMES) == pytest.approx(1.0)
    assert trajectory_correlation(falling, rising, TIMES) == pytest.approx(-1.0)
    constant = [one_run(np.ones(4))]
    assert np.isnan(trajectory_correlation(falling, constant, TIMES))


def test_the_times_are_those_that_both_have() -> None:
    grid = common_grid(FIRST, runs([0.5] * 4, times=2 * TIMES))
    assert (grid[0], grid[-1]) == pytest.approx((2.0, 8.0))
    assert len(common_grid(FIRST, runs([0.5] * 4, times=100 * TIMES))) == 0


def test_too_few_or_equal_values_have_no_correlation() -> None:
    assert np.isnan(rank_correlation(kendalltau, np.array([1.0]), np.array([2.0])))
    assert np.isnan(rank_correlation(kendalltau, np.array([1.0, 1.0]), np.array([1.0, 2.0])))
