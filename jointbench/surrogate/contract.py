"""What every benchmark must do, as checks that anybody can run on theirs.

    import pytest
    from jointbench import load_benchmark
    from jointbench.surrogate.contract import CHECKS

    @pytest.mark.parametrize("check", CHECKS)
    def test_mine(check):
        check(load_benchmark("my-folder"))

A check raises AssertionError with a sentence.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import BudgetError, ConfigurationError
from jointbench.data.evaluation import Configuration, Status
from jointbench.data.ladder import SAME_RUNG
from jointbench.data.metrics import TEST_ERROR
from jointbench.data.spaces.space import Space
from jointbench.surrogate.answer import Answer, Answers
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.golden import at_and_between
from jointbench.surrogate.metric_answer import MetricAnswer

Check = Callable[[Benchmark], None]


def corners_and_samples(space: Space, count: int, seed: int = 0) -> FloatArray:
    """All ranges at their lower, then at their upper end, then `count` random configurations, as rows."""
    return np.concatenate([space.ends, _sampled(space, count, seed)])


def at_every_border(space: Space, count: int, seed: int = 0) -> FloatArray:
    """`count` random configurations for each end of each range, with that value there where it is active, as rows."""
    names, ends = space.names, [(k, end) for k, h in enumerate(space.hyperparameters) for end in (h.low, h.high)]
    rows = _sampled(space, count * len(ends), seed).reshape(len(ends), count, len(names))
    for part, (k, end) in zip(rows, ends, strict=True):
        part[:, k] = end
    return space.without_inactive(rows.reshape(-1, len(names)))


def _sampled(space: Space, count: int, seed: int) -> FloatArray:
    return space.rows_at(np.random.default_rng(seed).random((count, len(space.names))))


def check_describes_itself(benchmark: Benchmark) -> None:
    """Its ConfigSpace object holds the hyperparameters of its space; its quality is known at each rung."""
    assert set(benchmark.configspace) == set(benchmark.space.names), (
        "the ConfigSpace object has other hyperparameters than the space"
    )
    assert {row["budget"] for row in benchmark.quality} == {*benchmark.ladder.rungs, None}, "quality without a rung"


def check_plausible_everywhere(benchmark: Benchmark) -> None:
    """Fractions, finite costs and a status that was possible, in every corner."""
    for budget in benchmark.ladder.rungs:
        for seed in (None, 1):
            for answer in benchmark.query_batch(corners_and_samples(benchmark.space, 50), budget, seed):
                _check_plausible(benchmark, answer, budget)


def _check_plausible(benchmark: Benchmark, answer: Any, budget: float) -> None:
    if not isinstance(answer, Answer):
        _check_plausible_metrics(benchmark, answer)
        return
    for fraction in (answer.validation_error, answer.test_error, answer.failure_probability):
        assert 0 <= fraction <= 1, f"{answer}: {fraction} is no fraction"
    assert answer.uncertainty is None or 0 < answer.uncertainty < 1, f"{answer}: its uncertainty is no fraction"
    costs = (answer.training_seconds, answer.wall_seconds, answer.epochs, answer.images_per_second, answer.peak_memory)
    assert all(0 < cost < math.inf for cost in costs), f"{answer}: costs are not finite and positive"
    assert answer.training_seconds <= answer.wall_seconds, f"{answer}: part takes longer than the whole"
    if answer.status is Status.OK:
        spent = answer.training_seconds if benchmark.ladder.unit == "seconds" else answer.epochs
        assert spent >= budget * (1 - SAME_RUNG), f"{answer}: ended ok before its budget, {budget:g}"
    else:
        assert answer.failure_probability > 0, f"{answer}: an impossible failure"
        assert answer.test_error == TEST_ERROR.guessing(benchmark.images.classes), f"{answer}: a failure does not guess"


def _check_plausible_metrics(benchmark: Benchmark, answer: MetricAnswer) -> None:
    """Within the bounds of each metric, of a failure what it counts as."""
    task = benchmark.task
    assert task.objective.name in answer.metrics, f"{answer}: no {task.objective.name}, the objective"
    assert 0 <= answer.failure_probability <= 1, f"{answer}: {answer.failure_probability} is no fraction"
    assert answer.ok or answer.failure_probability > 0, f"{answer}: an impossible failure"
    assert answer.uncertainty is None or 0 < answer.uncertainty < math.inf, f"{answer}: its uncertainty is not finite"
    assert 0 <= answer.duration < math.inf, f"{answer}: its duration is not finite"
    for name, value in answer.metrics.items():
        assert math.isfinite(value), f"{answer}: {name} is not finite"
        if (metric := task.by_name.get(name)) is None:
            continue
        low, high = metric.bounds
        assert low <= value <= high, f"{answer}: {name} is outside its bounds"
        assert answer.ok or metric.failure in (None, value), f"{answer}: {name} of a failure is not what it counts as"


def objective_of(benchmark: Benchmark, answers: Any) -> FloatArray:
    """The metric (n,) of a batch that draws are compared by: the test error of trainings, else the objective."""
    if isinstance(answers, Answers):
        return answers.test_error
    return np.asarray(answers.metrics[benchmark.task.objective.name])


def check_batch_equals_single(benchmark: Benchmark) -> None:
    """Bit for bit, small batch or large, at and between rungs, with and without seeds."""
    space = benchmark.space
    rows = corners_and_samples(space, 98)
    budgets = np.resize(at_and_between(benchmark.ladder), len(rows))
    configurations = [space.configuration(row) for row in rows]
    for seeds in (None, np.arange(len(rows)) - 3):
        single = [
            benchmark.query(configuration, float(budget), None if seeds is None else int(seeds[i]))
            for i, (configuration, budget) in enumerate(zip(configurations, budgets, strict=True))
        ]
        for count in (1, 7, len(rows)):
            part = benchmark.query_batch(rows[:count], budgets[:count], None if seeds is None else seeds[:count])
            assert list(part) == single[:count], f"a batch of {count} differs from single queries"


def check_draws_follow_the_seed(benchmark: Benchmark) -> None:
    """The same seed gives the same answer, others give others; so do budgets and configurations."""
    first, second = corners_and_samples(benchmark.space, 2)[2:]
    rows, seeds = np.repeat([first], 40, axis=0), np.arange(40)
    draws = benchmark.query_batch(rows, benchmark.ladder.minimum, seeds)
    assert draws == benchmark.query_batch(rows, benchmark.ladder.minimum, seeds), "a seed gave two answers"
    drawn = objective_of(benchmark, draws)
    assert len(set(drawn.tolist())) > 1, "all seeds give the same answer"
    if isinstance(draws, Answers):
        images = drawn[draws.ok] * benchmark.images.test
        assert np.allclose(images, np.rint(images), atol=1e-6), "a drawn error is no whole number of images"
    other = benchmark.query_batch(np.repeat([second], 40, axis=0), benchmark.ladder.minimum, seeds)
    assert draws != other, "two configurations answer alike"


def check_between_rungs_is_marked(benchmark: Benchmark) -> None:
    """Answers between two rungs, where there are two and models know those alone, lie between theirs and are marked;
    those at rungs are not."""
    if len(benchmark.ladder.rungs) == 1 or benchmark.ladder.continuous:
        return
    below, above = benchmark.ladder.rungs[-2:]
    rows = corners_and_samples(benchmark.space, 20)
    low, middle, high = (benchmark.query_batch(rows, b) for b in (below, math.sqrt(below * above), above))
    marks = [answers.interpolated.mean() for answers in (low, middle, high)]
    assert marks == [0, 1, 0], "marked at a rung, or not marked between two"
    said = [objective_of(benchmark, answers) for answers in (low, middle, high)]
    ends = np.sort([said[0], said[2]], axis=0)
    ok, off = low.ok & middle.ok & high.ok, 1e-9 * (1 + np.abs(ends[1]))
    inside = (ends[0] - off <= said[1]) & (said[1] <= ends[1] + off)
    assert inside[ok].all(), "an interpolated error lies outside those of its rungs"


def check_refuses_what_is_outside(benchmark: Benchmark) -> None:
    """A budget outside the ladder, and a configuration that is outside its ranges, lacks a value or has one more."""
    ladder, space = benchmark.ladder, benchmark.space
    good = space.configuration(corners_and_samples(space, 1)[2])
    # One that is always active, if there is any.
    first = next((h for h in space.hyperparameters if h.name not in space.conditions), space.hyperparameters[0])
    name, top = first.name, first.high
    for budget in (ladder.minimum / 2, ladder.maximum * 2, math.nan, -1.0):
        _check_refused(benchmark, good, budget, BudgetError)
    lacking = {key: value for key, value in good.items() if key != name}
    for bad in ({**good, name: 2 * top + 1}, {**good, name: math.nan}, lacking, {**good, "no such": 1.0}):
        _check_refused(benchmark, bad, ladder.maximum, ConfigurationError)


def _check_refused(benchmark: Benchmark, configuration: Configuration, budget: float, kind: type[Exception]) -> None:
    try:
        benchmark.query(configuration, budget)
    except kind:
        return
    raise AssertionError(f"{configuration} at {budget} was answered")


CHECKS: tuple[Check, ...] = (
    check_describes_itself,
    check_plausible_everywhere,
    check_batch_equals_single,
    check_draws_follow_the_seed,
    check_between_rungs_is_marked,
    check_refuses_what_is_outside,
)
