"""Who is on a Pareto front, and the volume that it dominates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.arrays import FloatArray
from jointbench.data.pareto import hypervolume, non_dominated

#: Few different values, so that there are ties.
_VALUES = st.integers(0, 6).map(float)


def points(objectives: int, fewest: int = 0) -> st.SearchStrategy[FloatArray]:
    rows = st.lists(st.tuples(*[_VALUES] * objectives), min_size=fewest, max_size=12)
    return rows.map(lambda found: np.array(found, dtype=float).reshape(-1, objectives))


@given(st.sampled_from([1, 2, 3]).flatmap(points))
def test_a_point_stands_where_no_other_is_better(losses: FloatArray) -> None:
    for point, stands in zip(losses, non_dominated(losses), strict=True):
        better = [(other <= point).all() and (other < point).any() for other in losses]
        assert stands == (not any(better))


@given(points(2))
def test_the_hypervolume_of_two_objectives_counts_the_unit_squares_that_are_dominated(losses: FloatArray) -> None:
    squares = [(x, y) for x in range(5) for y in range(5)]
    count = sum(any(a <= x and b <= y for a, b in losses) for x, y in squares)
    assert hypervolume(losses, np.array([5.0, 5.0])) == count


@given(points(2, 1))
def test_another_point_never_lessens_the_hypervolume_and_a_dominated_one_leaves_it(losses: FloatArray) -> None:
    reference = np.array([6.0, 7.0])
    whole = hypervolume(losses, reference)
    assert hypervolume(losses[:-1], reference) <= whole
    assert hypervolume(losses[non_dominated(losses)], reference) == whole


def test_the_hypervolume_of_one_objective_is_a_distance() -> None:
    assert hypervolume(np.array([[3.0], [2.0], [9.0]]), np.array([5.0])) == 3.0


@given(losses=points(2))
def test_of_two_objectives_moocore_agrees(losses: FloatArray) -> None:
    moocore = pytest.importorskip("moocore")
    reference = np.array([5.0, 4.0])
    assert hypervolume(losses, reference) == pytest.approx(
        moocore.hypervolume(losses, ref=reference) if len(losses) else 0
    )


def test_of_three_objectives_the_hypervolume_is_that_of_the_unit_cubes() -> None:
    pytest.importorskip("moocore")
    losses = np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [1.0, 1.0, 1.0], [5.0, 0.0, 0.0]])
    cubes = [(x, y, z) for x in range(4) for y in range(4) for z in range(4)]
    count = sum(any((losses <= cube).all(axis=1)) for cube in cubes)
    assert hypervolume(losses, np.full(3, 4.0)) == count
