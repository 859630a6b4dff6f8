"""Other models in XGBoost's place."""

import builtins
from typing import Any

import numpy as np
import pytest

from jointbench.data.errors import MissingExtraError
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.inputs import Inputs
from jointbench.surrogate.judging.baselines import BASELINES, PredictLogits, baselines
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.models import ErrorModels
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.stored import released
from jointbench.surrogate.table import TrainingTable, training_table
from jointbench.surrogate.teacher import error_logits


@pytest.fixture(scope="module")
def table() -> TrainingTable:
    return training_table(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))


@pytest.fixture(scope="module")
def few(table: TrainingTable) -> TrainingTable:
    """A quarter of the trainings that ended ok."""
    ok = table.take(table.ok)
    return ok.take(ok.group % 4 == 0)


def in_two(table: TrainingTable) -> HeldOut:
    nothing = np.zeros(len(table))
    return HeldOut(table, table.group // 4 % 2, table.errors, nothing, table.costs, {}, Noise(0, 0, 1), {})


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_learns_and_is_reproducible(name: str, few: TrainingTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointbench.surrogate.judging.baselines.NETWORK_STEPS", 500)
    held_out = few.group % 8 == 0
    seen, unseen = few.take(~held_out), few.take(held_out)
    logits = BASELINES[name](seen, 0)(unseen)
    real = error_logits(unseen)
    assert logits.shape == real.shape
    assert np.mean((logits - real) ** 2) < 0.6 * np.mean((error_logits(seen).mean(axis=0) - real) ** 2)
    np.testing.assert_array_equal(BASELINES[name](seen, 0)(unseen), logits)


def test_no_baseline_sees_a_configuration_that_it_is_judged_on(few: TrainingTable) -> None:
    asked: list[tuple[set[int], set[int]]] = []

    def spy(ok: TrainingTable, seed: int) -> PredictLogits:
        def predict(table: TrainingTable) -> Any:
            asked.append((set(ok.group.tolist()), set(table.group.tolist())))
            return error_logits(table)

        return predict

    rows = baselines(in_two(few), 0, {"knows all": spy})
    assert len(asked) == 2
    assert all(not seen & judged for seen, judged in asked)
    assert all(seen for seen, _ in asked)
    assert all(row["r2"] == pytest.approx(1.0) for row in rows)


def test_xgboost_among_the_baselines_is_the_surrogate_s(few: TrainingTable) -> None:
    np.testing.assert_array_equal(BASELINES["XGBoost"](few, 3)(few), ErrorModels.fit(few, 3).logits(few))


def test_scaled_inputs_are_comparable(few: TrainingTable) -> None:
    scaled = Inputs(few).scaled(few)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-9)


def test_the_baselines_table_names_each_at_the_largest_budget_and_over_all(few: TrainingTable) -> None:
    rows = baselines(in_two(few), 0, {"XGBoost": BASELINES["XGBoost"], "LightGBM": BASELINES["LightGBM"]})
    judgement = Judgement([], [], [], [], [], [], [], [], rows)
    shown = judged_tables(judgement, Ladder(1, 27, 3, "seconds"))["baselines"]
    assert [row[:3] for row in shown.rows[:4]] == [
        ("XGBoost", "27", "validation"),
        ("XGBoost", "27", "test"),
        ("XGBoost", "all", "validation"),
        ("XGBoost", "all", "test"),
    ]
    assert len(shown.rows) == 8
    assert all(len(row) == len(shown.headings) for row in shown.rows)


def test_a_missing_lightgbm_is_named_with_its_extra(few: TrainingTable, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "lightgbm":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"jointbench\[baselines\]"):
        BASELINES["LightGBM"](few, 0)
