"""Trainings of which some collapse: a frozen benchmark says of which, and what they get on average."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.errors import BenchmarkError, InputError
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.collapse import Collapse
from jointbench.surrogate.collapse_law import CollapseLaw
from jointbench.surrogate.contract import CHECKS, Check, corners_and_samples
from jointbench.surrogate.croissant import EVALUATIONS
from jointbench.surrogate.manifest import COLLAPSE_FORMAT
from jointbench.surrogate.models import Models
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.stored import released
from jointbench.surrogate.student import DISTILLED
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import training_table

LAW, SCALES = CollapseLaw((0.9, 0.88)), (ErrorScale(3_000), ErrorScale(5_000))
LOGITS, ODDS = st.floats(-8.0, 8.0), st.floats(-60.0, 60.0)

#: Larger steps collapse in the benchmark below.
STEEP = 0.3


@given(logits=st.tuples(LOGITS, LOGITS), odds=ODDS)
def test_what_is_expected_lies_between_what_works_and_what_collapses(logits: tuple[float, float], odds: float) -> None:
    for was, now, level, scale in zip(logits, LAW.expected(logits, odds, SCALES), LAW.level, SCALES, strict=True):
        low, high = sorted([was, scale.to_logit(level)])
        assert low - 1e-9 <= now <= high + 1e-9


@given(logits=st.tuples(LOGITS, LOGITS))
def test_a_small_chance_is_none_and_a_sure_one_is_the_level(logits: tuple[float, float]) -> None:
    assert LAW.expected(logits, -4.0, SCALES) == pytest.approx(logits, abs=1e-9)
    sure = [scale.from_logit(z) for scale, z in zip(SCALES, LAW.expected(logits, 50.0, SCALES), strict=True)]
    assert sure == pytest.approx(LAW.level, abs=1e-9)


@given(logit=LOGITS, odds=st.lists(st.floats(-10.0, 10.0), min_size=2, max_size=2))
def test_the_likelier_the_nearer_to_the_level(logit: float, odds: list[float]) -> None:
    level = SCALES[0].to_logit(LAW.level[0])
    less, more = (abs(LAW.expected((logit, logit), one, SCALES)[0] - level) for one in sorted(odds))
    assert more <= less + 1e-9


@given(st.lists(st.tuples(LOGITS, LOGITS, ODDS), min_size=1, max_size=20))
def test_arrays_have_the_bits_of_numbers(rows: list[tuple[float, float, float]]) -> None:
    first, second, odds = np.array(rows).T
    together = np.stack(LAW.expected([first, second], odds, SCALES), axis=1)
    np.testing.assert_array_equal(together, [LAW.expected((a, b), c, SCALES) for a, b, c in rows])


@pytest.mark.parametrize("level", [[0.9, 1.5], [0.9, float("nan")], [-0.1, 0.5], [True, 0.5], ["0.9", 0.9]])
def test_what_is_no_error_is_no_level(level: list[Any]) -> None:
    with pytest.raises((InputError, TypeError)):
        CollapseLaw.from_dict({"level": level})


@pytest.fixture(scope="module")
def fitted() -> tuple[Surrogate, Models]:
    """As if trainings with large steps had collapsed."""
    log = EvaluationLog.open(released()["fashion-joint"] / EVALUATIONS)
    settings = replace(DISTILLED, questions=1_000, rounds=16, units=(16,))
    whole = Surrogate.fit(log, "collapsing", settings=settings, partitions=1)
    table = training_table(log)
    made, ok = Models.fit(table, 0, settings), table.take(table.ok)
    rows = made.features.many(ok.rows, ok.facts, ok.budgets).astype(np.float64)
    steep = ok.rows[:, ok.space.names.index("learning_rate")] > STEEP
    made = replace(made, collapse=Collapse.fit(rows, np.where(steep[:, None], 0.9, ok.errors), steep, 0))
    return Surrogate._of(whole.held_out, whole._manifest, made, log), made


@pytest.fixture(scope="module")
def surrogate(fitted: tuple[Surrogate, Models]) -> Surrogate:
    return fitted[0]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_such_a_benchmark_keeps_the_contract(surrogate: Surrogate, check: Check) -> None:
    assert surrogate.benchmark.manifest.format_version == COLLAPSE_FORMAT
    check(surrogate.benchmark)


def test_it_answers_with_what_was_fitted(fitted: tuple[Surrogate, Models]) -> None:
    whole, made = fitted
    table, benchmark = training_table(whole.log), whole.benchmark
    model = made.outcome_model(benchmark.manifest.noise, {})
    said = model.completed(made.outputs(table), table.budgets)
    answers = benchmark.query_batch(table.rows, table.budgets)
    for part, errors in enumerate((answers.validation_error, answers.test_error)):
        expected = model.scales[part].from_logit(said[part])
        np.testing.assert_array_equal(errors[answers.ok], expected[answers.ok])


def test_where_trainings_collapse_is_an_edge(surrogate: Surrogate) -> None:
    benchmark = surrogate.benchmark
    rows = corners_and_samples(benchmark.space, 200)
    rate = rows[:, benchmark.space.names.index("learning_rate")]
    answers = benchmark.query_batch(rows, benchmark.ladder.maximum)
    assert np.median(answers.validation_error[answers.ok & (rate > 2 * STEEP)]) > 0.75
    assert np.median(answers.validation_error[answers.ok & (rate < STEEP / 2)]) < 0.5


def test_compiled_answers_are_numpys_to_the_last_bit(surrogate: Surrogate) -> None:
    pytest.importorskip("llvmlite")
    benchmark = Benchmark(surrogate._manifest, surrogate._models, "again")
    benchmark.accelerate()
    rows = corners_and_samples(benchmark.space, 300)
    budgets = np.resize(benchmark.ladder.rungs, len(rows))
    for drawn in (None, np.arange(len(rows))):
        compiled = [
            benchmark._quick(
                benchmark.space.configuration(row), float(budgets[i]), None if drawn is None else int(drawn[i])
            )
            for i, row in enumerate(rows)
        ]
        assert compiled == list(benchmark.query_batch(rows, budgets, drawn))


@pytest.mark.parametrize("entry", [{}, {"level": [0.9]}, {"level": [0.9, 2.0]}, {"level": None}, None, [0.9, 0.9]])
def test_a_manifest_without_a_level_for_each_error_is_refused(surrogate: Surrogate, entry: Any) -> None:
    with pytest.raises(BenchmarkError):
        Benchmark({**json.loads(json.dumps(surrogate._manifest)), "collapse": entry}, surrogate._models, "changed")


def test_another_level_is_another_benchmark(surrogate: Surrogate) -> None:
    manifest = {**surrogate._manifest, "collapse": {"level": [0.5, 0.5]}}
    changed = Benchmark(manifest, surrogate._models, "changed")
    assert hashlib.sha256(surrogate._models).hexdigest() == changed.manifest.checksum
    assert changed.manifest.identity != surrogate.benchmark.manifest.identity
