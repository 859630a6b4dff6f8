"""A student's network: whole numbers that say the same alone, in a batch, compiled, and in any order of summation."""

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_answers import assert_compiled_as_numpys
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench import import_table
from jointbench.data.errors import BenchmarkError
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.contract import CHECKS, Check, corners_and_samples
from jointbench.surrogate.croissant import EVALUATIONS
from jointbench.surrogate.frozen_models import FrozenModels
from jointbench.surrogate.model_file import NETWORK, read_models
from jointbench.surrogate.models import Models, student
from jointbench.surrogate.stored import released
from jointbench.surrogate.student import DISTILLED
from jointbench.surrogate.student_network import LARGEST, SHIFT, WEIGHT_SHIFT, NetworkInputs, StudentNetwork
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import TrainingTable, training_table
from jointbench.surrogate.teacher import Teacher
from jointbench.surrogate.ubjson import read_ubjson, split_ubjson, write_numbers, write_object

SMALL = replace(DISTILLED, questions=1_000, rounds=8, units=(20, 9))

#: Of trainings on images with numbers alone, and of a task of two metrics.
NAMES = ("fashion-joint", "rnag-digits")


@cache
def log(name: str) -> EvaluationLog:
    return EvaluationLog.open(released()[name] / EVALUATIONS)


@cache
def fitted(name: str) -> Surrogate:
    return Surrogate.fit(log(name), "with-network", settings=SMALL, partitions=1)


@cache
def models(name: str) -> tuple[Models, TrainingTable]:
    table = training_table(log(name))
    return Models.fit(table, 0, SMALL), table


def network_of(made: Models) -> StudentNetwork:
    assert made.network is not None
    return made.network


def rows_of(made: Models, table: TrainingTable) -> Any:
    return made.features.many(table.rows, table.facts, table.budgets)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_frozen_says_what_was_fitted(name: str) -> None:
    made, table = models(name)
    frozen = FrozenModels(*read_models(made.file(), "file", made.names, len(made.features.names)))
    rows = rows_of(made, table)
    assert np.array_equal(frozen.many(rows), made.outputs(table))
    assert [frozen.one(row) for row in rows[:50]] == frozen.many(rows[:50]).T.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_sums_are_those_of_whole_numbers_of_any_size(name: str) -> None:
    made, table = models(name)
    network, row = network_of(made), rows_of(made, table)[3]
    at = [int(one) for one in network.inputs(row)]
    for k, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        columns, added = weights.astype(int).T.tolist(), biases.astype(int).tolist()
        at = [sum(w * x for w, x in zip(column, at, strict=True)) + b for column, b in zip(columns, added, strict=True)]
        if k + 1 < len(network.weights):
            at = [min(max(round(one / 2**WEIGHT_SHIFT), 0), int(LARGEST * 2**SHIFT)) for one in at]
    said = np.array(at) * 2.0 ** -(SHIFT + WEIGHT_SHIFT) * network.deviation + network.mean
    assert np.array_equal(np.clip(said, network.low, network.high), network(row))


def test_the_order_of_units_changes_no_bit() -> None:
    made, table = models("fashion-joint")
    network, rows = network_of(made), rows_of(made, table)
    order = np.random.default_rng(0).permutation(20)
    first, second, last = network.weights
    moved = replace(
        network,
        weights=[first[:, order], second[order], last],
        biases=[network.biases[0][order], *network.biases[1:]],
    )
    assert np.array_equal(moved(rows), network(rows))


def test_it_brings_a_student_nearer_to_its_teacher() -> None:
    table = training_table(log("fashion-joint"))
    table = table.take(table.ok)
    teacher = Teacher.fit(table, 0)
    new = replace(table, rows=table.space.rows_at(np.random.default_rng(1).random(table.rows.shape)))
    said = teacher.logits(new)

    def off(units: tuple[int, ...]) -> float:
        settings = replace(SMALL, questions=4_000, rounds=40, units=units)
        return float(np.mean((student(teacher, settings, 0).logits(new) - said) ** 2))

    assert off((64, 32)) < off(())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_such_a_benchmark_keeps_the_contract(name: str, check: Check) -> None:
    assert fitted(name).benchmark.has_network
    check(fitted(name).benchmark)


def test_compiled_answers_are_numpys_to_the_last_bit() -> None:
    pytest.importorskip("llvmlite")
    benchmark = fitted("fashion-joint").benchmark
    benchmark.accelerate()
    rows = corners_and_samples(benchmark.space, 500)
    rng = np.random.default_rng(0)
    budgets, seeds = rng.choice(benchmark.ladder.rungs, len(rows)), rng.integers(0, 2**60, len(rows))
    assert_compiled_as_numpys(benchmark, rows, budgets, seeds)


def test_inputs_are_numbers_their_logarithms_and_choices_each_standardised() -> None:
    rows = np.array([[1, 10, 0, -1], [2, 100, 1, 3], [3, 1_000, 2, 3]], dtype=np.float32)
    inputs = NetworkInputs.fit(
        rows, plain=[(0, 0.0, 0.0)], logged=[(1, 1.0, 0.0)], choices=[(2, 0.0), (2, 2.0), (3, -1.0)]
    )
    said = inputs(rows) * 2.0**-SHIFT
    even = 1.224744871391589
    assert said[:, 0] == pytest.approx([-even, 0, even], abs=2.0**-SHIFT)
    assert said[:, 1] == pytest.approx([-even, 0, even], abs=2.0**-SHIFT)
    assert said[:, 2] == pytest.approx([2**0.5, -(0.5**0.5), -(0.5**0.5)], abs=2.0**-SHIFT)
    assert said[:, 3].tolist() == said[::-1, 2].tolist()
    assert said[:, 4].tolist() == said[:, 2].tolist()


def test_what_lies_far_outside_what_was_learned_is_bounded() -> None:
    made, table = models("rnag-digits")
    network, rows = network_of(made), rows_of(made, table)[:3].copy()
    rows[0], rows[1] = np.float32(3e38), np.float32(-3e38)
    said = network(rows)
    assert np.isfinite(said).all()
    assert ((network.low <= said) & (said <= network.high)).all()


def benchmark_with(network: dict[str, Any]) -> Benchmark:
    """One whose network has these entries."""
    whole = fitted("fashion-joint")
    members = split_ubjson(whole._models)
    file = write_object({**members, NETWORK: write_object({k: write_numbers(array) for k, array in network.items()})})
    return Benchmark({**whole._manifest, "models": hashlib.sha256(file).hexdigest()}, file, "damaged")


def entries() -> dict[str, Any]:
    return dict(read_ubjson(split_ubjson(fitted("fashion-joint")._models)[NETWORK], "network"))


def test_a_network_is_read_as_it_was_written() -> None:
    rows = rows_of(*models("fashion-joint"))
    again = StudentNetwork.from_dict(entries(), "file", rows.shape[1], 2)
    assert benchmark_with(entries()).has_network
    assert again.as_dict().keys() == entries().keys()
    assert all(np.array_equal(array, entries()[name]) for name, array in again.as_dict().items())


def at(array: Any, place: int, value: Any) -> Any:
    changed = array.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("column", lambda a: at(a, 0, 10_000), "features among"),
        ("column", lambda a: at(a, 0, -1), "features among"),
        ("column", lambda a: a[:-1], "inputs of three kinds"),
        ("column", lambda a: a.astype(np.float64), "as an array of int32"),
        ("kinds", lambda a: at(a, 0, -3), "inputs of three kinds"),
        ("units", lambda a: at(a, 2, 3), "the last of 2"),
        ("units", lambda a: np.repeat(a, 5), "at most 8 layers"),
        ("units", lambda a: at(a, 0, 10**6), "none wider than"),
        ("weights", lambda a: a[:-1], "a weight for each pair"),
        ("weights", lambda a: a * 0 + np.int32(2**31 - 1), "whose sums are exact"),
        ("biases", lambda a: at(a, 0, 2**60), "whose sums are exact"),
        ("biases", lambda a: a[1:], "a bias for each unit"),
        ("input-scale", lambda a: at(a, 0, np.nan), "input-scale within"),
        ("input-mean", lambda a: at(a, 0, np.inf), "input-mean within"),
        ("input-added", lambda a: a * 0 - 1e29, "logarithms of positive numbers"),
        ("output-high", lambda a: at(a, 0, 1e9), "outputs within"),
        ("output-low", lambda a: a + 600, "outputs within"),
        ("output-mean", lambda a: a[:1], "as many of output-mean"),
        ("output-mean", lambda a: None, "the entries"),
    ],
)
def test_a_damaged_network_is_refused(name: str, change: Any, words: str) -> None:
    changed = entries() | {name: change(entries()[name])}
    with pytest.raises(BenchmarkError, match=words):
        benchmark_with({key: array for key, array in changed.items() if array is not None})


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_network_of_any_numbers_is_refused_or_harmless(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(entries())))
    array = entries()[name].copy()
    info = (np.iinfo if array.dtype.kind == "i" else np.finfo)(array.dtype)
    drawn = st.integers(int(info.min), int(info.max)) if array.dtype.kind == "i" else st.floats()
    array[data.draw(st.integers(0, len(array) - 1))] = data.draw(drawn)
    try:
        benchmark = benchmark_with(entries() | {name: array})
    except BenchmarkError:
        return
    answers = benchmark.query_batch(corners_and_samples(benchmark.space, 4), benchmark.ladder.maximum)
    assert ((answers.validation_error >= 0) & (answers.validation_error <= 1)).all()


def test_a_network_takes_the_place_of_no_model() -> None:
    whole = fitted("fashion-joint")
    members = split_ubjson(whole._models)
    file = write_object({"errors-0": members.pop("errors-0"), NETWORK: members.pop(NETWORK), **members})
    with pytest.raises(BenchmarkError, match="the models"):
        Benchmark({**whole._manifest, "models": hashlib.sha256(file).hexdigest()}, file, "mixed up")


def imported(frame: dict[str, Any], folder: Path) -> Surrogate:
    import_table(frame, folder, budget="epochs", metrics="loss=loss")
    return Surrogate.fit(EvaluationLog.open(folder), "imported", settings=SMALL, partitions=1)


@pytest.mark.parametrize("size", [1e35, 1e-11])
def test_hyperparameters_of_any_size_are_read_again_and_differ(size: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = {"huge_or_tiny": rng.uniform(-size, size, 60), "momentum": rng.random(60), "epochs": np.full(60, 9)}
    frame["loss"] = (frame["huge_or_tiny"] / size) ** 2 + rng.normal(0, 0.1, 60)
    benchmark = imported(frame, tmp_path / "log").benchmark
    assert benchmark.has_network
    network = benchmark._models.network
    assert network is not None
    # What never differs is the budget.
    assert np.count_nonzero(network.inputs.scale == 0) == 1
    said = benchmark.query_batch([{"huge_or_tiny": x * size, "momentum": 0.5} for x in (0.0, 0.99)], 9)
    assert said.metrics["loss"][0] < said.metrics["loss"][1]


def test_too_many_choices_for_a_network_are_left_to_trees(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame: dict[str, Any] = {f"c{k}": [f"choice {n}" for n in rng.integers(0, 60, 80)] for k in range(30)}
    frame |= {"epochs": np.full(80, 9), "loss": rng.random(80)}
    benchmark = imported(frame, tmp_path / "log").benchmark
    assert not benchmark.has_network
    [answer] = benchmark.query_batch(benchmark.sample(1, seed=0), 9)
    assert np.isfinite(answer.metrics["loss"])


def test_what_a_network_learned_of_far_outliers_is_read_again() -> None:
    network = network_of(models("fashion-joint")[0])
    lessons = np.array([[0.0, 0.0], [0.0, 0.0], [-900.0, 900.0]])
    small = [weights * 2.0**-WEIGHT_SHIFT for weights in network.weights]
    made = StudentNetwork.rounded(network.inputs, small, [np.zeros(len(b)) for b in network.biases], lessons)
    features = int(network.inputs.column.max()) + 1
    assert StudentNetwork.from_dict(made.as_dict(), "file", features, 2).low.tolist() == [-300, 0]
