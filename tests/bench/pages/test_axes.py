"""Axes fit what is drawn, and have ticks that people count in."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.drawing.axes import error_axis, log_range, log_ticks, number_axis, time_unit

ABOVE_0 = st.floats(1e-6, 1e6)


@given(ABOVE_0, st.floats(1.01, 1e6))
def test_ticks_lie_inside_at_least_three_of_them_at_1_2_5_or_at_equal_steps_of_these(low: float, factor: float) -> None:
    high = low * factor
    ticks = log_ticks(low, high)
    assert len(ticks) >= 3
    assert all(low * (1 - 1e-9) <= tick <= high * (1 + 1e-9) for tick in ticks)
    assert ticks == sorted(set(ticks))
    leading = {f"{tick:e}"[0] for tick in ticks}
    if not (leading <= {"1", "2", "5"} and all(f"{tick:.9e}"[2:11] == "000000000" for tick in ticks)):
        steps = np.diff(ticks)
        assert np.allclose(steps, steps[0], rtol=1e-6)
        assert f"{steps[0]:.6e}"[:8] in ("1.000000", "2.000000", "5.000000")


@given(st.lists(ABOVE_0, min_size=1))
def test_the_range_holds_all_values_and_little_more(values: list[float]) -> None:
    low, high = log_range(values)
    least, most = math.log10(min(values)), math.log10(max(values))
    assert low < least
    assert most < high
    assert high - low <= max(1.07 * (most - least), 0.022)


def test_errors_from_85_to_97_per_cent_fill_their_axis() -> None:
    """And not a hundredth of it, as from 1 to 100 per cent."""
    axis = error_axis([0.85, 0.9, 0.97])
    assert [10**end for end in axis["range"]] == pytest.approx([0.85, 0.97], abs=0.01)
    assert axis["ticktext"] == ["86%", "88%", "90%", "92%", "94%", "96%"]


def test_over_decades_ticks_are_1_2_and_5_in_per_cent() -> None:
    axis = error_axis([0.0008, 0.6])
    assert axis["ticktext"] == ["0.1%", "0.2%", "0.5%", "1%", "2%", "5%", "10%", "20%", "50%"]
    assert axis["tickvals"] == [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]


def test_what_has_no_logarithm_does_not_count() -> None:
    assert log_range([0.0, np.nan, 1.0, 10.0]) == log_range([1.0, 10.0])
    assert log_range([]) == log_range([1.0])


def test_large_numbers_are_grouped() -> None:
    assert number_axis([400, 12_000])["ticktext"] == ["500", "1,000", "2,000", "5,000", "10,000"]


def test_two_hours_and_less_are_shown_in_seconds() -> None:
    assert time_unit(7200.0) == ("seconds", 1.0)
    assert time_unit(7201.0) == ("hours", 3600.0)
