"""Lines that lie on one another stay visible, and are said to."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.coinciding import coinciding_words, overlays

NAMES = ("hyperband", "bohb", "random")
LOOK = styles(NAMES)
TIMES = np.arange(1.0, 21.0)
FALLING = np.geomspace(0.9, 0.1, 20)


def together(count: int) -> dict[str, np.ndarray]:
    """BOHB as Hyperband in the first so many points, then below it; random search elsewhere."""
    bohb = np.where(np.arange(20) < count, FALLING, FALLING / 2)
    return {"hyperband": FALLING, "bohb": bohb, "random": FALLING + 1}


def test_the_lower_of_two_lines_shows_through_the_dashes_of_the_other_where_they_coincide() -> None:
    (drawn,) = overlays(together(12), TIMES, LOOK)
    assert drawn.line.color == LOOK["bohb"].colour
    assert drawn.line.dash == "9px,9px"
    # The last value that is the same holds until the next time.
    assert list(drawn.x) == list(TIMES[:13])
    assert list(drawn.y) == [*FALLING[:12], FALLING[11]]
    # It comes and goes with its line, and is none of its own.
    assert (drawn.legendgroup, drawn.showlegend, drawn.hoverinfo) == ("bohb", False, "skip")


def test_lines_apart_are_drawn_as_ever() -> None:
    assert list(overlays(together(0), TIMES, LOOK)) == []
    assert coinciding_words(together(0), TIMES) == ""


def test_straight_lines_that_cross_do_not_coincide() -> None:
    crossing = {"hyperband": np.array([1.0, 2.0, 3.0]), "bohb": np.array([3.0, 2.0, 1.0])}
    assert list(overlays(crossing, TIMES[:3], LOOK, steps=False)) == []
    crossing["bohb"] = np.array([3.0, 2.0, 3.0])
    (drawn,) = overlays(crossing, TIMES[:3], LOOK, steps=False)
    assert (list(drawn.x), list(drawn.y)) == ([2.0, 3.0], [2.0, 3.0])


def test_before_a_line_begins_it_coincides_with_none() -> None:
    late = {"hyperband": np.array([np.nan, np.nan, 0.5]), "bohb": np.array([np.nan, np.nan, 0.4])}
    assert list(overlays(late, TIMES[:3], LOOK)) == []


@given(st.lists(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=3, max_size=3), min_size=2, max_size=12))
def test_of_lines_that_coincide_each_has_a_share_of_the_way(rows: list[list[float]]) -> None:
    """The first is solid; whichever n coincide, what lies above it has n - 1 kinds of dashes, all n parts in turn."""
    values = dict(zip(NAMES, np.array(rows).T, strict=True))
    drawn = list(overlays(values, TIMES[: len(rows)], LOOK))
    # The last point of an overlay may be the end of a step.
    for index, row in enumerate(rows[:-1]):
        for value in set(row):
            alike = [name for name in NAMES if values[name][index] == value]
            dashes = {
                trace.legendgroup: trace.line.dash
                for trace in drawn
                if (TIMES[index], value) in list(zip(trace.x, trace.y, strict=True))[:-1]
            }
            assert dashes == {
                name: f"{9 * (len(alike) - place)}px,{9 * place}px" for place, name in enumerate(alike) if place
            }


def test_a_sentence_says_who_coincides_until_when_and_why_bohb_does() -> None:
    assert coinciding_words(together(12), TIMES) == (
        "Where lines coincide, their colours alternate: hyperband and bohb until 13 s (until its model starts, BOHB "
        "proposes what Hyperband does)."
    )
    assert "hyperband and bohb throughout" in coinciding_words(together(20), TIMES)


def test_three_that_coincide_are_one_group_as_long_as_they_do() -> None:
    values = together(12)
    values["random"] = np.where(np.arange(20) < 5, FALLING, 1.0)
    assert coinciding_words(values, TIMES).startswith(
        "Where lines coincide, their colours alternate: hyperband, random and bohb until 6 s; hyperband and bohb until"
    )


@pytest.mark.parametrize("steps", [True, False])
def test_dashes_begin_together_so_that_they_alternate(steps: bool) -> None:
    values = dict.fromkeys(NAMES, FALLING)
    first, second = overlays(values, TIMES, LOOK, steps=steps)
    assert list(first.x) == list(second.x)
    assert [sum(map(int, re.findall(r"\d+", trace.line.dash))) for trace in (first, second)] == [27, 27]
