"""A batch query: what it takes for budgets and seeds, and what it says to other shapes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.errors import BudgetError, ConfigurationError, InputError
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.batches import equal_parts
from jointbench.surrogate.contract import corners_and_samples
from jointbench.surrogate.stored import load_benchmark

BENCHMARK = load_benchmark("digits-cpu")
ROWS = corners_and_samples(JOINT, 3)


@given(count=st.integers(0, 10_000), most=st.integers(1, 3000))
def test_parts_are_all_there_is_and_nearly_of_one_size(count: int, most: int) -> None:
    parts = list(equal_parts(count, most))
    assert [row for part in parts for row in range(count)[part]] == list(range(count))
    sizes = [len(range(count)[part]) for part in parts]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) == max(math.ceil(count / most), 1)


def test_one_budget_and_one_seed_stand_for_all() -> None:
    count = len(ROWS)
    each = BENCHMARK.query_batch(ROWS, [9.0] * count, [3] * count)
    for budgets, seeds in ((9.0, 3), ([9.0], [3]), (np.full(count, 9.0), 3)):
        assert BENCHMARK.query_batch(ROWS, budgets, seeds) == each


def test_budgets_in_any_order_belong_to_their_rows() -> None:
    budgets = [27.0, 1.0, 5.0, 9.0, 1.0]
    alone = [BENCHMARK.query_batch(ROWS[k : k + 1], budget, 3)[0] for k, budget in enumerate(budgets)]
    assert list(BENCHMARK.query_batch(ROWS, budgets, 3)) == alone


def test_no_rows_have_no_answers() -> None:
    for budgets, seeds in ((9.0, None), ([], []), (9.0, 3)):
        assert len(BENCHMARK.query_batch(ROWS[:0], budgets, seeds)) == 0


@pytest.mark.parametrize(
    ("rows", "budgets", "seeds", "field"),
    [
        (ROWS[0], 9.0, None, "rows"),
        ("a configuration", 9.0, None, "rows"),
        (ROWS, [9.0, 27.0], None, "budgets"),
        (ROWS, np.ones((len(ROWS), 1)), None, "budgets"),
        (ROWS, "the largest", None, "budgets"),
        (ROWS, 9.0, [1, 2], "seeds"),
        (ROWS, 9.0, 1.5, "seeds"),
        (ROWS, 9.0, 2**63, "seeds"),
    ],
)
def test_other_shapes_and_kinds_are_refused_by_the_name_of_the_field(
    rows: object, budgets: object, seeds: object, field: str
) -> None:
    with pytest.raises(InputError, match=f"^{field}: "):
        BENCHMARK.query_batch(rows, budgets, seeds)  # type: ignore[arg-type]


def test_a_wrong_configuration_is_named_with_its_row() -> None:
    rows = np.array(BENCHMARK.space.rows(BENCHMARK.sample(4, seed=0)))
    rows[2, 0] = -1.0
    name = BENCHMARK.space.names[0]
    with pytest.raises(ConfigurationError, match=rf"^{name}: -1\.0 given, expected .*, in row 2 of 0 to 3$"):
        BENCHMARK.query_batch(rows, 9.0)
    with pytest.raises(ConfigurationError, match=rf"^{name}: -1\.0 given, expected [^,]*, [^,]*\]$"):
        BENCHMARK.query_batch(rows[2:3], 9.0)


@pytest.mark.parametrize("budget", [0.5, 28.0, np.nan, np.inf])
def test_a_budget_outside_the_ladder_is_refused(budget: float) -> None:
    with pytest.raises(BudgetError):
        BENCHMARK.query_batch(ROWS, [9.0] * 4 + [budget])
