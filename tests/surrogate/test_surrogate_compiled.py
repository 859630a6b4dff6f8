"""Compiled answers: the same as NumPy's to the last bit, and asked only what they can answer."""

import json
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jointbench.data.errors import BenchmarkError, BudgetError, ConfigurationError, InputError, MissingExtraError
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.facts import Facts
from jointbench.data.spaces.joint import JOINT, JointSpace
from jointbench.data.tracing import Program
from jointbench.surrogate import benchmark as benchmark_module
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.contract import at_every_border, corners_and_samples
from jointbench.surrogate.manifest import TASK_FORMAT
from jointbench.surrogate.model_file import join_models
from jointbench.surrogate.stored import MANIFEST, MODELS, load_benchmark, released
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
def test_every_benchmark_that_ships_is_compiled_if_it_is_of_our_trainings(name: str) -> None:
    """A query that cannot be compiled is answered in silence; here it is heard."""
    benchmark = load_benchmark(name)
    [configuration] = benchmark.sample(1, 0)
    if benchmark.manifest.format_version == TASK_FORMAT:
        with pytest.raises(BenchmarkError, match="one of trainings on images, which alone are compiled"):
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
