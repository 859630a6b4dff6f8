"""Leave one optimizer out, and let it run: on a surrogate that has seen nothing of what it collected."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import JointBenchError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import VALIDATION_ERROR, Metric
from jointbench.data.seeds import comparison_seed
from jointbench.optimizers import check_optimizer, make_optimizer
from jointbench.surrogate.surrogate import Surrogate

#: Simulated runs of an optimizer, with seeds from 0 on.
SEEDS = 10


@dataclass(frozen=True)
class Search:
    """One run: `spent` (n,), budgets in units of the largest, and `lowest` (n,), the lowest loss of the
    objective (a validation error: a fraction) at the largest budget so far, NaN before there is one."""

    spent: FloatArray
    lowest: FloatArray

    @classmethod
    def of(cls, evaluations: Iterable[Evaluation], ladder: Ladder, metric: Metric = VALIDATION_ERROR) -> "Search":
        """From evaluations in the order in which they ended."""
        made = list(evaluations)
        largest = len(ladder.rungs) - 1
        losses = [metric.loss_of(e) if ladder.place_of(e.budget) == largest else np.inf for e in made]
        lowest = np.minimum.accumulate(losses) if losses else np.array([])
        spent = np.cumsum([e.budget for e in made]) / ladder.maximum
        return cls(spent, np.where(np.isfinite(lowest), lowest, np.nan))

    def at(self, spent: FloatArray) -> FloatArray:
        """The lowest error after so much was spent; NaN before there is one."""
        last = np.searchsorted(self.spent, spent, side="right") - 1
        return np.where(last < 0, np.nan, self.lowest[np.maximum(last, 0)])


@dataclass(frozen=True)
class LeftOut:
    """An optimizer's runs in the log, and on the surrogate without them."""

    optimizer: str
    logged: list[Search]
    simulated: list[Search]


def left_out_runs(surrogate: Surrogate, log: EvaluationLog) -> Iterator[LeftOut]:
    """For each optimizer of the log that can be run here and without which a surrogate can be fitted."""
    runs: dict[tuple[str, str], list[Evaluation]] = {}
    for evaluation in log.evaluations():
        runs.setdefault((evaluation.provenance.optimizer, evaluation.provenance.run), []).append(evaluation)
    for name in sorted({name for name, _ in runs}):
        try:
            check_optimizer(name, log.space, log.ladder, full_budgets=1.0)
            objective = SurrogateObjective(surrogate.without(name).benchmark)
            own = [sorted(made, key=lambda e: e.finished_at) for (which, _), made in runs.items() if which == name]
            logged = [Search.of(made, log.ladder, log.task.objective) for made in own]
            full = ceil(max(search.spent[-1] for search in logged))
            simulated = [_simulated(name, objective, seed, full) for seed in range(SEEDS)]
        except JointBenchError:
            continue
        yield LeftOut(name, logged, simulated)


def _simulated(name: str, objective: SurrogateObjective, seed: int, full: float) -> Search:
    seed, metric = comparison_seed(seed), objective.task.objective
    optimizer = make_optimizer(
        name, objective.space, objective.ladder, seed=seed, full_budgets=full, objectives=(metric,)
    )
    cluster, space, ladder = SimulatedCluster(objective, 1), objective.space, objective.ladder
    finished = run(optimizer, cluster, ladder, full_budgets=full, seed=seed, space=space)
    return Search.of((one.evaluation for one in finished), objective.ladder, metric)
