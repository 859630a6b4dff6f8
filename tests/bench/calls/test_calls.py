"""Calls that do the obvious: an answer is told as it is, spaces have one name everywhere, facts are the answers'."""

import pickle

import numpy as np
import pytest

import jointbench
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import ConfigurationError, MissingExtraError
from jointbench.data.evaluation import Evaluation
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.space import Space
from jointbench.optimizers.registry import OPTIMIZERS
from jointbench.surrogate.answer import Answer
from jointbench.surrogate.stored import released

BENCHMARK = jointbench.load_benchmark("digits-cpu")
CONFIGURATION = JOINT.named["zela-2018"]


def proposals(name: str, told: type[Answer] | type[Evaluation], count: int) -> list[tuple[float, list[float]]]:
    """Of an optimizer that is told answers or evaluations."""
    optimizer = jointbench.make_optimizer(name, BENCHMARK.space, BENCHMARK.ladder, seed=0, full_budgets=8)
    objective, found = SurrogateObjective(BENCHMARK), []
    for seed in range(count):
        trial = optimizer.ask()
        assert trial is not None
        found.append((trial.budget, JOINT.row(trial.configuration)))
        answered = BENCHMARK.query(trial.configuration, trial.budget, seed)
        evaluated = objective(trial.configuration, trial.budget, seed)
        optimizer.tell(trial, answered if told is Answer else evaluated)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_answer_is_told_as_it_is(name: str) -> None:
    try:
        by_answers = proposals(name, Answer, 15)
    except MissingExtraError as missing:
        pytest.skip(str(missing))
    assert by_answers == proposals(name, Evaluation, 15)


def test_an_answer_is_ok_or_a_failure() -> None:
    answers = BENCHMARK.query_batch(BENCHMARK.sample(200, 0), 27.0, np.arange(200))
    assert [answer.ok for answer in answers] == answers.ok.tolist()
    assert {answer.ok for answer in answers} == {True, False}


def test_spaces_go_by_the_same_names_everywhere() -> None:
    log = jointbench.EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
    optimizer = jointbench.make_optimizer("random", JOINT, BENCHMARK.ladder, seed=0, full_budgets=1)
    for one in (BENCHMARK, optimizer, log):
        assert isinstance(one.space, Space)  # type: ignore[attr-defined]
        assert one.configspace is one.space.configspace  # type: ignore[attr-defined]
        assert set(one.configspace) == set(JOINT.names)  # type: ignore[attr-defined]


def test_facts_are_those_of_the_answers() -> None:
    for configuration in (CONFIGURATION, *BENCHMARK.sample(20, 0), JOINT.rows([CONFIGURATION])[0]):
        facts, answer = BENCHMARK.facts(configuration), BENCHMARK.query(configuration, 27.0)
        assert (facts.parameters, facts.flops) == (answer.parameters, answer.flops)
    # Of images with three channels a network has more weights.
    assert BENCHMARK.facts(CONFIGURATION).parameters < JOINT.facts(CONFIGURATION).parameters
    with pytest.raises(ConfigurationError, match="filters"):
        BENCHMARK.facts({**CONFIGURATION, "filters": 33})


def test_the_adapters_are_there_as_in_a_published_wheel() -> None:
    assert "adapters" in dir(jointbench)
    function = jointbench.adapters.plain_function(BENCHMARK)
    assert function(CONFIGURATION) == BENCHMARK.query(CONFIGURATION, 27.0).validation_error


def test_an_answer_travels_between_processes() -> None:
    answer = BENCHMARK.query(CONFIGURATION, 27.0, 3)
    assert pickle.loads(pickle.dumps(answer)) == answer
