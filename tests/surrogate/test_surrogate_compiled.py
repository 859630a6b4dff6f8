"""Compiled answers: the same as NumPy's to the last bit, and asked only what they can answer."""

import json
import math
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from compiled_answers import assert_compiled_as_numpys

from jointbench import import_table
from jointbench.data.errors import BenchmarkError, BudgetError, ConfigurationError, InputError, MissingExtraError
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.facts import Facts
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.joint import JOINT, JointSpace
from jointbench.data.tracing import Program
from jointbench.surrogate import benchmark as benchmark_module
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.contract import at_every_border, corners_and_samples
from jointbench.surrogate.model_file import join_models
from jointbench.surrogate.stored import MANIFEST, MODELS, load_benchmark, released
from jointbench.surrogate.student import DISTILLED
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.ubjson import split_ubjson

pytest.importorskip("llvmlite")

FOLDER = released()["digits-cpu"]
ANYWHERE = JOINT.named["zela-2018"]


def changed(**entries: object) -> Benchmark:
    """The shipped benchmark with another manifest, and a model for each kind of failure that it names."""
    manifest = json.loads((FOLDER / MANIFEST).read_text(encoding="utf-8"))
    manifest.update(entries)
    models = split_ubjson((FOLDER / MODELS).read_bytes())
    failure = models.popitem()[1]
    models.update(dict.fromkeys(manifest["odds"], failure))
    return Benchmark(manifest, join_models(models), "changed")


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"ladder": {"minimum": 1.0, "maximum": 27.0, "eta": 3.0, "unit": "epochs"}},
        {"odds": {}},
        {"odds": {"diverged": [1.0, 0.5], "out_of_memory": [1.3, -0.5], "timeout": [0.7, 2.0]}},
    ],
    ids=["shipped", "epochs", "no failures", "three failures"],
)
def test_every_answer_is_numpys_to_the_last_bit(entries: dict[str, object]) -> None:
    benchmark = changed(**entries)
    benchmark.accelerate()
    rows = np.concatenate([at_every_border(JOINT, 20), corners_and_samples(JOINT, 500)])
    configurations = [JOINT.configuration(row) for row in rows]
    rng = np.random.default_rng(0)
    budgets, seeds = rng.choice(benchmark.ladder.rungs, len(rows)), rng.integers(-(2**63), 2**63 - 1, len(rows))
    for drawn in (None, seeds):
        compiled = [
            benchmark._quick(configuration, float(budgets[i]), None if drawn is None else int(drawn[i]))
            for i, configuration in enumerate(configurations)
        ]
        assert compiled == list(benchmark.query_batch(rows, budgets, drawn))


def test_a_hundred_thousand_answers_are_those_of_a_batch_to_the_last_bit() -> None:
    """With each range at both of its ends; some seconds, because so many are promised."""
    benchmark = load_benchmark("digits-cpu")
    benchmark.accelerate()
    rows = np.concatenate([at_every_border(JOINT, 1000), corners_and_samples(JOINT, 65_998)])
    budgets, seeds = np.resize(benchmark.ladder.rungs, len(rows)), np.arange(len(rows))
    asked = zip(map(JOINT.configuration, rows), budgets.tolist(), seeds.tolist(), strict=True)
    compiled = (benchmark._quick(*words) for words in asked)
    expected = benchmark.query_batch(rows, budgets, seeds)
    assert all(mine == theirs for mine, theirs in zip(compiled, expected, strict=True))


def test_what_needs_a_closer_look_is_answered_or_refused_as_without() -> None:
    benchmark = load_benchmark("digits-cpu")
    benchmark.accelerate()
    assert benchmark._quick(ANYWHERE, 27, 3) == benchmark._answer(ANYWHERE, 27, 3)
    for configuration, budget, seed in (
        (benchmark.configspace.get_default_configuration(), 27.0, 3),
        ({**ANYWHERE, "momentum": np.float32(0.5)}, 27.0, 3),
        (ANYWHERE, 5.0, 3),
        (ANYWHERE, 27.0 * (1 + 1e-12), 3),
        (ANYWHERE, 27.0, np.int64(3)),
    ):
        assert benchmark.query(configuration, budget, seed) == benchmark._answer(configuration, budget, seed)
    lacking = {name: value for name, value in ANYWHERE.items() if name != "filters"}
    for wrong in (
        {**ANYWHERE, "filters": 33},
        {**ANYWHERE, "filters": 8.5},
        {**ANYWHERE, "filters": True},
        {**ANYWHERE, "filters": "8"},
        {**ANYWHERE, "filters": 10**400},
        {**ANYWHERE, "momentum": float("nan")},
        {**ANYWHERE, "dropout": 0.5},
        {**lacking, "dropout": 0.5},
        lacking,
    ):
        with pytest.raises(ConfigurationError):
            benchmark.query(wrong, 27.0)
    for budget in (28.0, float("nan"), True, "27"):
        with pytest.raises(BudgetError):
            benchmark.query(ANYWHERE, budget)  # type: ignore[arg-type]
    for seed in (2**63, True, "3", 1.5):
        with pytest.raises(InputError, match="seed"):
            benchmark.query(ANYWHERE, 27.0, seed)  # type: ignore[arg-type]


def test_compiling_happens_by_itself_when_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_module, "_PAYS_AFTER", 5)
    benchmark = load_benchmark("digits-cpu")
    answers = []
    for _ in range(7):
        answers.append(benchmark.query(ANYWHERE, 27.0, 3))
        assert (benchmark._compiled is not None) == (len(answers) >= 5)
    assert len(set(answers)) == 1


def test_without_llvmlite_queries_are_answered_and_accelerate_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setattr(benchmark_module, "_PAYS_AFTER", 1)
    benchmark = load_benchmark("digits-cpu")
    assert benchmark.query(ANYWHERE, 27.0).validation_error < 1
    with pytest.raises(MissingExtraError, match="pip install llvmlite"):
        benchmark.accelerate()


@pytest.mark.parametrize("name", released())
def test_every_benchmark_that_ships_is_compiled_but_those_of_generators(name: str) -> None:
    """A query that cannot be compiled is answered in silence; here it is heard."""
    benchmark = load_benchmark(name)
    [configuration] = benchmark.sample(1, 0)
    if benchmark.space.draws:
        # The facts of a generator's network are read from its graph.
        with pytest.raises(BenchmarkError, match="one that can be compiled"):
            benchmark.accelerate()
        return
    benchmark.accelerate()
    assert benchmark._quick(configuration, benchmark.ladder.maximum, 3) is not None


FACTS = JointSpace.facts


def branching(space: JointSpace, configuration: Configuration, *about: Any) -> Facts:
    assert configuration["filters"] > 0, "a question that needs the number"
    return FACTS(space, configuration, *about)


def no_machine(*words: object, **named: object) -> None:
    raise RuntimeError("no such machine")


@pytest.mark.parametrize(("owner", "part", "fails"), [(JointSpace, "facts", branching), (Program, "load", no_machine)])
def test_what_cannot_be_compiled_is_answered_all_the_same(
    owner: type, part: str, fails: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_benchmark("digits-cpu")._answer(ANYWHERE, 27.0, 3)
    monkeypatch.setattr(benchmark_module, "_PAYS_AFTER", 3)
    monkeypatch.setattr(owner, part, fails)
    benchmark = load_benchmark("digits-cpu")
    assert {benchmark.query(ANYWHERE, 27.0, 3) for _ in range(6)} == {expected}
    assert benchmark._compiled is None
    with pytest.raises(BenchmarkError, match=r"digits-cpu-v\d.*can be compiled \((TypeError|RuntimeError): "):
        benchmark.accelerate()


def test_a_compiled_answer_that_fails_is_given_without() -> None:
    benchmark = load_benchmark("digits-cpu")
    benchmark._compiled = no_machine  # type: ignore[assignment]
    assert benchmark.query(ANYWHERE, 27.0, 3) == benchmark._answer(ANYWHERE, 27.0, 3)


def test_a_benchmark_travels_to_another_process_without_its_machine_code() -> None:
    benchmark = load_benchmark("digits-cpu")
    benchmark.accelerate()
    copy = pickle.loads(pickle.dumps(benchmark))
    assert copy.query(ANYWHERE, 27.0, 3) == benchmark.query(ANYWHERE, 27.0, 3)


@pytest.fixture(scope="module", params=["a rung alone", "rungs", "learning curves"])
def of_any_task(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    """Of a person's table of numbers, with failures, whole and bounded metrics, and costs."""
    rng, rows = np.random.default_rng(0), []
    shares = {"a rung alone": [9.0], "rungs": [1.0, 3.0, 9.0], "learning curves": None}[request.param]
    for number in range(60):
        rate, width = float(np.exp(rng.uniform(-7, 0))), int(rng.integers(1, 40))
        for budget in shares or sorted(rng.uniform(1, 9, 3).tolist()):
            loss = (np.log(rate) + 3) ** 2 / 10 + 3 / budget + 0.05 * rng.normal() + 1
            rows.append(
                {
                    "config": number,
                    "rate": rate,
                    "width": width,
                    "epoch": budget,
                    "loss": loss,
                    "accuracy": 1 / (1 + loss),
                    "kilobytes": 4.0 * width,
                    "time": budget * width,
                    "status": "diverged" if rate > 0.7 else "ok",
                }
            )
    space = PlainSpace(
        "person", (Number("rate", 5e-4, 1.0, log=True), Number("width", 1, 40, integer=True), Number("idle", -1.0, 1.0))
    )
    frame = pd.DataFrame(rows).assign(idle=rng.uniform(-1, 1, len(rows)))
    made = import_table(
        frame,
        tmp_path_factory.mktemp("person") / "log",
        budget="epoch",
        metrics={"loss": "loss", "accuracy": "accuracy:max:fraction", "kilobytes": "kilobytes", "wall_seconds": "time"},
        space=space.as_dict(),
        status_column="status",
        group="config",
    )
    settings = replace(DISTILLED, questions=300, rounds=8, units=(9, 5))
    return Surrogate.fit(made.log, "person", settings=settings, partitions=1).benchmark


def test_answers_of_any_task_are_compiled_too(of_any_task: Benchmark) -> None:
    benchmark, rng = of_any_task, np.random.default_rng(1)
    assert benchmark.manifest.measures is not None
    assert benchmark.has_network
    benchmark.accelerate()
    rows = corners_and_samples(benchmark.space, 200)
    budgets, seeds = rng.choice(benchmark.ladder.rungs, len(rows)), rng.integers(0, 2**60, len(rows))
    if benchmark.ladder.continuous:
        budgets = rng.uniform(benchmark.ladder.minimum, benchmark.ladder.maximum, len(rows))
    compiled = assert_compiled_as_numpys(benchmark, rows, budgets, seeds)
    assert {type(value) for one in compiled for value in one.metrics.values()} == {float}
    within = math.sqrt(benchmark.ladder.minimum * benchmark.ladder.maximum) * 1.01
    if not benchmark.ladder.continuous:
        assert benchmark._quick(benchmark.space.configuration(rows[0]), within, 0) is None
