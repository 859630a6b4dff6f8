"""Whatever is a real number is a budget, and whatever is a whole number a seed; what is kept is Python's own."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.running.replay import ReplayObjective
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import BudgetError, InputError
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.numbers import array_of_numbers, checked_seed, plain_number
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.surrogate import adapters
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.stored import load_benchmark, released

BENCHMARK = load_benchmark("digits-cpu")
CONFIGURATION = JOINT.named["zela-2018"]
ROWS = JOINT.rows([CONFIGURATION] * 3)

KINDS = [
    *(np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64),
    *(np.float16, np.float32, np.float64, np.longdouble),
    *(int, float, Fraction, Decimal, np.array),
]
NO_NUMBERS = [True, np.True_, np.array(True), "27", np.str_("27"), b"27", None, 27j, np.complex128(27), [27.0]]
NO_NUMBERS += [np.timedelta64(27, "s"), np.array([27.0, 9.0]), pd.NA, float("nan"), np.float32("nan"), Decimal("nan")]


@pytest.fixture(scope="module")
def accelerated() -> Benchmark:
    pytest.importorskip("llvmlite")
    benchmark = load_benchmark("digits-cpu")
    benchmark.accelerate()
    return benchmark


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
class TestAnyRealNumber:
    def test_is_a_budget_of_a_benchmark(self, kind: Any) -> None:
        expected = BENCHMARK.query(CONFIGURATION, 27.0, 3)
        assert BENCHMARK.query(CONFIGURATION, kind(27), 3) == expected
        assert list(BENCHMARK.query_batch(ROWS, kind(27), 3)) == [expected] * 3
        assert list(BENCHMARK.query_batch(ROWS, [kind(27), 27.0, 27], 3)) == [expected] * 3
        assert adapters.plain_function(BENCHMARK)(CONFIGURATION, kind(27), 3) == expected.validation_error
        assert adapters.smac_target(BENCHMARK)(CONFIGURATION, 3, kind(27)) == expected.validation_error

    def test_is_a_budget_of_the_accelerated_benchmark(self, kind: Any, accelerated: Benchmark) -> None:
        assert accelerated.query(CONFIGURATION, kind(27), 3) == BENCHMARK.query(CONFIGURATION, 27.0, 3)

    def test_is_a_budget_of_an_objective_which_keeps_a_plain_one(self, kind: Any) -> None:
        evaluation = SurrogateObjective(BENCHMARK)(CONFIGURATION, kind(27), 3)
        assert evaluation == SurrogateObjective(BENCHMARK)(CONFIGURATION, 27.0, 3)
        assert type(evaluation.budget) is float

    def test_is_a_rung(self, kind: Any) -> None:
        ladder = Ladder(1, 27)
        assert ladder.rung_of(kind(9)) == 2
        assert (ladder.check_within(kind(5)), type(ladder.check_within(kind(5)))) == (5.0, float)

    def test_makes_ladders(self, kind: Any) -> None:
        for ladder in (Ladder(kind(1), kind(27), kind(3)), Ladder.of_rungs([kind(1), kind(3), kind(9), kind(27)])):
            assert ladder == Ladder(1, 27)
            assert {type(value) for value in (ladder.minimum, ladder.maximum, ladder.eta, *ladder.rungs)} == {float}

    def test_is_a_value_of_a_hyperparameter(self, kind: Any) -> None:
        checked = JOINT.check({**CONFIGURATION, "batch_size": kind(64), "momentum": kind(1) / 2})
        assert (checked["batch_size"], type(checked["batch_size"])) == (64, int)
        assert (checked["momentum"], type(checked["momentum"])) == (0.5, float)


@pytest.mark.parametrize("budgets", [[27, 9, 1], [27.0, 9.0, 1.0], pd.Series([27, 9, 1]), (27, np.int64(9), 1.0)])
@pytest.mark.parametrize("dtype", [None, np.int32, np.uint64, np.float16, np.float32, np.longdouble, object, "Int64"])
def test_budgets_of_a_batch_are_of_any_kind(budgets: Any, dtype: Any) -> None:
    if dtype is not None:
        budgets = pd.Series(budgets, dtype=dtype) if dtype == "Int64" else np.array(budgets, dtype=dtype)
    expected = [BENCHMARK.query(CONFIGURATION, budget) for budget in (27.0, 9.0, 1.0)]
    assert list(BENCHMARK.query_batch(ROWS, budgets)) == expected


def test_a_ladder_is_made_of_an_array() -> None:
    for dtype in (np.int64, np.uint8, np.float16, np.float32, object):
        assert Ladder.of_rungs(np.array([1, 3, 9], dtype=dtype)) == Ladder(1, 9)
    assert Ladder.of_rungs(pd.Series([1, 3, 9])) == Ladder.of_rungs(iter([1, 3, 9])) == Ladder(1, 9)


def test_a_number_of_32_bits_is_the_decimal_as_which_it_is_written() -> None:
    """np.float32(0.9) is 0.8999999761581421, which would lie between two rungs; np.float32(0.7) beyond 0.7."""
    ladder = Ladder(0.1, 0.9)
    for dtype in (np.float16, np.float32):
        rungs = np.array([0.1, 0.3, 0.9], dtype=dtype)
        assert Ladder.of_rungs(rungs) == Ladder(rungs[0], rungs[-1]) == ladder
        assert [ladder.rung_of(budget) for budget in rungs] == [0, 1, 2]
        assert [ladder.check_within(budget) for budget in (*rungs, np.array(rungs[1]))] == [0.1, 0.3, 0.9, 0.3]


@given(st.floats(1.0, 27.0))
def test_numbers_of_64_bits_are_kept_to_the_last_bit(budget: float) -> None:
    for same in (np.float64(budget), np.longdouble(budget), Fraction(budget), Decimal(budget), np.array(budget)):
        assert Ladder(1, 27).check_within(same) == budget  # type: ignore[arg-type]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
class TestWhatIsNoNumber:
    def test_is_no_budget(self, value: Any) -> None:
        ladder = Ladder(1, 27)
        for asked in (
            lambda: ladder.check_within(value),
            lambda: ladder.rung_of(value),
            lambda: BENCHMARK.query(CONFIGURATION, value),
            lambda: adapters.smac_target(BENCHMARK)(CONFIGURATION, 3, [value]),
            lambda: SurrogateObjective(BENCHMARK)(CONFIGURATION, value, 3),
        ):
            with pytest.raises(BudgetError, match=r"^budget: "):
                asked()
        # A list of one budget is one for all.
        for batch in ([27.0, 9.0, value], [value] if isinstance(value, list) else value):
            with pytest.raises(InputError, match=r"^budgets?: "):
                BENCHMARK.query_batch(ROWS, batch)

    def test_makes_no_ladder(self, value: Any) -> None:
        for made in (lambda: Ladder(value, 27), lambda: Ladder(1, value), lambda: Ladder(1, 27, value)):
            with pytest.raises(InputError, match=r"^ladder "):
                made()
        with pytest.raises(InputError, match=r"^ladder: "):
            Ladder.of_rungs([1, value, 9])


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64, np.uint64, np.array, int])
def test_any_whole_number_is_a_seed(kind: Any) -> None:
    expected = BENCHMARK.query(CONFIGURATION, 27.0, 3)
    assert BENCHMARK.query(CONFIGURATION, 27.0, kind(3)) == expected
    assert list(BENCHMARK.query_batch(ROWS, 27.0, kind(3))) == [expected] * 3
    assert list(BENCHMARK.query_batch(ROWS, 27.0, [kind(3), 3, np.int32(3)])) == [expected] * 3
    assert BENCHMARK.sample(kind(2), kind(3)) == BENCHMARK.sample(2, 3)
    made = [make_optimizer("random", JOINT, Ladder(1, 27), seed=seed, full_budgets=4) for seed in (kind(3), 3)]
    assert made[0].ask().configuration == made[1].ask().configuration  # type: ignore[union-attr]
    assert type(made[0].seed) is int
    assert type(checked_seed("seed", kind(3))) is int
    assert type(SurrogateObjective(BENCHMARK)(CONFIGURATION, 27.0, kind(3)).seed) is int


@pytest.mark.parametrize(
    "value", [True, np.True_, "3", 1.5, 3.0, np.float64(3), 2**63, -(2**63) - 1, [3, 4], [True] * 3]
)
def test_what_is_no_whole_number_of_64_bits_is_no_seed(value: Any) -> None:
    with pytest.raises(InputError, match=r"^seeds?: "):
        BENCHMARK.query_batch(ROWS, 27.0, value)
    with pytest.raises(InputError, match=r"^seed: "):
        BENCHMARK.query(CONFIGURATION, 27.0, value)
    with pytest.raises(InputError, match=r"^seed: "):
        make_optimizer("random", JOINT, Ladder(1, 27), seed=value, full_budgets=4)


def test_a_replayed_log_takes_any_real_number() -> None:
    objective = ReplayObjective(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))
    expected = objective(CONFIGURATION, 27.0, 3)
    for budget in (27, np.int64(27), np.float32(27), Fraction(27)):
        assert objective(CONFIGURATION, budget, 3) == expected  # type: ignore[arg-type]
    with pytest.raises(BudgetError):
        objective(CONFIGURATION, True, 3)


@pytest.mark.parametrize("value", [10**400, -(10**400), Fraction(10**400), Decimal("1e400"), 1e400])
def test_what_is_larger_than_all_floats_is_outside_and_no_traceback(value: Any) -> None:
    with pytest.raises(BudgetError):
        Ladder(1, 27).check_within(value)
    with pytest.raises(InputError):
        Ladder(1, value)
    with pytest.raises(InputError):
        BENCHMARK.query_batch(ROWS, [value, 9.0, 9.0])
    with pytest.raises(InputError, match="momentum"):
        BENCHMARK.query({**CONFIGURATION, "momentum": value}, 27.0)


@given(st.integers() | st.floats(allow_nan=False))
def test_plain_numbers_stay_what_they_are(value: float) -> None:
    assert (plain_number(value), type(plain_number(value))) == (value, type(value))


def test_an_array_of_numbers_is_one_of_floats() -> None:
    for given_values in ([[1, 2.5], [np.int8(3), Fraction(4)]], np.array([[1, 2.5], [3, 4]], dtype=object)):
        made = array_of_numbers("rows", given_values)
        assert made.dtype == np.float64
        np.testing.assert_array_equal(made, [[1, 2.5], [3, 4]])
