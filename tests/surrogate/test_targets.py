"""What a surrogate should reach, and how many evaluations it would take."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.collecting.evidence import KINDS
from jointbench.data.ladder import Ladder
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.leave_out import PARTS
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.judging.targets import evaluations_needed, targets

LADDER = Ladder(1, 27, 3, "seconds")


def judgement(r2: float, ratio: float = 0.9, coverage: float = 0.8) -> Judgement:
    """The rows that targets are read from, of a learning curve whose distance from 1 halves with four times as much."""
    at = {"budget": 27.0, "error": "validation"}
    kinds = {"sparse_kendall": 0.9, "spearman": 0.9, "kendall": 0.9, "rmse": 0.1, "regret": 0.0}
    curve = [
        {"n": n, "budget": 27.0, "r2": 1 - (1 - r2) * np.sqrt(800 / n), "best_spearman": 0.5, "best_relative_bias": 0.0}
        | kinds
        for n in (100, 200, 400, 800)
    ]
    best = {**at, "share": 0.25, "n": 20, "real": 0.1, "bias": 0.01, "relative_bias": 0.05, "rmse": 0.1}
    luck = {"error": "validation", "n": 9, "real": 0.1, "drawn": 0.1, "crps": 0.1, "crps_constant": 0.1}
    return Judgement(
        [{**at, "n": 80, "r2": r2, "r2_low": r2 - 0.1, "r2_high": r2 + 0.05, "ceiling_r2": 1.0, **kinds}],
        [{**at, "n": 9, "floor": 0.01, "table": 0.02, "given_one": 0.02 * ratio, "held_out": 0.03}],
        [{"left_out": "bohb", "budget": None, "error": "validation", "n": 30, "r2": 0.4} | kinds],
        [luck | {"coverage_50": 0.5, "coverage_80": coverage, "coverage_95": 0.95}],
        [],
        [],
        [],
        curve,
        best=[{**best, "spearman": 0.7, "ceiling_spearman": 0.9, "ceiling_relative_bias": 0.01}],
    )


def found(r2: float = 0.95, ratio: float = 0.9, coverage: float = 0.8) -> dict[str, dict[str, object]]:
    return {row["target"]: row for row in targets(judgement(r2, ratio, coverage), LADDER)}


def test_each_target_is_met_or_not() -> None:
    rows = found(r2=0.95, ratio=0.9, coverage=0.805)
    assert {name for name, row in rows.items() if not row["met"]} == {"R2 on the evaluations of bohb, left out"}
    rows = found(r2=0.9, ratio=1.1, coverage=0.85)
    assert not rows["R2"]["met"]
    assert not rows["given one run, error over a table's at 27"]["met"]
    assert rows["coverage, farthest from what it says"]["reached"] == pytest.approx(0.05)


def test_of_the_parts_of_a_plan_which_are_no_optimizers_nothing_is_wanted() -> None:
    made = judgement(0.95)
    (row,) = made.leave_one_out
    parts = [{**row, "left_out": part, "r2": -0.7} for part in PARTS]
    assert targets(replace(made, leave_one_out=[*parts, row]), LADDER) == targets(made, LADDER)
    # A part of any other kind is of an optimizer that searches.
    assert {*PARTS, "search"} == set(KINDS)


def test_a_missed_target_says_how_many_evaluations_it_would_take() -> None:
    row = found(r2=0.86)["R2"]
    # Half of what is unexplained takes four times as many.
    assert row["evaluations"] == pytest.approx(4 * 800, rel=0.01)
    assert found(r2=0.94)["R2"]["evaluations"] is None
    table = judged_tables(judgement(0.86), LADDER)["targets"]
    assert ("R2", "at least 0.93", "0.860 (0.760 to 0.910)", "1.000", "no", "3,200") in table.rows


@given(power=st.floats(0.1, 1.5), first=st.floats(0.05, 0.5), ceiling=st.floats(0.8, 1.0))
def test_a_power_law_is_continued(power: float, first: float, ceiling: float) -> None:
    points = [(n, ceiling - first * (n / 100) ** -power) for n in (100, 200, 400, 800)]
    wanted = ceiling - first * 16**-power
    assert evaluations_needed(points, wanted, ceiling) == pytest.approx(1600, rel=0.01)


@pytest.mark.parametrize(
    ("points", "wanted"),
    [
        ([(100, 0.5), (200, 0.6)], 0.9),  # too few
        ([(100, 0.7), (200, 0.6), (400, 0.5)], 0.9),  # falls
        ([(100, 0.5), (200, 0.6), (400, 0.7)], 0.99),  # above the ceiling
        ([(100, 0.5), (200, 0.5001), (400, 0.5002)], 0.9),  # not in this world
        ([(100, None), (200, 0.6), (400, 0.7)], 0.9),  # undefined
    ],
)
def test_where_no_number_would_do_none_is_said(points: list[tuple[int, float]], wanted: float) -> None:
    assert evaluations_needed(points, wanted, 0.95) is None
