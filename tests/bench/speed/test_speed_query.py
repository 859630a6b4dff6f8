"""What measures a query's speed: that it asks what it says it asks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost

from jointbench.bench.speed.query_others import METRICS, Pipelines, as_boosters, as_estimators
from jointbench.surrogate.contract import corners_and_samples
from jointbench.surrogate.stored import MODELS, load_benchmark, released
from jointbench.surrogate.ubjson import split_ubjson


def test_a_process_of_its_own_says_seconds_and_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jointbench.bench.speed.query_process", "alone", str(tmp_path)]
    said = json.loads(subprocess.check_output(command))
    seconds = {f"{part}_{kind}seconds" for part in ("import", "load") for kind in ("", "core_")}
    assert said.keys() == {*seconds, "memory_bytes"}
    assert min(said.values()) > 0


def test_xgboosts_calls_are_given_the_trees_of_the_benchmark() -> None:
    benchmark = load_benchmark("digits-cpu")
    space, rows = benchmark.space, corners_and_samples(benchmark.space, 30)
    features = benchmark.features.many(rows, space.facts(rows, benchmark.images.shape), np.full(len(rows), 9.0))
    models = list(split_ubjson((released()["digits-cpu"] / MODELS).read_bytes()).values())
    for booster, estimator in zip(as_boosters(models), as_estimators(models), strict=True):
        expected = booster.predict(xgboost.DMatrix(features))
        np.testing.assert_allclose(booster.inplace_predict(features), expected, rtol=1e-6)
        np.testing.assert_allclose(estimator.predict(features), expected, rtol=1e-6)


def test_pipelines_answer_one_as_many_and_nearly_as_the_benchmark() -> None:
    benchmark = load_benchmark("digits-cpu")
    space, rows = benchmark.space, corners_and_samples(benchmark.space, 100, seed=1)
    pipelines = Pipelines(benchmark, trees=20, depth=4)
    many = pipelines.predict(pipelines.frame(benchmark, rows, np.full(len(rows), 9.0)))
    one = pipelines.query(space.configuration(rows[5]), 9.0)
    assert one == pytest.approx({metric: many[metric][5] for metric in METRICS})
    answers = benchmark.query_batch(rows, 9.0)
    assert np.corrcoef(many["validation_error"], answers.validation_error)[0, 1] > 0.8
