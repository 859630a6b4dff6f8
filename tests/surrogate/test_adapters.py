"""What other libraries are given is what the benchmark answers: values, budgets and seeds, one objective or several."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jointbench.data.errors import UnknownNameError
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate import adapters
from jointbench.surrogate.stored import load_benchmark

BENCHMARK = load_benchmark("digits-cpu")
CONFIGURATION = JOINT.named["zela-2018"]
SEVERAL = ("validation_error", "parameters", "flops", "wall_seconds", "peak_memory")


def test_a_plain_function_gives_a_number_or_a_tuple() -> None:
    one, several = adapters.plain_function(BENCHMARK), adapters.plain_function(BENCHMARK, SEVERAL)
    assert one(CONFIGURATION) == BENCHMARK.query(CONFIGURATION, 27.0).validation_error
    for budget, seed in ((1.0, None), (9.0, 3)):
        answer = BENCHMARK.query(CONFIGURATION, budget, seed)
        assert one(CONFIGURATION, budget, seed) == answer.validation_error
        assert several(CONFIGURATION, budget, seed) == answer.objectives(*SEVERAL)


def test_a_population_is_asked_for_at_once() -> None:
    points = np.random.default_rng(0).random((5, len(JOINT.names)))
    rows, seeds = JOINT.rows_at(points), np.arange(5)
    assert (adapters.population_function(BENCHMARK)(points) == BENCHMARK.query_batch(rows, 27.0).validation_error).all()
    several = adapters.population_function(BENCHMARK, SEVERAL)(points, 9.0, seeds)
    assert (several == BENCHMARK.query_batch(rows, 9.0, seeds).objectives(*SEVERAL)).all()


def test_smac_is_told_one_cost_or_several_by_name() -> None:
    answer = BENCHMARK.query(CONFIGURATION, 9.0, 3)
    assert adapters.smac_target(BENCHMARK)(CONFIGURATION, seed=3, budget=9.0) == answer.validation_error
    told = adapters.smac_target(BENCHMARK, SEVERAL)(CONFIGURATION, seed=3, budget=9.0)
    assert told == dict(zip(SEVERAL, answer.objectives(*SEVERAL), strict=True))


class TestOptuna:
    @pytest.fixture
    def optuna(self) -> Any:
        return pytest.importorskip("optuna")

    def test_the_largest_budget_is_the_value_and_each_rung_is_reported(self, optuna: Any) -> None:
        class Reported(optuna.trial.FixedTrial):  # type: ignore[misc, name-defined]
            def report(self, value: float, step: int) -> None:
                reported.append((step, value))

        reported: list[tuple[int, float]] = []
        value = adapters.optuna_objective(BENCHMARK)(Reported(CONFIGURATION, number=4))
        errors = [BENCHMARK.query(CONFIGURATION, rung, 4).validation_error for rung in BENCHMARK.ladder.rungs]
        assert reported == list(enumerate(errors))
        assert value == errors[-1]

    def test_what_the_pruner_stops_is_evaluated_no_further(self, optuna: Any) -> None:
        class Stopped(optuna.trial.FixedTrial):  # type: ignore[misc, name-defined]
            def should_prune(self) -> bool:
                return True

        with pytest.raises(optuna.TrialPruned):
            adapters.optuna_objective(BENCHMARK)(Stopped(CONFIGURATION))

    def test_several_objectives_are_those_of_the_largest_budget(self, optuna: Any) -> None:
        values = adapters.optuna_objective(BENCHMARK, SEVERAL)(optuna.trial.FixedTrial(CONFIGURATION, number=4))
        assert values == BENCHMARK.query(CONFIGURATION, 27.0, 4).objectives(*SEVERAL)


def test_a_worker_of_hpbandster_computes_the_error() -> None:
    pytest.importorskip("hpbandster")
    worker = adapters.hpbandster_worker(BENCHMARK, run_id="test")
    computed = worker.compute(config=dict(CONFIGURATION), budget=9.0, config_id=(0, 0, 0))
    assert computed == {"loss": BENCHMARK.query(CONFIGURATION, 9.0, adapters.SEED).validation_error, "info": {}}


def test_a_blackbox_of_syne_tune_gives_all_fidelities_or_one() -> None:
    pytest.importorskip("syne_tune")
    blackbox = adapters.syne_tune_blackbox(BENCHMARK, SEVERAL)
    assert blackbox.fidelity_values.tolist() == [1, 3, 9, 27]
    expected = [
        BENCHMARK.query(CONFIGURATION, rung, 3).objectives(*SEVERAL, "wall_seconds") for rung in (1.0, 3.0, 9.0, 27.0)
    ]
    assert blackbox(dict(CONFIGURATION), seed=3).tolist() == [list(values) for values in expected]
    one = blackbox(dict(CONFIGURATION), {"resource": 9}, seed=3)
    assert one == dict(zip((*SEVERAL, "elapsed_time"), expected[2], strict=True))
    for h in JOINT.hyperparameters:
        domain = blackbox.configuration_space[h.name]
        assert (domain.lower, domain.upper) == (h.low, h.high)


@pytest.mark.parametrize(
    "adapter",
    [adapters.plain_function, adapters.population_function, adapters.smac_target, adapters.optuna_objective],
    ids=lambda adapter: adapter.__name__,
)
@pytest.mark.parametrize("objectives", [["status"], ["validation_error", "accuracy"], []])
def test_an_unknown_objective_is_refused_before_an_optimizer_begins(
    adapter: Callable[..., object], objectives: list[str]
) -> None:
    with pytest.raises(UnknownNameError, match=r"objective: .* one of failure_probability"):
        adapter(BENCHMARK, objectives)
