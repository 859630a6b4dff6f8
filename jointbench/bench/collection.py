"""Collecting the ground truth: an optimizer on real training on real workers, into a log."""

from collections.abc import Iterator
from contextlib import closing

from jointbench.bench.cluster import Finished
from jointbench.bench.dask_cluster import DaskCluster
from jointbench.bench.journal import Journal
from jointbench.bench.run import run
from jointbench.bench.training_objective import TrainingObjective
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.optimizers.optimizer import Optimizer


def evaluated_by(log: EvaluationLog, run_name: str) -> dict[int, Evaluation]:
    """Trial number to evaluation, of one run of the log."""
    return {e.trial: e for e in log.evaluations() if e.provenance.run == run_name}


def collect(
    log: EvaluationLog,
    objective: TrainingObjective,
    optimizer: Optimizer,
    *,
    run_name: str,
    full_budgets: float,
    workers: int,
    seed: int,
) -> Iterator[Finished]:
    """Run `optimizer` on real trainings, yielding each as it ends; every evaluation is in `log` by then.

    A run of this name that was stopped goes on where it stood: its journal and the log rebuild the optimizer.
    At the end the log's parts are merged into one.
    """
    with closing(Journal(log.journals / f"{run_name}.journal")) as journal:
        evaluated = evaluated_by(log, run_name)
        with DaskCluster(objective, log, workers=workers, optimizer=optimizer.name, run=run_name) as cluster:
            yield from run(
                optimizer,
                cluster,
                log.ladder,
                full_budgets=full_budgets,
                seed=seed,
                journal=journal,
                evaluated=evaluated,
            )
    log.compact()
