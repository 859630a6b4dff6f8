"""One run of a simulated comparison: an optimizer with a seed, in a process of its own, into one Parquet file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.run_table import write_run
from jointbench.bench.comparing.simulated_objective import simulated_objective
from jointbench.bench.running.cluster import Finished, SimulatedCluster
from jointbench.bench.running.dying_workers import DyingWorkers
from jointbench.bench.running.objective import Objective
from jointbench.bench.running.overhead import Timed
from jointbench.bench.running.proposals import Proposals
from jointbench.bench.running.run import run
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Evaluation, Metrics
from jointbench.data.seeds import comparison_seed
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Optimizer
from jointbench.optimizers.registry import own_name, told_of

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

    `progress` hears of the evaluations so far and the share of the budgets, or of the time, that they have spent.
    Raises OptimizerError when the optimizer fails, InputError when it does not begin as the comparison wants it to.
    """
    settings = job.settings
    objective = simulated_objective(settings)
    space, ladder, seed = objective.space, objective.ladder, comparison_seed(job.seed)
    optimizer = make_optimizer(
        job.optimizer,
        space,
        ladder,
        seed=seed,
        full_budgets=settings.full_budgets,
        wall_clock=settings.wall_clock,
        first=settings.first_values,
        objectives=told_of(job.optimizer, settings.objectives),
        images=settings.images,
        # On a table of one budget those that compare several are their one-rung forms.
        any_ladder=settings.objective == "known",
    )
    driven, cluster = _simulated(optimizer, objective, settings)
    finished: list[Finished] = []
    spent = 0.0
    full_budgets, time = settings.stop
    for one in run(driven, cluster, ladder, seed=seed, space=space, full_budgets=full_budgets, time=time):
        finished.append(one)
        spent += one.evaluation.budget
        if len(finished) % TICK == 0:
            of_budgets = spent / (settings.full_budgets * ladder.maximum)
            progress(len(finished), of_budgets if settings.time is None else one.end / settings.time)
    progress(len(finished), 1.0)
    if not finished:
        Proposals(optimizer, space, ladder, seed).check_any()
    check_first(job.optimizer, finished, settings)

    def truth(incumbent: Evaluation) -> Metrics:
        return objective.expected(incumbent.configuration, ladder.maximum).metrics

    write_run(job.path, finished, settings, truth, job.code, own_name(job.optimizer, optimizer))


def check_first(optimizer: str, finished: Sequence[Finished], settings: Settings) -> None:
    """Raises InputError where the first trial does not have the values that the comparison wants it to begin with."""
    wanted = settings.first_values.items()
    for one in finished:
        if one.started.number == 0 and not wanted <= one.started.trial.configuration.items():
            raise InputError(
                "optimizer", optimizer, "one whose first trial has the values of `first`, as Optimizer says"
            )


def _simulated(optimizer: Optimizer, objective: Objective, settings: Settings) -> tuple[Optimizer, SimulatedCluster]:
    if settings.death_rate > 0:
        objective = DyingWorkers(objective, settings.death_rate)
    charged = settings.overhead
    if charged == "measured":
        timed = Timed(optimizer)
        return timed, SimulatedCluster(objective, settings.workers, timed.take)
    return optimizer, SimulatedCluster(objective, settings.workers, lambda: charged)
