"""Model selection over XGBoost's parameters."""

import builtins
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from jointbench.data.errors import MissingExtraError
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.judging.held_out import folds
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.scores import Row, scores
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.models import DEFAULT, ErrorModels, ErrorSettings
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.stored import released
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import TrainingTable, training_table
from jointbench.surrogate.tuning import tune, unexplained

QUICK = ErrorSettings(max_depth=2, rounds=8, learning_rate=0.4)


@pytest.fixture(scope="module")
def log() -> EvaluationLog:
    return EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")


@pytest.fixture(scope="module")
def few(log: EvaluationLog) -> TrainingTable:
    """A third of the trainings that ended ok."""
    table = training_table(log)
    return table.take(table.ok & (table.group % 3 == 0))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointbench.surrogate.models.MEMBERS", 1)
    monkeypatch.setattr("jointbench.surrogate.tuning.SEARCHED", 1)
    monkeypatch.setattr("jointbench.surrogate.tuning.CHECKED", 1)


def test_what_is_minimized_is_1_less_r2_over_budgets_and_errors(few: TrainingTable) -> None:
    fold = folds(few, 5)
    logits = np.empty((len(few), 2))
    for number in range(5):
        chosen = fold == number
        logits[chosen] = ErrorModels.fit(few.take(~chosen), 5, QUICK).logits(few.take(chosen))
    left: list[float] = []
    for part, images in enumerate((few.images.validation, few.images.test)):
        said = ErrorScale(images).from_logit(logits[:, part])
        for budget in few.ladder.rungs:
            at = few.budgets == budget
            left.append(1 - scores(few.errors[at, part], said[at])["r2"])
    assert unexplained(few, fold, QUICK, 5) == pytest.approx(np.mean(left))


class TestTune:
    @pytest.fixture
    def defaults(self, monkeypatch: pytest.MonkeyPatch) -> ErrorSettings:
        """So poor that anything is better."""
        poor = replace(DEFAULT, rounds=24, learning_rate=0.03, max_depth=2)
        monkeypatch.setattr("jointbench.surrogate.tuning.DEFAULT", poor)
        return poor

    def test_it_finds_what_is_better_and_is_reproducible(self, few: TrainingTable, defaults: ErrorSettings) -> None:
        told: list[tuple[int, float, ErrorSettings]] = []
        tuned = tune(few, 4, 3, lambda *trial: told.append(trial))
        assert [number for number, _, _ in told] == [0, 1, 2, 3]
        assert told[0][2] == defaults
        assert told[0][1] == pytest.approx(np.mean([row["default"] for row in tuned.rows if row["searched"]]))
        assert told[3][1] == pytest.approx(np.mean([row["found"] for row in tuned.rows if row["searched"]]))
        assert told[3][1] < told[0][1]
        assert [row["searched"] for row in tuned.rows] == [True, False]
        assert all(row["found"] < row["default"] for row in tuned.rows)
        assert tune(few, 4, 3) == tuned

    def test_one_trial_is_the_default(self, few: TrainingTable, defaults: ErrorSettings) -> None:
        assert tune(few, 1, 0).settings == defaults


def test_a_missing_optuna_is_named_with_its_extra(few: TrainingTable, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "optuna":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"jointbench\[optuna\]"):
        tune(few, 1, 0)


def test_a_surrogate_keeps_and_says_its_settings(log: EvaluationLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    surrogate = Surrogate.fit(log, "tuned", settings=QUICK, partitions=1)
    assert surrogate.benchmark.provenance["settings"] == asdict(QUICK)
    assert surrogate.held_out.settings == QUICK
    # Eight trees of depth 2 for each member where there were 64 of depth 5.
    assert len(surrogate._models) < 0.5 * (released()["digits-cpu"] / "models.ubj").stat().st_size


def test_the_table_of_model_selection_names_the_partitions() -> None:
    rows: list[Row] = [{"partition": n, "searched": n == 0, "default": 0.25, "found": 0.24} for n in range(2)]
    judgement = Judgement([], [], [], [], [], [], [], [], tuning=rows)
    shown = judged_tables(judgement, Ladder(1, 27, 3, "seconds"))["tuning"]
    assert shown.rows == [("1", "yes", "0.2500", "0.2400"), ("2", "no", "0.2500", "0.2400")]
