"""Plain functions as machine code: what they give in Python, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import CENTRAL, central_quantile, exp, log, normal_cdf, outer_quantile, sqrt
from jointbench.data.machine_code import MachineCode, single, whole
from jointbench.data.splitmix import substream, uniform

pytest.importorskip("llvmlite")

SIZE = 3


def formulas(x: float) -> float:
    if abs(x) <= CENTRAL:
        return central_quantile(x) - exp(x)
    return normal_cdf(x) / sqrt(abs(x)) + log(abs(x)) * single(x) + outer_quantile(1 / (1 + exp(x)))


def numbers(state: int, number: int) -> float:
    word = substream(substream(state, number), SIZE)
    return uniform(word, number) + whole(uniform(word, 1) * 24) + word // 3 % 1000


def between(x: float, low: float, high: float) -> bool:
    return not (x < low or x > high) and low <= high


def sort(values: FloatArray, count: int) -> None:
    """In place, by insertion."""
    for last in range(1, count):
        value = values[last]
        place = last
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


def sort_behind(values: FloatArray, first: int, count: int) -> float:
    sort(values[first:], count - first)
    return values[first] if first < count else -1.0


def primes(below: int) -> int:
    """How many there are."""
    count: int = 0
    for n in range(2, below):
        divisor = 2
        while divisor * divisor <= n and n % divisor != 0:
            divisor += 1
        count = count + 1 if divisor * divisor > n else count
    return count


FUNCTIONS = (formulas, numbers, between, primes, sort, sort_behind)
CODE = MachineCode(FUNCTIONS)

reals = st.floats(-30, 30).filter(lambda x: abs(x) > 1e-300)


@given(reals)
def test_formulas_have_the_same_bits(x: float) -> None:
    assert CODE(formulas, x).hex() == float(formulas(x)).hex()


@given(st.integers(0, 2**64 - 1), st.integers(0, 10**6))
def test_random_numbers_are_the_same(state: int, number: int) -> None:
    word = substream(substream(state, number), SIZE)
    if word < 2**63:
        # A quotient of words is not the same where they count as negative; kernels divide none such.
        assert CODE(numbers, state, number) == numbers(state, number)


@given(reals, reals, reals)
def test_conditions_hold_where_they_hold(x: float, low: float, high: float) -> None:
    assert CODE(between, x, low, high) is between(x, low, high)


def test_loops_end_where_they_end() -> None:
    assert CODE(primes, 1000) == primes(1000) == 168


@given(st.lists(reals, min_size=1, max_size=20), st.data())
def test_arrays_are_changed_in_place_from_where_they_are_given(values: list[float], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(values) - 1))
    mine = np.array(values)
    assert CODE(sort_behind, mine, first, len(values)) == min(values[first:])
    assert mine.tolist() == [*values[:first], *sorted(values[first:])]


def test_what_is_no_such_function_is_refused() -> None:
    def words(x: float) -> float:
        return x + len(f"{x}")

    with pytest.raises(TypeError, match="words: cannot be compiled"):
        MachineCode([words])
