"""One run of a comparison: an optimizer with a seed, in a process of its own, into one Parquet file."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.cluster import Finished, SimulatedCluster
from jointbench.bench.comparison_folder import Settings
from jointbench.bench.dying_workers import DyingWorkers
from jointbench.bench.objective import Objective
from jointbench.bench.run import run
from jointbench.bench.surrogate_objective import SurrogateObjective
from jointbench.bench.thinking import Timed
from jointbench.data.errors import BenchmarkError
from jointbench.data.evaluation import Configuration
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Optimizer
from jointbench.surrogate.benchmark import Benchmark, load_benchmark

#: A run reports its progress every so many evaluations.
TICK = 25


@dataclass(frozen=True)
class Job:
    """A run to be made, and the file to write."""

    optimizer: str
    seed: int
    settings: Settings
    path: str


def run_job(job: Job, ticks: Any, key: int) -> None:
    """Make the run and write it, whole or not at all.

    `ticks[key]` is told of the evaluations so far and the share of the budgets that they have spent.
    """
    settings = job.settings
    objective = SurrogateObjective(_loaded(settings.benchmark, settings.benchmark_checksum))
    space, ladder = objective.space, objective.ladder
    optimizer = make_optimizer(job.optimizer, space, ladder, seed=job.seed, full_budgets=settings.full_budgets)
    optimizer, cluster = _simulated(optimizer, objective, settings)
    finished: list[Finished] = []
    spent = 0.0
    for one in run(optimizer, cluster, ladder, full_budgets=settings.full_budgets, seed=job.seed):
        finished.append(one)
        spent += one.evaluation.budget
        if len(finished) % TICK == 0:
            ticks[key] = len(finished), spent / (settings.full_budgets * ladder.maximum)
    ticks[key] = len(finished), 1.0
    temporary = f"{job.path}.{os.getpid()}.writing"
    pq.write_table(_table(finished, objective), temporary, compression="zstd")
    os.replace(temporary, job.path)


@cache
def _loaded(source: str, checksum: str) -> Benchmark:
    """Once a process: reading the trees takes longer than many a run."""
    benchmark = load_benchmark(source)
    if benchmark.checksum != checksum:
        raise BenchmarkError("benchmark", source, "one that does not change while it is compared on")
    return benchmark


def _simulated(
    optimizer: Optimizer, objective: SurrogateObjective, settings: Settings
) -> tuple[Optimizer, SimulatedCluster]:
    on: Objective = objective
    if settings.death_rate > 0:
        on = DyingWorkers(objective, settings.death_rate, settings.guessing_error)
    charged = settings.overhead
    if charged == "measured":
        timed = Timed(optimizer)
        return timed, SimulatedCluster(on, settings.workers, timed.take)
    return optimizer, SimulatedCluster(on, settings.workers, lambda: charged)


def incumbents(finished: Sequence[Finished]) -> Iterator[Configuration | None]:
    """The incumbent after each trial, in the order of their ends; None before the first that ended ok.

    It is the configuration with the lowest validation error seen on the largest budget that anything has been
    evaluated at so far: HpBandSter's rule. Smaller budgets are forgotten as soon as a larger one has spoken.
    """
    best: tuple[float, float] | None = None
    incumbent: Configuration | None = None
    for one in finished:
        evaluation = one.evaluation
        standing = (-evaluation.budget, evaluation.validation_error)
        if evaluation.ok and (best is None or standing < best):
            best, incumbent = standing, evaluation.configuration
        yield incumbent


def _table(finished: Sequence[Finished], objective: SurrogateObjective) -> pa.Table:
    """One row an evaluation, in the order of their ends.

    `incumbent_*_error`: what the incumbent then would be expected to reach at the largest budget, without noise;
    the error of guessing before there is one.
    """
    guessing = 1 - 1 / objective.benchmark.images.classes
    truth: tuple[float, float] = guessing, guessing
    known: Configuration | None = None
    rows = []
    for one, incumbent in zip(finished, incumbents(finished), strict=True):
        if incumbent is not None and incumbent is not known:
            known = incumbent
            expected = objective.expected(incumbent, objective.ladder.maximum)
            truth = expected.validation_error, expected.test_error
        evaluation = one.evaluation
        rows.append(
            {
                "number": one.started.number,
                "budget": evaluation.budget,
                "seed": one.started.seed,
                "start": one.start,
                "end": one.end,
                "status": evaluation.status.value,
                "validation_error": evaluation.validation_error,
                "test_error": evaluation.test_error,
                "training_seconds": evaluation.training_seconds,
                "wall_seconds": evaluation.wall_seconds,
                "incumbent": known is not None and evaluation.configuration is known,
                "incumbent_validation_error": truth[0],
                "incumbent_test_error": truth[1],
                "configuration": dict(evaluation.configuration),
            }
        )
    return pa.Table.from_pylist(rows)
