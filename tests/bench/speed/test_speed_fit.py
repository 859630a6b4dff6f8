"""The log that fitting is timed on, and its figures."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from jointbench.bench.speed import fit
from jointbench.bench.speed.fit import OPTIMIZERS, make
from jointbench.surrogate.repeats import Repeats
from jointbench.surrogate.stored import load_benchmark
from jointbench.surrogate.table import training_table


def test_the_drawn_log_has_what_a_collected_one_has(tmp_path: Path) -> None:
    benchmark = load_benchmark("digits-cpu")
    log = make(tmp_path / "log", benchmark, 900)
    assert len({evaluation.key for evaluation in log.evaluations()}) == 900
    table = training_table(log)
    assert set(np.unique(table.optimizer)) == {*OPTIMIZERS, "repeats"}
    assert set(np.unique(table.budgets)) == set(benchmark.ladder.rungs)
    assert len(Repeats.of(table)) > 30
    # The noise of the draws: no two trainings of a configuration are the same.
    assert (Repeats.of(table).variance > 0).mean() > 0.5


def test_it_says_how_long_a_fit_takes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(fit, "QUICK_EVALUATIONS", 200)
    monkeypatch.setattr(fit, "QUICK_BASELINES", ("XGBoost", "LightGBM"))
    monkeypatch.setattr(sys, "argv", ["program", "--quick", "--json"])
    fit.main()
    figures = json.loads(capsys.readouterr().out)
    assert figures["evaluations"] == 200
    assert figures["seconds"] > 0
    assert figures["fit_xgboost_core_seconds"] > 0
    assert figures["fit_lightgbm_core_seconds"] > 0
