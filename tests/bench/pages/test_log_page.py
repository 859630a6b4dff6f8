"""What the page of a log says of one that has little to show."""

from pathlib import Path

import pytest
from toy import ONE_RUNG, TOY
from toy_log import METRICS, toy_evaluations, toy_log

import jointbench
from jointbench.bench.pages.log_page import log_page
from jointbench.data.errors import UnknownNameError
from jointbench.data.log import EvaluationLog


def test_of_one_budget_no_table_of_two_is_drawn(tmp_path: Path) -> None:
    page = "".join(log_page(toy_log(tmp_path / "log")))
    assert "All trainings have the same budget." in page
    assert "Spearman" not in page
    assert f"with a budget of {ONE_RUNG.amount(ONE_RUNG.maximum)}" in page


def test_none_failed_where_none_did(tmp_path: Path) -> None:
    log = EvaluationLog.open_or_create(tmp_path / "log", TOY, ONE_RUNG, None, METRICS)
    log.append([one for one in toy_evaluations(30) if one.ok])
    assert "; none of them failed." in "".join(log_page(log))


def test_no_figure_is_drawn_of_what_nobody_measured(tmp_path: Path) -> None:
    collection = jointbench.Collection(toy_log(tmp_path / "log"))
    assert list(collection.drawings()) == ["evaluations"]
    with pytest.raises(UnknownNameError, match="evaluations"):
        collection.figure("parameters")
