"""Spaces of every kind: the contract over the registry and a toy, ConfigSpace's JSON, logs, and all optimizers."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import ONE_RUNG, TOY, ToySpace

from jointbench.data.errors import ConfigurationError, InputError, UnknownNameError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images.registry import known_facts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import TRAINED
from jointbench.data.spaces.conditions import equals
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.contract import CHECKS, Check
from jointbench.data.spaces.hyperparameters import Choice, Number
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.registry import SPACES, add_space, find_configuration, get_space
from jointbench.data.spaces.space import Space
from jointbench.optimizers import OPTIMIZERS, make_optimizer
from jointbench.optimizers.contract import CHECKS as OPTIMIZER_CHECKS
from jointbench.optimizers.contract import drive, outcome
from jointbench.optimizers.kde_choices import ChoiceDensity

LADDER = Ladder(1, 9)
#: What our trainings measure, of nothing in particular.
MEASURED = {metric.name: 0 if metric.whole else 0.5 for metric in TRAINED}


@pytest.fixture
def known() -> Iterator[Space]:
    yield add_space(TOY)
    SPACES.remove(TOY.name)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("space", [*SPACES.values(), TOY], ids=lambda space: space.name)
def test_every_space_keeps_the_contract(space: Space, check: Check) -> None:
    check(space)


class Leaky(ToySpace):
    """Leaves in a configuration what is inactive."""

    def at(self, point: Any) -> Any:
        return self.values_at(point)


def test_the_contract_refuses_a_space_that_breaks_it() -> None:
    failed = set()
    for check in CHECKS:
        try:
            check(Leaky())
        except (AssertionError, InputError):
            failed.add(check.__name__)
    assert {"check_samples", "check_cube"} <= failed


@given(st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_what_is_active_follows_from_the_conditions(point: list[float]) -> None:
    at = TOY.at(point)
    sizes = ("small", "medium", "large")
    assert ("trees" in at) == (at["kind"] != "line")
    assert ("rate" in at) == (at["kind"] == "boosting" and at["trees"] > 10)
    assert ("depth" in at) == (at["kind"] != "line" or sizes.index(at["size"]) > 0)
    assert ("slope" in at) == (at["size"] != "large")
    assert ("shift" in at) == (at["scaled"] is False)


def test_weights_are_shares_of_the_samples() -> None:
    kinds = [one["kind"] for one in TOY.sample(np.random.default_rng(0), 4000)]
    # Three standard deviations of a share of 4,000 draws are 0.024.
    assert abs(kinds.count("forest") / 4000 - 0.5) < 0.024
    assert abs(kinds.count("line") / 4000 - 0.25) < 0.024


def test_two_spaces_of_one_class_are_equal_when_their_parameters_are() -> None:
    assert ToySpace(0.5) == ToySpace(0.5) != ToySpace(1.0)
    assert len({ToySpace(0.5), ToySpace(0.5), ToySpace(1.0)}) == 2


def test_truth_values_and_numbers_are_different_choices() -> None:
    mixed = Choice("mixed", (True, 2, "1"))
    assert [mixed.number(value) for value in (True, 2.0, "1", np.str_("1"), np.bool_(True))] == [0, 1, 2, 2, 0]
    with pytest.raises(ConfigurationError, match="mixed: 1 given, expected one of True, 2, '1'"):
        mixed.number(1)
    # Python, and with it ConfigSpace, takes one for the other.
    for twice in ((1, 1.0), (1, True)):
        with pytest.raises(InputError, match="each once"):
            Choice("twice", twice)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "a ConfigSpace object, or its JSON"),
        ("{", "JSON"),
        ({"hyperparameters": []}, "at least one"),
        ({"hyperparameters": [{"type": "normal_float", "name": "x"}]}, "uniform_float, uniform_int"),
        ({"hyperparameters": [{"type": "uniform_float", "name": "x", "lower": 1}]}, "as ConfigSpace writes it"),
        ({"hyperparameters": [{"type": "uniform_float", "name": "x", "lower": 1, "upper": 0}]}, "finite and apart"),
        ({"hyperparameters": [{"type": "uniform_float", "name": "x", "lower": 0, "upper": 5e299}]}, "and 1e[+]37"),
        ({"hyperparameters": [{"type": "constant", "name": "x", "value": 1}], "forbiddens": [1]}, "none"),
        (
            {
                "hyperparameters": [{"type": "constant", "name": "x", "value": 1}],
                "conditions": [{"type": "EQ", "child": "x", "parent": "y", "value": 1}],
            },
            "on hyperparameters of it",
        ),
    ],
)
def test_what_is_no_configuration_space_is_refused_in_a_sentence(content: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Space.from_configspace(content)


def test_conditions_in_a_circle_are_refused() -> None:
    a, b = Choice("a", (0, 1)), Choice("b", (0, 1))
    with pytest.raises(InputError, match="no circle"):
        PlainSpace("circle", (a, b), {"a": equals(b, 1), "b": equals(a, 1)})


def test_numbers_that_configspace_rounds_away_are_named() -> None:
    space = PlainSpace("tiny", [Number("decay", 1e-15, 1e-2, log=True)], {})
    with pytest.raises(InputError, match=r"decay: .* expected ends that ConfigSpace"):
        _ = space.configspace


def test_json_is_read_without_configspace(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(TOY.configspace.to_serialized_dict())
    monkeypatch.setitem(__import__("sys").modules, "ConfigSpace", None)
    read = Space.from_configspace(text)
    assert read.sample(np.random.default_rng(0), 20)
    assert not read.knows_facts
    with pytest.raises(InputError, match="knows the facts"):
        read.facts(read.active(read.usual))


def test_a_space_is_added_and_found_by_its_name(known: Space) -> None:
    assert get_space("toy") is known
    assert "toy" in list(SPACES)
    with pytest.raises(InputError, match="a name that no other has"):
        add_space(ToySpace(0.5))
    with pytest.raises(UnknownNameError, match="joint, joint-small, preact-resnet-18, rnag, rnag-small, toy"):
        get_space("no-such")
    assert find_configuration("zela-2018")[0] == JOINT


@pytest.mark.parametrize("registered", [True, False], ids=["registered", "from its JSON"])
def test_a_log_keeps_configurations_of_any_kind(tmp_path: Path, registered: bool) -> None:
    mixed = Choice("mixed", ("a", 3, 2.5, True))
    space = PlainSpace("mixed", (*TOY.hyperparameters, mixed), TOY.conditions)
    if registered:
        add_space(space)
    try:
        log = EvaluationLog.open_or_create(tmp_path / "log", space, LADDER, known_facts("digits"))
        told = [
            Evaluation(space.name, one, 9.0, k, Status.OK, dict(MEASURED), key=str(k))
            for k, one in enumerate(space.sample(np.random.default_rng(0), 40))
        ]
        log.append(told)
        found = EvaluationLog.open(tmp_path / "log")
        assert sorted(found.evaluations(), key=lambda one: one.seed) == told
        assert set(found.space.names) == set(space.names)
        assert found.space == space
    finally:
        if registered:
            SPACES.remove(space.name)


def test_a_frame_of_values_is_read_as_configurations_are() -> None:
    sampled = TOY.sample(np.random.default_rng(3), 5)
    frame = pd.DataFrame(sampled)
    np.testing.assert_array_equal(TOY.rows(frame), TOY.rows(sampled))
    with pytest.raises(ConfigurationError, match="kind: 'tree' given, expected one of 'forest'"):
        TOY.rows(frame.assign(kind="tree"))


def loss(configuration: Any) -> float:
    """An error of a toy's: above 1, least for deep boosting."""
    value = {"forest": 2.0, "boosting": 1.5, "line": 3.0}[configuration["kind"]]
    value += 0.1 * abs(math.log(configuration.get("trees", 1) / 50))
    return value - 0.05 * configuration.get("depth", 0) + 0.02 * abs(configuration.get("slope", 3))


#: Those that are too slow to run all checks here, and those of extras.
FAST = ("random", "hyperband", "bohb", "asha", "regularized-evolution", "two-stage", "two-stage-long")


@pytest.mark.parametrize("check", OPTIMIZER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", FAST)
def test_our_optimizers_keep_their_contract_on_a_toy(name: str, check: Any) -> None:
    check(lambda seed: make_optimizer(name, TOY, LADDER, seed=seed, full_budgets=20), trials=30)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_searches_a_toy(name: str) -> None:
    if name == "hpbandster-bohb":
        pytest.importorskip("hpbandster")
    optimizer = make_optimizer(name, TOY, LADDER, seed=1, full_budgets=20, first={"scaled": False, "slope": 2.0})
    seen = []
    # smac's models take a second of a processor for ten of its trials in a space with conditions.
    for number in range(14 if name.startswith("smac") else 40):
        trial = optimizer.ask()
        assert trial is not None
        assert dict(TOY.check(trial.configuration)) == dict(trial.configuration)
        if not number:
            assert trial.configuration["scaled"] is False
            assert trial.configuration.get("slope", 2.0) == 2.0
        seen.append(loss(trial.configuration))
        evaluation = outcome(optimizer, trial, failed=number % 7 == 3)
        optimizer.tell(trial, evaluation)
    assert len(set(seen)) > 5


@pytest.mark.parametrize("name", ["random", "two-stage", "regularized-evolution", "tpe"])
def test_what_needs_no_rungs_searches_at_the_only_one(name: str) -> None:
    optimizer = make_optimizer(name, TOY, ONE_RUNG, seed=0, full_budgets=20)
    assert {trial.budget for trial, _ in drive(optimizer, 15)} == {10.0}


def test_bohb_learns_which_choice_is_good() -> None:
    optimizer = make_optimizer("bohb", TOY, LADDER, seed=0, full_budgets=100)
    kinds = []
    for _ in range(400):
        trial = optimizer.ask()
        assert trial is not None
        if trial.budget == LADDER.minimum:
            kinds.append(trial.configuration["kind"])
        error = 0.1 if trial.configuration["kind"] == "boosting" else 0.9
        optimizer.tell(
            trial,
            Evaluation(TOY.name, trial.configuration, trial.budget, 0, Status.OK, {"validation_error": error}),
        )
    # A quarter of uniform draws; the model's are two thirds of all.
    assert kinds[-50:].count("boosting") > 25


def test_a_density_over_choices_is_one() -> None:
    """It sums to 1 over the choices and integrates to nearly 1 over the numbers."""
    rng = np.random.default_rng(0)
    choice = Choice("c", ("a", "b", "c"), weights=(1, 2, 1))
    places = choice.encode(np.arange(3))
    points = np.stack([rng.uniform(0.4, 0.6, 30), places[rng.integers(3, size=30)]], axis=1)
    density = ChoiceDensity(points, [np.empty(0), places])
    grid = np.linspace(-1, 2, 3001)
    total = sum(
        np.exp(density.log_density(np.stack([grid, np.full(len(grid), place)], axis=1))).sum() * 1e-3
        for place in places
    )
    # Of the grid's steps, and of what lies beyond it.
    assert total == pytest.approx(1, abs=1e-3)
    assert set(density.scatter(rng, 200)[:, 1]) <= set(places)


def test_evolution_changes_what_has_an_effect() -> None:
    optimizer = make_optimizer("regularized-evolution:population=5", TOY, ONE_RUNG, seed=0, full_budgets=20)
    events = drive(optimizer, 60)
    proposed = [trial.configuration for trial, evaluation in events if evaluation is None]
    for child in proposed[10:]:
        assert any(child != parent for parent in proposed[:10])


def test_two_stage_needs_a_space_that_says_what_is_architecture() -> None:
    space = Space.from_configspace(TOY.configspace)
    with pytest.raises(InputError, match="one with hyperparameters of an architecture"):
        make_optimizer("two-stage", space, LADDER, seed=0, full_budgets=20)
    assert isinstance(TOY.by_name["rate"], Number)


def test_a_space_without_named_configurations_asks_for_a_file() -> None:
    with pytest.raises(
        UnknownNameError, match=r"expected a JSON file, since the space toy has no named configurations$"
    ):
        TOY.load("{}")
