"""The border between an optimizer and a run: what is proposed is checked and copied, and what fails is a sentence."""

import copy
import json
import operator
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analytic import Analytic
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.running.cluster import Finished, SimulatedCluster
from jointbench.bench.running.journal import Journal
from jointbench.bench.running.proposals import Proposals
from jointbench.bench.running.run import run
from jointbench.data.errors import OptimizerError
from jointbench.data.evaluation import Configuration, Evaluation, ReadOnlyConfiguration
from jointbench.data.ladder import Ladder
from jointbench.data.seeds import collection_seed
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.failure import happened
from jointbench.optimizers.optimizer import Optimizer, Trial

LADDER = Ladder(1.0, 27.0)
ANYWHERE = dict(JOINT.named["zela-2018"])


class Proposing(Optimizer):
    """Asks by a function of the number of the call, and forgets what it is told."""

    def __init__(self, ask: Callable[[int], Any], tell: Callable[[Trial, Evaluation], Any] = lambda trial, e: None):
        super().__init__(JOINT, LADDER, seed=0, full_budgets=4)
        self.name, self._ask, self._tell, self.asked = "mine", ask, tell, 0

    def ask(self) -> Any:
        self.asked += 1
        return self._ask(self.asked)

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        self._tell(trial, evaluation)


def finished(optimizer: Optimizer, workers: int = 1, full_budgets: float = 4.0, **more: Any) -> list[Finished]:
    cluster = SimulatedCluster(Analytic(LADDER), workers)
    return list(run(optimizer, cluster, LADDER, full_budgets=full_budgets, seed=3, **more))


def asked_once(proposed: object) -> Trial | None:
    return Proposals(Proposing(lambda call: proposed), JOINT, LADDER, 3).ask(0)


def refusal(proposed: object) -> str:
    with pytest.raises(OptimizerError) as caught:
        asked_once(proposed)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("workers", [1, 3])
def test_an_optimizer_that_changes_its_own_dict_is_recorded_as_it_proposed(workers: int, tmp_path: Path) -> None:
    own = dict(ANYWHERE)

    def ask(call: int) -> Trial:
        own["filters"] = 8 + call
        return Trial(own, 27.0)

    journal = Journal(tmp_path / "runs" / "x.journal")
    found = finished(Proposing(ask), workers, journal=journal)
    journal.close()
    again = Journal(tmp_path / "runs" / "x.journal")
    again.close()
    expected = {number: 9 + number for number in range(4)}
    assert {one.started.number: one.evaluation.configuration["filters"] for one in found} == expected
    assert {e.number: e.configuration["filters"] for e in again.entries if e.configuration} == expected


@pytest.mark.parametrize("handed_on", [True, False])
def test_an_optimizer_that_changes_what_it_is_told_changes_no_record(handed_on: bool) -> None:
    class WithItsOwn(Analytic):
        """Answers with a configuration of its own, as a log does."""

        def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
            return replace(super().__call__(configuration, budget, seed), configuration=dict(configuration))

    refused = 0

    def tell(trial: Trial, evaluation: Evaluation) -> None:
        nonlocal refused
        told: Any = evaluation.configuration
        for change in (
            lambda: told.update(filters=8),
            lambda: told.__setitem__("filters", 8),
            lambda: told.pop("filters"),
            lambda: operator.ior(told, {"filters": 8}),
            told.clear,
        ):
            with pytest.raises(TypeError, match=r"dict\(configuration\) is a copy that can"):
                change()
            refused += 1
        dict(told)["filters"] = 8
        trial.configuration["filters"] = 9  # type: ignore[index]

    objective = Analytic(LADDER) if handed_on else WithItsOwn(LADDER)
    optimizer = Proposing(lambda call: Trial({**ANYWHERE, "filters": 10 + call}, 27.0), tell)
    found = list(run(optimizer, SimulatedCluster(objective, 1), LADDER, full_budgets=4, seed=3))
    assert refused == 20
    assert [one.evaluation.configuration["filters"] for one in found] == [11, 12, 13, 14]
    assert [one.started.trial.configuration["filters"] for one in found] == [11, 12, 13, 14]


def test_an_attempt_to_change_what_is_told_is_a_failure_with_its_place() -> None:
    def tell(trial: Trial, evaluation: Evaluation) -> None:
        evaluation.configuration["filters"] = 8  # type: ignore[index]

    with pytest.raises(
        OptimizerError, match=r"tell of trial 1: TypeError: what was evaluated cannot be changed; .*\.py:"
    ):
        finished(Proposing(lambda call: Trial(ANYWHERE, 27.0), tell))


def test_a_read_only_configuration_travels_and_is_equal_to_a_plain_one() -> None:
    kept = ReadOnlyConfiguration(ANYWHERE)
    for other in (pickle.loads(pickle.dumps(kept)), copy.deepcopy(kept), copy.copy(kept)):
        assert type(other) is ReadOnlyConfiguration
        assert other == kept == ANYWHERE
    assert json.loads(json.dumps(kept)) == ANYWHERE
    assert type(JOINT.check(kept)) is dict


def test_its_own_object_comes_back_with_all_that_was_found() -> None:
    proposed: list[Trial] = []
    told: list[tuple[Trial, Evaluation]] = []

    def ask(call: int) -> Trial:
        proposed.append(Trial(ANYWHERE, 27.0))
        return proposed[-1]

    found = finished(Proposing(ask, lambda trial, evaluation: told.append((trial, evaluation))))
    assert [trial for trial, _ in told] == proposed[: len(told)]
    assert [evaluation for _, evaluation in told] == [one.evaluation for one in found]


@given(
    st.sampled_from(LADDER.rungs), st.sampled_from([np.float32, np.float64, np.int8, np.int64, np.uint16, int, float])
)
def test_a_budget_is_any_real_number_and_kept_as_a_float(rung: float, kind: Callable[[float], Any]) -> None:
    trial = asked_once(Trial(ANYWHERE, kind(rung)))
    assert trial is not None
    assert (trial.budget, type(trial.budget)) == (rung, float)


@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_a_configuration_is_kept_as_plain_numbers_in_the_spaces_order(seed: int, in_numpy: bool, reverse: bool) -> None:
    (sampled,) = JOINT.sample(np.random.default_rng(seed))
    items: list[tuple[str, Any]] = list(sampled.items())
    if in_numpy:
        items = [(name, np.int64(v) if isinstance(v, int) else np.float64(v)) for name, v in items]
    trial = asked_once(Trial(dict(reversed(items) if reverse else items), 1.0))
    assert trial is not None
    assert list(trial.configuration.items()) == list(sampled.items())
    assert {type(value) for value in trial.configuration.values()} == {int, float}


def test_a_configspace_configuration_is_one() -> None:
    pytest.importorskip("ConfigSpace")
    proposed = JOINT.configspace.sample_configuration()
    trial = asked_once(Trial(proposed, 1.0))  # type: ignore[arg-type]
    assert trial is not None
    assert trial.configuration == JOINT.check(dict(proposed))


@pytest.mark.parametrize(
    ("proposed", "said"),
    [
        ({"configuration": ANYWHERE, "budget": 27.0}, "trial: {'configuration': "),
        ((ANYWHERE, 27.0), "expected a Trial, or None to wait"),
        (Trial([1, 2], 27.0), "configuration: [1, 2] given, expected a mapping"),  # type: ignore[arg-type]
        (Trial({**ANYWHERE, "filters": 99}, 27.0), "filters: 99 given, expected an integer in [8, 32]"),
        (Trial({**ANYWHERE, "filters": float("nan")}, 27.0), "filters: nan given"),
        (Trial({**ANYWHERE, "filters": "8"}, 27.0), "filters: '8' given"),  # type: ignore[dict-item]
        (Trial({**ANYWHERE, "dropout": 0.5}, 27.0), "dropout: 0.5 given, expected only hyperparameters of 'joint'"),
        (Trial({k: v for k, v in ANYWHERE.items() if k != "filters"}, 27.0), "filters: None given"),
        (Trial(ANYWHERE, 5.0), "budget: 5.0 given, expected one of 1, 3, 9, 27 (seconds)"),
        (Trial(ANYWHERE, 81.0), "budget: 81.0 given, expected 1 to 27 seconds"),
        (Trial(ANYWHERE, float("nan")), "budget: nan given"),
        (Trial(ANYWHERE, True), "budget: True given"),
        (Trial(ANYWHERE, "27"), "budget: '27' given"),  # type: ignore[arg-type]
        (Trial(ANYWHERE, None), "budget: None given"),  # type: ignore[arg-type]
        (Trial(ANYWHERE, 27.0, -1), "seed: -1 given, expected an integer of 64 bits from 0 on"),
        (Trial(ANYWHERE, 27.0, 2**63), "seed: 9223372036854775808 given"),
        (Trial(ANYWHERE, 27.0, 1.5), "seed: 1.5 given"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_trial_and_field(proposed: object, said: str) -> None:
    sentence = refusal(proposed)
    assert sentence.startswith("mine, seed 3, ask 1: ")
    assert said in sentence


def test_what_raises_is_named_with_the_trial_and_the_line() -> None:
    def ask(call: int) -> Trial:
        if call == 6:
            raise ZeroDivisionError("my bug\nin two lines")
        return Trial(ANYWHERE, 1.0)

    with pytest.raises(OptimizerError) as caught:
        finished(Proposing(ask))
    line = ask.__code__.co_firstlineno + 2
    assert (
        str(caught.value) == f"mine, seed 3, ask 6: ZeroDivisionError: my bug in two lines (test_proposals.py:{line})"
    )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_collections_seed_is_shown_as_the_person_gave_it() -> None:
    proposals = Proposals(Proposing(lambda call: 7), JOINT, LADDER, collection_seed(5))
    with pytest.raises(OptimizerError, match=r"^mine, seed 5, ask 1: trial: 7 given"):
        proposals.ask(0)


def test_an_exit_and_a_failing_tell_are_failures_too() -> None:
    def leave(call: int) -> Trial:
        raise SystemExit(3)

    def tell(trial: Trial, evaluation: Evaluation) -> None:
        raise KeyError("x")

    with pytest.raises(OptimizerError, match=r"^mine, seed 3, ask 1: SystemExit: 3 \(test_proposals.py:\d+\)$"):
        finished(Proposing(leave))
    with pytest.raises(
        OptimizerError, match=r"^mine, seed 3, tell of trial 1: KeyError: 'x' \(test_proposals.py:\d+\)$"
    ):
        finished(Proposing(lambda call: Trial(ANYWHERE, 1.0), tell))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, GeneratorExit])
def test_being_stopped_is_no_fault_of_the_optimizers(stop: type[BaseException]) -> None:
    def ask(call: int) -> Trial:
        raise stop

    with pytest.raises(stop):
        finished(Proposing(ask))


def test_what_a_library_raises_is_placed_in_the_code_of_the_person_who_called_it() -> None:
    def ask(call: int) -> Trial:
        return Trial({"filters": np.linalg.inv(np.zeros((2, 2)))}, 1.0)  # type: ignore[dict-item]

    with pytest.raises(OptimizerError) as caught:
        finished(Proposing(ask))
    line = ask.__code__.co_firstlineno + 1
    assert str(caught.value).endswith(f"LinAlgError: Singular matrix (test_proposals.py:{line})")


def test_a_fault_of_an_optimizer_of_ours_is_placed_in_it() -> None:
    optimizer = make_optimizer("hyperband", JOINT, LADDER, seed=0, full_budgets=4)
    optimizer.ladder = None  # type: ignore[assignment]
    with pytest.raises(OptimizerError, match=r"^hyperband, seed 3, ask 1: AttributeError: .* \(hyperband.py:\d+\)$"):
        finished(optimizer)


def test_a_message_has_an_end() -> None:
    assert len(happened(ValueError("x" * 10_000))) < 300


def test_of_none_the_first_time_nothing_can_be_said_unless_it_is_asked_for() -> None:
    nothing = Proposing(lambda call: None)
    assert finished(nothing) == []
    with pytest.raises(OptimizerError, match="mine, seed 3, ask 1: trial: None given, expected a Trial"):
        Proposals(nothing, JOINT, LADDER, 3).check_any()
