"""Two-stage search: what is fixed, what is spent, and what goes on to the second stage."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jointbench.bench.calls.comparing import OPTIMIZERS
from jointbench.bench.calls.comparison_runs import Wanted
from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.data.errors import BudgetError, ConfigurationError, InputError, UnknownNameError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.registry import get_space
from jointbench.optimizers import Trial, check_optimizer, make_optimizer
from jointbench.optimizers.contract import outcome
from jointbench.optimizers.samplers import ModelSampler
from jointbench.optimizers.two_stage import TwoStage

LADDER = Ladder(1.0, 27.0)
APPENDIX_B = JOINT.expert
HYPERPARAMETERS = [name for name in JOINT.names if name not in JOINT.architecture]


def search(full_budgets: float = 8, seed: int = 0, **options: Any) -> TwoStage:
    return TwoStage(JOINT, LADDER, seed=seed, full_budgets=full_budgets, **options)


def course(optimizer: TwoStage, workers: int = 1, failing: float = 0.0) -> list[tuple[Trial, Evaluation]]:
    def evaluate(configuration: Configuration, budget: float, seed: int) -> Evaluation:
        return outcome(optimizer, Trial(configuration, budget), failed=np.random.default_rng(seed).random() < failing)

    cluster = SimulatedCluster(evaluate, workers)
    finished = run(optimizer, cluster, LADDER, full_budgets=optimizer.full_budgets, seed=0)
    return [(end.started.trial, end.evaluation) for end in finished]


def architecture(configuration: Configuration) -> tuple[float, ...]:
    return tuple(configuration[name] for name in JOINT.architecture)


@pytest.mark.parametrize("workers", [1, 10])
def test_half_goes_to_architectures_at_the_smallest_budget_and_half_to_hyperparameters_at_the_largest(
    workers: int,
) -> None:
    trials = course(search(), workers)
    assert Counter(trial.budget for trial, _ in trials) == {1.0: 108, 27.0: 4}
    for trial, _ in trials[:108]:
        assert {name: trial.configuration[name] for name in HYPERPARAMETERS} == APPENDIX_B
    assert len({architecture(trial.configuration) for trial, _ in trials[:108]}) == 108


@pytest.mark.parametrize("workers", [1, 10])
def test_the_best_architecture_goes_on_and_its_hyperparameters_vary(workers: int) -> None:
    trials = course(search(full_budgets=60), workers, failing=0.2)
    first = [(trial, evaluation) for trial, evaluation in trials if trial.budget == 1.0]
    second = [trial for trial, _ in trials if trial.budget == 27.0]
    least = min(evaluation.validation_error for _, evaluation in first if evaluation.ok)
    best = {architecture(t.configuration) for t, e in first if e.ok and e.validation_error == least}
    assert len({architecture(trial.configuration) for trial in second}) == 1
    assert architecture(second[0].configuration) in best
    assert len({trial.configuration["learning_rate"] for trial in second}) == len(second) == 30


def test_it_waits_for_all_architectures_before_it_chooses() -> None:
    optimizer = search(full_budgets=2)
    running = [optimizer.ask() for _ in range(27)]
    assert optimizer.ask() is None
    for trial in running[:-1]:
        assert trial is not None
        optimizer.tell(trial, outcome(optimizer, trial, failed=True))
        assert optimizer.ask() is None
    last = running[-1]
    assert last is not None
    optimizer.tell(last, outcome(optimizer, last, failed=False))
    chosen = optimizer.ask()
    assert chosen is not None
    assert architecture(chosen.configuration) == architecture(last.configuration)


def test_where_every_architecture_failed_the_search_goes_on() -> None:
    assert Counter(trial.budget for trial, _ in course(search(), failing=1.0))[27.0] == 4


def test_both_stages_use_the_model() -> None:
    optimizer = search(full_budgets=100)
    assert isinstance(optimizer._architectures, ModelSampler)
    assert optimizer._architectures.dimensions == 10
    course(optimizer)
    assert optimizer._architectures.from_model > 800
    assert optimizer._turns is not None
    second = next(optimizer._turns)
    assert isinstance(second, ModelSampler)
    assert (second.dimensions, second.from_model > 10) == (7, True)


def test_a_share_splits_the_budget() -> None:
    assert Counter(trial.budget for trial, _ in course(search(share=0.25))) == {1.0: 54, 27.0: 6}


def test_a_first_budget_moves_the_first_stage() -> None:
    assert Counter(trial.budget for trial, _ in course(search(first_budget=9.0))) == {9.0: 12, 27.0: 4}


def test_finalists_take_turns() -> None:
    trials = course(search(full_budgets=12, finalists=3))
    first = sorted((e.validation_error, i) for i, (t, e) in enumerate(trials) if t.budget == 1.0)
    best = [architecture(trials[i][0].configuration) for _, i in first[:3]]
    assert [architecture(trial.configuration) for trial, _ in trials if trial.budget == 27.0] == 2 * best


def test_one_architecture_is_tried_however_small_the_share() -> None:
    trials = course(search(full_budgets=2, share=0.1, first_budget=27.0))
    assert [trial.budget for trial, _ in trials] == [27.0, 27.0]


def test_the_variants_are_what_their_names_say() -> None:
    long, random = (make_optimizer(f"two-stage-{v}", JOINT, LADDER, seed=0, full_budgets=8) for v in ("long", "random"))
    assert isinstance(long, TwoStage)
    assert isinstance(random, TwoStage)
    trials = course(long)
    assert Counter(trial.budget for trial, _ in trials) == {27.0: 8}
    assert all({name: t.configuration[name] for name in HYPERPARAMETERS} == APPENDIX_B for t, _ in trials[:4])
    course(random)
    assert not isinstance(random._architectures, ModelSampler)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"share": 0.0}, InputError),
        ({"share": 1.0}, InputError),
        ({"share": math.nan}, InputError),
        ({"finalists": 0}, InputError),
        ({"sampler": "grid"}, UnknownNameError),
        ({"first_budget": 2.0}, BudgetError),
        ({"hyperparameters": {"momentum": 2.0}}, ConfigurationError),
        ({"hyperparameters": {"momentun": 0.9}}, UnknownNameError),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], error: type[InputError]) -> None:
    with pytest.raises(error):
        search(**options)


class TestSpacesOfOnePart:
    """Of generators, all is architecture, and of MLPs' tables nothing is."""

    @pytest.mark.parametrize("name", ["two-stage", "two-stage-long", "two-stage:share=0.3"])
    def test_is_refused_before_anything_runs(self, name: str) -> None:
        with pytest.raises(InputError, match="space: 'hnag-small' given, expected one with hyperparameters of an arch"):
            check_optimizer(name, get_space("hnag-small"), LADDER, full_budgets=8)
        check_optimizer("random", get_space("hnag-small"), LADDER, full_budgets=8)

    def test_is_left_out_of_the_default_comparison_and_it_is_said(self, tmp_path: Path) -> None:
        wanted = Wanted(list(OPTIMIZERS), tmp_path, [1])
        kept, notes = wanted.on(LADDER, get_space("hnag-small"), OPTIMIZERS)
        assert list(kept.optimizers) == [name for name in OPTIMIZERS if name != "two-stage"]
        assert notes == ["without two-stage: no hyperparameter of hnag-small is one of a training"]
        nothing = PlainSpace("mlps", (Number("rate", 0.0, 1.0),))
        assert wanted.on(LADDER, nothing, OPTIMIZERS)[1] == [
            "without two-stage: no hyperparameter of mlps is one of an architecture"
        ]
        assert wanted.on(LADDER, JOINT, OPTIMIZERS) == (wanted, [])
        assert set(wanted.on(LADDER, get_space("hnag-small"), OPTIMIZERS, seeds=30)[0].most().values()) == {30}
        named = Wanted(["random", "two-stage"], tmp_path, [1])
        assert named.on(LADDER, get_space("hnag-small"), OPTIMIZERS) == (named, [])
