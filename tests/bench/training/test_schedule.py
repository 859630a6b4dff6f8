"""SGDR: the budget of every rung ends at the end of a cycle."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.training.schedule import CosineOfSteps, CosineRestarts
from jointbench.data.ladder import Ladder

#: Budget and first cycle of the paper's four rungs, in seconds.
PAPER = {400.0: 400.0, 1200.0: 400.0, 3600.0: 3600 / 7, 10800.0: 720.0}


def test_first_cycles_are_the_papers() -> None:
    ladder = Ladder(400, 10800)
    assert {b: CosineRestarts(b, ladder.rung_of(b)).length for b in ladder.rungs} == pytest.approx(PAPER)


def test_three_hours_have_appendix_bs_schedule() -> None:
    """T_0 = 720 s and T_mult = 2: cycles of 720, 1440, 2880 and 5760 s, the last of which ends with the budget."""
    ladder = Ladder(400, 10800)
    schedule = CosineRestarts(10800, ladder.rung_of(10800))
    ends, spent = [], 0.0
    while spent < 10800:
        spent += schedule.length
        ends.append(spent)
        schedule.advance(schedule.length)
        assert schedule.factor == 1.0
    assert ends == [720, 2160, 5040, 10800]


@pytest.mark.parametrize("rung", range(4))
def test_the_nth_rung_ends_with_its_nth_cycle_each_twice_as_long_as_the_last(rung: int) -> None:
    # Budget and steps are such that all sums are exact: the first cycle is 1.
    budget, steps = 2 ** (rung + 1) - 1, 8
    schedule = CosineRestarts(budget, rung)
    factors = []
    for _ in range(budget * steps):
        factors.append(schedule.factor)
        schedule.advance(1 / steps)
    expected = [
        0.5 * (1 + math.cos(math.pi * i / (length * steps)))
        for length in (2**cycle for cycle in range(rung + 1))
        for i in range(length * steps)
    ]
    # A few roundings of the cosine's argument.
    assert factors == pytest.approx(expected, abs=1e-12)
    # The budget is spent, and the next cycle would begin.
    assert schedule.factor == 1.0


@given(st.floats(1e-3, 1e4), st.integers(0, 3), st.lists(st.floats(0.001, 3), max_size=50))
def test_what_runs_over_the_end_of_a_cycle_is_discarded(budget: float, rung: int, laps: list[float]) -> None:
    schedule = CosineRestarts(budget, rung)
    length, position = schedule.length, 0.0
    for lap in laps:
        schedule.advance(lap * length)
        position += lap * length
        if position >= length:
            length, position = 2 * length, 0.0
            assert schedule.factor == 1.0
        assert (schedule.length, schedule.position) == (length, position)
        assert 0 <= schedule.factor <= 1


@given(steps=st.integers(1, 2000), rung=st.integers(0, 3))
def test_where_steps_are_known_every_training_ends_annealed(steps: int, rung: int) -> None:
    schedule = CosineOfSteps(steps, rung)
    factors = []
    for _ in range(steps):
        factors.append(schedule.factor)
        schedule.advance(1.0)
    assert factors[0] == 1.0
    assert all(0 <= factor <= 1 for factor in factors)
    # A step before its end the last cycle, of at least half of the steps, is where its cosine is: near 0.
    last = 2**rung / (2 ** (rung + 1) - 1) * steps
    assert factors[-1] == pytest.approx(0.5 * (1 + math.cos(math.pi * max(0.0, 1 - 1 / last))), abs=1e-9)
    # The rate goes up once a cycle, and nowhere else: where every cycle has at least two steps, that can be seen.
    if steps >= 2 * (2 ** (rung + 1) - 1):
        assert sum(b > a for a, b in itertools.pairwise(factors)) == rung
