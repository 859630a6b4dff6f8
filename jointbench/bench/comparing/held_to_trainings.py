"""A surrogate against the real trainings of a comparison: evaluations that optimizers proposed, which it never saw."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jointbench.bench.comparing.comparison_folder import TRAININGS, Settings
from jointbench.bench.comparing.its_benchmark import benchmark_of_both
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import JointBenchError
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.surrogate.judging.best import among, held_against, lowest
from jointbench.surrogate.judging.scores import Row, scores
from jointbench.surrogate.table import groups

#: Of the evaluations: the best in truth, and those of which the surrogate says the best.
QUARTER, TENTH = 0.25, 0.1

#: Evaluations below which nothing is scored.
FEWEST = 20


@dataclass(frozen=True)
class HeldToTrainings:
    """A row for each budget (`budget`) with enough real trainings that ended ok (`n`): what `scores` says of the
    benchmark's answers to them, in losses of the `objective`; `best_spearman` and `best_bias` (a share of the real
    value) among the best quarter; and of the tenth of which the benchmark says the best, the mean of what it says
    (`promised`) and of what came (`came`), in the objective's values.
    """

    benchmark: str
    objective: Metric
    rows: list[Row]


def held_to_trainings(surrogate: Path, real: Path) -> HeldToTrainings | None:
    """What the surrogate of one comparison says of the trainings of another; None where they are no such pair, are
    about different problems, or the surrogate is not there any more as it was. Raises LogError for a folder without a
    comparison.
    """
    benchmark = benchmark_of_both(Settings.read(surrogate), Settings.read(real))
    if benchmark is None:
        return None
    try:
        log = EvaluationLog.open(real / TRAININGS)
    except JointBenchError:
        return None
    objective = benchmark.task.objective
    evaluations = [one for one in log.evaluations() if one.ok]
    rows: list[Row] = []
    for budget in benchmark.ladder.rungs:
        at = [one for one in evaluations if one.budget == budget]
        if len(at) >= FEWEST:
            numbers = benchmark.space.rows([one.configuration for one in at])
            said = objective.losses(benchmark.query_batch(numbers, budget).columns()[objective.name])
            came = np.array([objective.loss_of(one) for one in at])
            rows.append({"budget": budget, "n": len(at), **_scored(objective, came, said, groups(numbers))})
    return HeldToTrainings(benchmark.name, objective, rows) if rows else None


def _scored(objective: Metric, came: FloatArray, said: FloatArray, group: npt.NDArray[np.int64]) -> Row:
    best, promised = lowest(came, group, QUARTER), said <= np.quantile(said, TENTH)
    among_best = among(came[best], said[best], held_against(objective, came))
    sign = -1 if objective.maximize else 1
    return {
        **scores(came, said),
        "best_spearman": among_best["spearman"],
        "best_bias": among_best["relative_bias"],
        "promised": sign * float(said[promised].mean()),
        "came": sign * float(came[promised].mean()),
    }
