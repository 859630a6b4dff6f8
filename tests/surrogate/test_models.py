"""The ensemble that predicts errors."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost

from jointbench.data.arrays import FloatArray
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.models import MEMBERS, ErrorModels, ErrorSettings
from jointbench.surrogate.stored import released
from jointbench.surrogate.table import TrainingTable, training_table
from jointbench.surrogate.teacher import error_logits

#: Deep and quick to learn, so that each evaluation leaves its mark.
EAGER = ErrorSettings(max_depth=8, learning_rate=0.5, min_child_weight=0.5, reg_lambda=0.1, rounds=16)


@pytest.fixture(scope="module")
def ok() -> TrainingTable:
    table = training_table(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))
    return table.take(table.ok & (table.group % 4 == 0))


def by_member(models: ErrorModels, table: TrainingTable) -> FloatArray:
    """(members, n, 2)."""
    inputs = models.features.many(table.rows, table.facts, table.budgets)
    return np.array([member.predict(xgboost.DMatrix(inputs)) for member in models.members])


def test_the_members_differ_and_their_mean_is_said(ok: TrainingTable) -> None:
    models = ErrorModels.fit(ok, 0)
    members = by_member(models, ok)
    assert len(members) == MEMBERS
    assert (members.std(axis=0) > 0).mean() > 0.99
    np.testing.assert_allclose(models.logits(ok), members.mean(axis=0), rtol=1e-5, atol=1e-6)


def test_every_member_sees_every_configuration(ok: TrainingTable) -> None:
    before = by_member(ErrorModels.fit(ok, 0, EAGER), ok)
    for row in (0, 40, 80, 120):
        same = ok.group == ok.group[row]
        moved = ok.errors.copy()
        moved[same] = 1 - moved[same]
        after = by_member(ErrorModels.fit(replace(ok, errors=moved), 0, EAGER), ok)
        real = error_logits(ok)[row, 1]
        # The error's mirror image has the logit's other sign.
        towards = (before[:, row, 1] - after[:, row, 1]) * np.sign(real)
        assert (towards > 0.1 * abs(real)).all()
