"""A benchmark as other libraries want it. Each adapter imports its library when it is called, and needs it alone.

`objectives` names what is minimised: fields of `Answer` such as `validation_error`, `parameters`, `flops`,
`wall_seconds` or `peak_memory`, or metrics of another task; without any it is the task's objective. Several make a
problem of several objectives. An adapter raises UnknownNameError for any other name, before it is asked anything.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter
from jointbench.data.spaces.suggesting import suggested
from jointbench.surrogate.benchmark import Benchmark

#: Where a library passes no seed. The luck of a training depends on its configuration and budget too.
SEED = 0


def plain_function(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[..., Any]:
    """`function(configuration, budget=largest, seed=None)`: a number, or a tuple of them; expected without a seed."""

    objectives = benchmark.checked_objectives(objectives)

    def function(configuration: Any, budget: float | None = None, seed: int | None = None) -> Any:
        budget = benchmark.ladder.maximum if budget is None else budget
        values = benchmark.minimised(benchmark.query(configuration, budget, seed), *objectives)
        return values if len(values) > 1 else values[0]

    return function


def population_function(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[..., Any]:
    """`function(points, budgets=largest, seeds=None)` of points (n, hyperparameters) of the unit cube, in one batch.

    Points are a table as `Space.rows` takes it: a frame by name, an array by position. It gives an array (n,), or
    (n, objectives) of several.
    """

    objectives = benchmark.checked_objectives(objectives)

    def function(points: Any, budgets: Any = None, seeds: Any = None) -> npt.NDArray[np.float64]:
        budgets = benchmark.ladder.maximum if budgets is None else budgets
        rows = benchmark.space.rows_at(points)
        columns = benchmark.minimised(benchmark.query_batch(rows, budgets, seeds), *objectives)
        values = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
        return values if len(objectives) > 1 else values[:, 0]

    return function


def smac_target(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[..., Any]:
    """A target function of smac 2 for the scenario's space, budgets (of the ladder) and objectives.

    The scenario's space is the benchmark's ConfigSpace object, which smac samples by ConfigSpace's law and not by ours
    (`Space.configspace` says how they differ).
    """
    objectives = benchmark.checked_objectives(objectives)
    function = plain_function(benchmark, objectives)

    def target(config: Any, seed: int = SEED, budget: float | None = None) -> Any:
        value = function(dict(config), budget, seed)
        return dict(zip(objectives, value, strict=True)) if len(objectives) > 1 else value

    return target


def optuna_objective(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[[Any], Any]:
    """An objective of Optuna. A single one is reported at each rung, numbered from 0, and may be pruned there.

    What Optuna samples at random has the law of `Space.sample`: its integers have bins as ours.
    """
    from optuna import TrialPruned

    objectives = benchmark.checked_objectives(objectives)
    function = plain_function(benchmark, objectives)

    def objective(trial: Any) -> Any:
        configuration = suggested(benchmark.space, trial)
        if len(objectives) > 1:
            return function(configuration, seed=trial.number)
        for rung, budget in enumerate(benchmark.ladder.rungs):
            value = function(configuration, budget, trial.number)
            trial.report(value, rung)
            if trial.should_prune():
                raise TrialPruned
        return value

    return objective


def hpbandster_worker(benchmark: Benchmark, **connection: Any) -> Any:
    """A worker of HpBandSter; `connection` is what its constructor takes, such as `run_id` and `nameserver`.

    HpBandSter is given the benchmark's ConfigSpace object and samples by ConfigSpace's law (`Space.configspace`).
    """
    from hpbandster.core.worker import Worker

    function = plain_function(benchmark)

    class BenchmarkWorker(Worker):  # type: ignore[misc]
        def compute(self, config: dict[str, Any], budget: float, **_: Any) -> dict[str, Any]:
            return {"loss": function(config, budget, SEED), "info": {}}

    return BenchmarkWorker(**connection)


def syne_tune_blackbox(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Any:
    """A blackbox of Syne Tune. Its fidelity, `resource`, counts smallest budgets; its last metric, `elapsed_time`,
    is what its simulator calls `elapsed_time_attr`: wall seconds from the start.

    Its space samples by Syne Tune's law: integers on a log scale are rounded from log-uniform numbers between both
    ends, so that of 1..16 the 1 has 14.6 % instead of 31.4 % (`Space.sample`). Other laws are ours.
    """
    from syne_tune import config_space
    from syne_tune.blackbox_repository.blackbox import Blackbox

    def domain(h: Hyperparameter) -> Any:
        if isinstance(h, Choice):
            return config_space.ordinal(h.choices) if h.ordered else config_space.choice(h.choices)
        kind = "randint" if h.integer else "uniform"
        return getattr(config_space, f"log{kind}" if h.log else kind)(h.low, h.high)

    wanted, ladder = benchmark.checked_objectives(objectives), benchmark.ladder
    space = {h.name: domain(h) for h in benchmark.space.hyperparameters}

    class BenchmarkBlackbox(Blackbox):  # type: ignore[misc]
        fidelity_values = np.array([round(rung / ladder.minimum) for rung in ladder.rungs])

        def _objective_function(self, configuration: Any, fidelity: Any = None, seed: int | None = None) -> Any:
            if fidelity is None:
                return np.array([list(self._at(configuration, rung, seed).values()) for rung in ladder.rungs])
            return self._at(configuration, fidelity["resource"] * ladder.minimum, seed)

        def _at(self, configuration: Any, budget: float, seed: int | None) -> dict[str, float]:
            answer = benchmark.query(configuration, budget, SEED if seed is None else seed)
            values = benchmark.minimised(answer, *wanted, "wall_seconds")
            return dict(zip(self.objectives_names, values, strict=True))

    names = [*wanted, "elapsed_time"]
    fidelities = config_space.randint(1, int(BenchmarkBlackbox.fidelity_values[-1]))
    return BenchmarkBlackbox(space, {"resource": fidelities}, names)
