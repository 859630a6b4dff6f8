"""Collecting the ground truth: an optimizer on real training on real workers, into a log."""

import json
from collections import Counter, defaultdict
from contextlib import closing
from typing import Any, Protocol

from jointbench.bench.collecting.collection_progress import WatchedCluster, Watcher
from jointbench.bench.running.dask_cluster import DaskCluster
from jointbench.bench.running.journal import Journal
from jointbench.bench.running.objective import Objective
from jointbench.bench.running.run import run
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Evaluation
from jointbench.data.files import make_folder, write_whole
from jointbench.data.log import EvaluationLog
from jointbench.data.seeds import training_seed
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Optimizer, Trial


class Trained(Objective, Protocol):
    """What is trained for real, here or on workers: it can be pickled."""

    def discard(self, evaluation: Evaluation) -> None:
        """Remove what a training left for itself to go on with: its evaluation is safe."""
        ...


def evaluated_by(log: EvaluationLog, run_name: str) -> dict[int, Evaluation]:
    """Trial number to evaluation, of one run of the log."""
    return {e.trial: e for e in log.evaluations(run=run_name)}


def _restore(log: EvaluationLog, journal: Journal, evaluated: dict[int, Evaluation]) -> None:
    """Put back into the log what the run's optimizer was told of and a damaged part has lost."""
    for entry in journal.entries:
        if entry.number not in evaluated and (outcome := entry.outcome) is not None:
            log.append([outcome])
            evaluated[entry.number] = outcome


def collect(
    log: EvaluationLog,
    objective: Trained,
    optimizer: Optimizer,
    *,
    run_name: str,
    full_budgets: float,
    workplace: Workplace,
    seed: int,
    watcher: Watcher,
    lock: bool = True,
) -> None:
    """Run `optimizer` on real trainings; every evaluation is in `log` before `watcher` and the optimizer hear of it.

    A run of this name that was stopped goes on where it stood: its journal and the log rebuild the optimizer.
    At the end the log's parts are merged into one. `lock` as in `Journal`.
    """
    with closing(Journal(log.journals / f"{run_name}.journal", lock=lock)) as journal:
        evaluated = evaluated_by(log, run_name)
        _restore(log, journal, evaluated)
        for evaluation in evaluated.values():
            objective.discard(evaluation)
        watcher.resumed(evaluated.values())
        with DaskCluster(objective, log, workplace=workplace, optimizer=optimizer.name, run=run_name) as cluster:
            if cluster.dashboard is not None:
                watcher.watchable(cluster.dashboard)
            for finished in run(
                optimizer,
                WatchedCluster(cluster, watcher),
                log.ladder,
                full_budgets=full_budgets,
                seed=seed,
                space=log.space,
                journal=journal,
                evaluated=evaluated,
            ):
                objective.discard(finished.evaluation)
                log.tidy()
                watcher.finished(finished)
    log.compact()
    watcher.ended()


def repeats(log: EvaluationLog, configurations: int, seeds: int, *, seed: int, full_budgets: float) -> Optimizer:
    """Trials that bring `configurations` of the log up to `seeds` evaluations each at its two largest budgets.

    They are chosen evenly over the ranks at the largest budget, so that the noise is known for good and bad
    ones alike. The choice is made once and kept beside the journal. Raises LogError when the log has too few.
    """
    name = "repeats"
    kept = log.journals / f"{name}-{seed}.trials.json"
    if not kept.exists():
        trials = _choose(log, configurations, seeds, seed)
        make_folder(kept.parent)
        write_whole(kept, json.dumps(trials), once=True)
    chosen = [Trial(**trial) for trial in json.loads(kept.read_text(encoding="utf-8"))]
    return FixedList(log.space, log.ladder, seed=seed, full_budgets=full_budgets, name=name, trials=chosen)


def _choose(log: EvaluationLog, configurations: int, seeds: int, seed: int) -> list[dict[str, Any]]:
    budgets = log.ladder.rungs[-2:]
    done: dict[tuple[float, ...], Counter[float]] = defaultdict(Counter)
    largest: dict[tuple[float, ...], Evaluation] = {}
    for evaluation in log.evaluations():
        row = tuple(log.space.row(evaluation.configuration))
        done[row][evaluation.budget] += 1
        if evaluation.budget == budgets[-1] and evaluation.ok:
            largest.setdefault(row, evaluation)
    if len(largest) < configurations:
        raise LogError(
            "log", str(log.path), f"{configurations} configurations at the largest budget, not {len(largest)}"
        )
    ranked = sorted(largest, key=lambda row: log.task.objective.loss_of(largest[row]))
    chosen = [ranked[round(i * (len(ranked) - 1) / max(1, configurations - 1))] for i in range(configurations)]
    missing = [
        (dict(largest[row].configuration), budget)
        for row in chosen
        for budget in budgets
        for _ in range(seeds - done[row][budget])
    ]
    # Seeds far from those of the searches' own trainings.
    first = training_seed(seed, 0) + 2**60
    return [{"configuration": c, "budget": b, "seed": first + i} for i, (c, b) in enumerate(missing)]
