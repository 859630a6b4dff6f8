"""Bounds below which no answer is: their law, and that all ways to ask keep them with the same bits."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.errors import BenchmarkError, InputError, MissingExtraError
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.bounds import Bounds
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.stored import MANIFEST, MODELS, load_benchmark, released

RUNGS = (1.0, 3.0, 9.0, 27.0)
MADE = Bounds(
    RUNGS, ((-1.0, -1.5), (-1.5, -2.0), (-2.0, -2.5), (-3.0, -3.5)), ((0.5, 0.2), (0.4, 0.3), (0.2, 1.0), (1.0, 2.0))
)
LOGITS = st.floats(-50.0, 50.0)


@given(logits=st.tuples(LOGITS, LOGITS), rung=st.sampled_from(range(4)))
def test_an_answer_stays_above_and_is_as_it_was_above_the_lowest(logits: tuple[float, float], rung: int) -> None:
    found = MADE.bound(logits, RUNGS[rung])
    for part, (was, now) in enumerate(zip(logits, found, strict=True)):
        lowest, below = MADE.lowest[rung][part], MADE.below[rung][part]
        assert now > lowest - below
        assert now == was if was >= lowest else was <= now < lowest


@given(one=LOGITS, other=LOGITS, rung=st.sampled_from(RUNGS))
def test_order_is_kept(one: float, other: float, rung: float) -> None:
    low, high = (MADE.bound((of, of), rung) for of in sorted((one, other)))
    assert low[0] <= high[0]
    assert low[1] <= high[1]


@given(st.lists(st.tuples(LOGITS, LOGITS, st.sampled_from(RUNGS)), min_size=1, max_size=20))
def test_arrays_have_the_bits_of_numbers(rows: list[tuple[float, float, float]]) -> None:
    first, second, rung = np.array(rows).T
    together = np.stack(MADE.bound([first, second], rung), axis=1)
    alone = [MADE.bound((a, b), r) for a, b, r in rows]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("lowest", "below"),
    [
        ([[-1.0, -1.0]] * 3, [[1.0, 1.0]] * 4),
        ([[-1.0, -1.0]] * 4, [[1.0, 0.0]] * 4),
        ([[-1.0, -1.0]] * 4, [[1.0, -0.5]] * 4),
        ([[-1.0, float("nan")]] * 4, [[1.0, 1.0]] * 4),
        ([[-1.0, float("-inf")]] * 4, [[1.0, 1.0]] * 4),
        ([[-1.0, True]] * 4, [[1.0, 1.0]] * 4),
        ([[-1.0, -1.0], [-1.0]] * 2, [[1.0, 1.0]] * 4),
    ],
)
def test_what_no_log_gives_is_refused(lowest: Any, below: Any) -> None:
    with pytest.raises(InputError):
        Bounds.from_dict({"lowest": lowest, "below": below}, RUNGS)


class TestBenchmark:
    """One whose student is given bounds that many of its answers would be below."""

    FOLDER = released()["fashion-small"]

    @classmethod
    def bounded(cls, **changes: Any) -> Benchmark:
        content = json.loads((cls.FOLDER / MANIFEST).read_text(encoding="utf-8"))
        bounds = {"lowest": [[-0.5, -0.4]] * 4, "below": [[0.1, 0.05]] * 4}
        changes = {"bounds": bounds, **changes}
        return Benchmark({**content, **changes}, (cls.FOLDER / MODELS).read_bytes(), "bounded")

    @pytest.mark.parametrize("seed", [None, 5])
    def test_all_ways_to_ask_give_the_same_bits(self, seed: int | None) -> None:
        benchmark, compiled = self.bounded(), self.bounded()
        with suppress(MissingExtraError):
            compiled.accelerate()
        asked = benchmark.sample(80, 3)
        # At rungs and between them.
        budgets = [(3.0, 9.0, 20.0, 27.0, 81.0)[k % 5] for k in range(80)]
        batch = benchmark.query_batch(asked, budgets, None if seed is None else [seed] * 80)
        for k, (configuration, budget) in enumerate(zip(asked, budgets, strict=True)):
            one = benchmark.query(configuration, budget, seed)
            assert compiled.query(configuration, budget, seed) == one
            assert (batch.validation_error[k], batch.test_error[k]) == (one.validation_error, one.test_error)
            assert batch.uncertainty[k] == one.uncertainty

    def test_no_expected_error_is_below_and_those_above_are_as_they_were(self) -> None:
        benchmark, plain = self.bounded(), load_benchmark("fashion-small")
        asked = benchmark.sample(500, 4)
        now, was = (one.query_batch(asked, 81.0).validation_error for one in (benchmark, plain))
        lowest, floor = (ErrorScale(benchmark.images.validation).from_logit(z) for z in (-0.5, -0.6))
        free = was > lowest
        assert 50 < free.sum() < 450
        np.testing.assert_array_equal(now[free], was[free])
        assert (now > floor).all()
        order = np.argsort(was)
        assert (np.diff(now[order]) >= 0).all()

    def test_its_identity_follows_them(self) -> None:
        other = {"lowest": [[-0.5, -0.4]] * 4, "below": [[0.1, 0.06]] * 4}
        assert len({self.bounded().checksum, self.bounded(bounds=other).checksum}) == 2

    @pytest.mark.parametrize(
        "changes",
        [
            {"bounds": None},
            {"bounds": {"lowest": [[-0.5]] * 4, "below": [[0.1]] * 4}},
            {"bounds": {"lowest": [[-0.5, -0.4]] * 3, "below": [[0.1, 0.05]] * 3}},
            {"bounds": {"lowest": "deep", "below": [[0.1, 0.05]] * 4}},
            {"members": 2},
        ],
    )
    def test_a_manifest_whose_bounds_make_no_sense_is_refused(self, changes: dict[str, Any]) -> None:
        with pytest.raises(BenchmarkError):
            self.bounded(**changes)
