"""One run of a simulated comparison: an optimizer with a seed, in a process of its own, into one Parquet file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.run_table import write_run
from jointbench.bench.comparing.simulated_objective import simulated_objective
from jointbench.bench.running.cluster import Finished, SimulatedCluster
from jointbench.bench.running.dying_workers import DyingWorkers
from jointbench.bench.running.objective import Objective
from jointbench.bench.running.proposals import Proposals
from jointbench.bench.running.run import run
from jointbench.bench.running.thinking import Timed
from jointbench.data.evaluation import Evaluation
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Optimizer
from jointbench.optimizers.registry import own_name

#: A run reports its progress every so many evaluations.
TICK = 25


@dataclass(frozen=True)
class Job:
    """A run to be made, and the file to write; `code` as `run_code.optimizer_code` gives."""

    optimizer: str
    seed: int
    settings: Settings
    path: Path
    code: str


def run_job(job: Job, progress: Callable[[int, float], None]) -> None:
    """Make the run and write it, whole or not at all.

    `progress` hears of the evaluations so far and the share of the budgets that they have spent. Raises OptimizerError
    when the optimizer fails.
    """
    settings = job.settings
    objective = simulated_objective(settings)
    space, ladder = objective.space, objective.ladder
    optimizer = make_optimizer(job.optimizer, space, ladder, seed=job.seed, full_budgets=settings.full_budgets)
    driven, cluster = _simulated(optimizer, objective, settings)
    finished: list[Finished] = []
    spent = 0.0
    for one in run(driven, cluster, ladder, full_budgets=settings.full_budgets, seed=job.seed, space=space):
        finished.append(one)
        spent += one.evaluation.budget
        if len(finished) % TICK == 0:
            progress(len(finished), spent / (settings.full_budgets * ladder.maximum))
    progress(len(finished), 1.0)
    if not finished:
        Proposals(optimizer, space, ladder, job.seed).check_any()

    def truth(incumbent: Evaluation) -> tuple[float, float]:
        expected = objective.expected(incumbent.configuration, ladder.maximum)
        return expected.validation_error, expected.test_error

    write_run(job.path, finished, settings, truth, job.code, own_name(job.optimizer, optimizer))


def _simulated(optimizer: Optimizer, objective: Objective, settings: Settings) -> tuple[Optimizer, SimulatedCluster]:
    if settings.death_rate > 0:
        objective = DyingWorkers(objective, settings.death_rate, settings.guessing_error)
    charged = settings.overhead
    if charged == "measured":
        timed = Timed(optimizer)
        return timed, SimulatedCluster(objective, settings.workers, timed.take)
    return optimizer, SimulatedCluster(objective, settings.workers, lambda: charged)
