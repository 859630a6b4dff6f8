"""The objectives that need no training: a surrogate's and a log's."""

from pathlib import Path

import pytest
from analytic import Analytic

from jointbench.bench.running.objective import Objective
from jointbench.bench.running.replay import ReplayObjective
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import BudgetError, ConfigurationError, LogError
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.stored import load_benchmark

LADDER = Ladder(1.0, 9.0)
IMAGES = ImageFacts("digits", (1, 8, 8), 10, 1293, 144, 360)
ANYWHERE = JOINT.named["zela-2018"]


def configurations(count: int) -> list[dict[str, float | int]]:
    return [{**ANYWHERE, "learning_rate": 0.001 * 2**i} for i in range(count)]


@pytest.fixture
def log(tmp_path: Path) -> EvaluationLog:
    """Five configurations on all rungs, the first with seeds 0, 1 and 2."""
    log = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, IMAGES)
    trained = [(c, 0) for c in configurations(5)] + [(configurations(1)[0], seed) for seed in (1, 2)]
    log.append([Analytic(LADDER)(c, budget, seed) for c, seed in trained for budget in LADDER.rungs])
    return log


def keys(log: EvaluationLog) -> set[str]:
    return {e.key for e in log.evaluations()}


class TestReplay:
    def test_answers_what_was_logged(self, log: EvaluationLog) -> None:
        replay: Objective = ReplayObjective(log)
        for logged in log.evaluations():
            assert replay(logged.configuration, logged.budget, logged.seed) == logged

    def test_answers_the_nearest_where_a_configuration_was_not_logged(self, log: EvaluationLog) -> None:
        replay = ReplayObjective(log)
        third = configurations(3)[2]
        answer = replay({**third, "learning_rate": third["learning_rate"] * 1.1}, 3.0, 0)
        assert dict(answer.configuration) == third
        assert answer.key in keys(log)

    def test_another_seed_takes_one_of_the_repeats(self, log: EvaluationLog) -> None:
        replay = ReplayObjective(log)
        repeated, once = configurations(2)
        assert {replay(repeated, 9.0, seed).seed for seed in range(3, 30)} == {0, 1, 2}
        assert {replay(once, 9.0, seed).seed for seed in range(3, 30)} == {0}

    def test_finds_all_repeats(self, log: EvaluationLog) -> None:
        assert {e.seed for e in ReplayObjective(log).repeats(configurations(1)[0], 1.0)} == {0, 1, 2}

    def test_refuses_what_lies_outside(self, log: EvaluationLog) -> None:
        replay = ReplayObjective(log)
        with pytest.raises(ConfigurationError, match="momentum"):
            replay({**ANYWHERE, "momentum": 2.0}, 1.0, 0)
        with pytest.raises(BudgetError):
            replay(ANYWHERE, 2.0, 0)

    def test_refuses_a_log_that_lacks_a_budget(self, tmp_path: Path) -> None:
        log = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, IMAGES)
        log.append([Analytic(LADDER)(ANYWHERE, 1.0, 0)])
        with pytest.raises(LogError, match="budget 3"):
            ReplayObjective(log)


class TestSurrogate:
    def test_draws_with_the_seed_what_the_benchmark_answers(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        objective: Objective = SurrogateObjective(benchmark)
        for seed in range(5):
            evaluation, answer = objective(ANYWHERE, 27.0, seed), benchmark.query(ANYWHERE, 27.0, seed)
            assert evaluation.seed == seed
            assert evaluation.validation_error == answer.validation_error
            assert evaluation.wall_seconds == answer.wall_seconds
            assert evaluation.status is answer.status

    def test_expects_without_noise(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        expected = SurrogateObjective(benchmark).expected(ANYWHERE, 27.0)
        assert expected.validation_error == benchmark.query(ANYWHERE, 27.0).validation_error
