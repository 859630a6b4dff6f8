"""The speed program measures what it says: models of so many results, and new configurations alone."""

from importlib.util import find_spec
from typing import Any

import pytest

from jointbench.bench.speed.contenders import LADDER, contender
from jointbench.bench.speed.optimizers import NEEDS, RUNS, whole_runs
from jointbench.cli.compare import DEFAULT_OPTIMIZERS


def test_bohb_models_all_results_and_promotes_nothing() -> None:
    made: Any = contender("bohb", 60)
    assert made.optimizer.sampler._results[LADDER.maximum].count == 61
    before = made.optimizer.sampler.from_model
    made.turn(8)
    assert made.optimizer.sampler.from_model > before
    assert made.ask_us > 0
    assert made.tell_us > 0


@pytest.mark.skipif(not find_spec("hpbandster"), reason="hpbandster is not installed")
def test_hpbandster_has_a_model_of_as_many() -> None:
    made: Any = contender("hpbandster-bohb", 60)
    assert len(made.optimizer._generator.losses[LADDER.maximum]) == 61
    assert LADDER.maximum in made.optimizer._generator.kde_models


@pytest.mark.skipif(not find_spec(NEEDS["tpe"]), reason="optuna is not installed")
def test_optuna_knows_as_many() -> None:
    made: Any = contender("tpe", 60)
    assert len(made.optimizer._study.trials) == 61


def test_smac_is_told_of_all_and_fits_its_model_to_them() -> None:
    made: Any = contender("smac", 60)
    made.turn(8)
    facade = made.optimizer._facade
    assert len(facade.runhistory) == 69
    origins = [configuration.origin or "" for configuration in facade.runhistory.get_configs()]
    assert sum(origin.startswith("Acquisition Function Maximizer") for origin in origins) >= 4, origins


def test_whole_runs_are_those_of_the_default_comparison() -> None:
    figures = whole_runs(2.0)
    assert sorted(RUNS) == sorted(DEFAULT_OPTIMIZERS.split(","))
    assert {key for key in figures if key.endswith("_s")} == {f"{name.replace('-', '_')}_run_s" for name in RUNS}
    assert all(figures[f"{name.replace('-', '_')}_run_evaluations"] >= 2 for name in RUNS)
    # Two full budgets, the first of which architectures may spend at the smallest.
    assert figures["two_stage_run_evaluations"] == 28
