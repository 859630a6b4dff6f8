"""The ladder of budgets."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.errors import BudgetError, InputError
from jointbench.data.ladder import Ladder


def test_the_papers_ladder_has_four_rungs() -> None:
    assert Ladder(400, 10800).rungs == (400.0, 1200.0, 3600.0, 10800.0)


def test_no_rung_is_lost_at_a_power_where_logarithms_round_down() -> None:
    # log(243) / log(3) is 4.999…
    assert Ladder(1, 243).rungs == (1.0, 3.0, 9.0, 27.0, 81.0, 243.0)


@given(minimum=st.floats(1e-3, 1e4), eta=st.floats(1.5, 10), top=st.integers(0, 8))
def test_rungs_are_a_constant_factor_apart_from_minimum_to_maximum(minimum: float, eta: float, top: int) -> None:
    ladder = Ladder(minimum, minimum * eta**top, eta)
    assert len(ladder.rungs) == top + 1
    assert ladder.rungs[-1] == ladder.maximum
    for index, rung in enumerate(ladder.rungs):
        # Rungs are rounded to 12 digits.
        assert rung == pytest.approx(minimum * eta**index, rel=1e-11)
        assert ladder.rung_of(rung) == index


@pytest.mark.parametrize(
    ("text", "rungs", "unit"),
    [
        ("1,3,9,27", (1, 3, 9, 27), "seconds"),
        ("400, 1200, 3600, 10800 s", (400, 1200, 3600, 10800), "seconds"),
        ("0.1,0.3,0.9", (0.1, 0.3, 0.9), "seconds"),
        ("2,4,8epochs", (2, 4, 8), "epochs"),
    ],
)
def test_parsing_keeps_what_was_written(text: str, rungs: tuple[float, ...], unit: str) -> None:
    ladder = Ladder.parse(text)
    assert ladder.rungs == pytest.approx(rungs)
    assert ladder.rungs == tuple(float(rung) for rung in rungs)
    assert ladder.unit == unit
    assert Ladder(**ladder.as_dict()) == ladder


@pytest.mark.parametrize(
    "text", ["", "3", "1,2,3", "3,1", "1,x", "0,0", "-1,-3", "1,nan", "1,inf", "1,3,9minutes", "1,1"]
)
def test_what_is_no_ladder_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="ladder"):
        Ladder.parse(text)


def test_a_unit_of_ones_own_is_taken_where_it_may_be() -> None:
    assert Ladder.parse("10, 30, 90 trees", any_unit=True) == Ladder(10, 90, unit="trees")
    assert Ladder.parse("1e1,3e1s", any_unit=True) == Ladder(10, 30)


@given(st.text("0123456789.,-+e sepochsnaif\n", max_size=20) | st.text(max_size=10))
def test_any_text_is_a_ladder_or_refused(text: str) -> None:
    try:
        ladder = Ladder.parse(text)
    except InputError:
        return
    assert Ladder.of_rungs(ladder.rungs, ladder.unit) == ladder


@pytest.mark.parametrize("text", ["1e-300,1e300", "1,1.0000000001", "5e-324,1", "1,1e308,1e309"])
def test_budgets_too_far_apart_or_too_close_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="ladder"):
        Ladder.parse(text)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(1.01, 10))
def test_any_bounds_are_a_ladder_or_refused(minimum: float, maximum: float, eta: float) -> None:
    try:
        ladder = Ladder(minimum, maximum, eta)
    except InputError:
        return
    assert (ladder.rungs[0], ladder.rungs[-1]) == pytest.approx((minimum, maximum))


def test_a_ladder_may_have_one_rung_but_is_not_written_so() -> None:
    one = Ladder.of_rungs([27.0])
    assert one == Ladder(27, 27)
    assert one.rungs == (27.0,)
    assert one.rung_of(27) == 0
    with pytest.raises(BudgetError, match="budget: 9 given, expected 27 seconds"):
        one.check_within(9)
    with pytest.raises(InputError, match="at least two budgets"):
        Ladder.parse("27")
    with pytest.raises(InputError, match="at least one budget"):
        Ladder.of_rungs([])


@pytest.mark.parametrize("budget", [0.5, 2.0, 28.0, float("nan")])
def test_a_budget_that_is_no_rung_is_refused_with_the_rungs(budget: float) -> None:
    with pytest.raises(BudgetError, match="1, 3, 9, 27"):
        Ladder(1, 27).rung_of(budget)


@pytest.mark.parametrize("value", ["x", True, -1, 0, float("inf")])
def test_bounds_must_be_numbers(value: object) -> None:
    with pytest.raises(InputError, match="minimum"):
        Ladder(value, 27)  # type: ignore[arg-type]


def test_a_ladder_from_json_is_the_ladder() -> None:
    for ladder in (Ladder(3, 81), Ladder.of_levels((1, 2, 10), "epochs")):
        read = Ladder(**json.loads(json.dumps(asdict(ladder))))
        assert read == ladder
        assert hash(read) == hash(ladder)
