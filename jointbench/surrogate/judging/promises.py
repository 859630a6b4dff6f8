"""What a surrogate promises to those who search hard: less than anything that was trained, and how sure it is of it.

Held-out scores are of configurations that somebody chose without asking it. Who minimises its answers finds where it
believes too readily, if it does anywhere.
"""

from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.scores import Row
from jointbench.surrogate.table import TrainingTable

#: Random configurations that are asked, and climbs that start at the best trainings.
RANDOM, CLIMBS = 2_000, 4

#: A climb: so many rounds of so many neighbours, of whose hyperparameters a share has moved by this much of its range
#: (a standard deviation).
_ROUNDS, _NEIGHBOURS, _MOVED, _BY = 60, 100, 0.25, 0.1


def promises(benchmark: Benchmark, table: TrainingTable, seed: int) -> list[Row]:
    """At the largest budget: `real`, the objective's best value in the trainings, beside the best that the benchmark
    promises without noise to random configurations and to climbs from the best trainings (`promised`, with one standard
    deviation of what it does not know there, `uncertainty`, None of an ensemble). Two rows, by `search`; empty where
    nothing at the largest budget ended ok. `error`: as `HeldOut.scores` calls the objective.
    """
    top = table.take(table.ok & (table.budgets == table.ladder.maximum))
    if not len(top):
        return []
    space, rng = benchmark.space, np.random.default_rng(seed)
    ranked = top.rows[np.argsort(top.errors[:, 0], kind="stable")]
    starts = [space.configuration(row) for row in ranked[:CLIMBS]]
    found = {
        f"{RANDOM:,} random configurations": space.sample(rng, RANDOM),
        f"{CLIMBS} climbs from the best trainings": [climb(benchmark, start, rng) for start in starts],
    }
    sign = -1 if benchmark.task.objective.maximize else 1
    rows: list[Row] = []
    for search, configurations in found.items():
        promised = promised_losses(benchmark, configurations)
        lowest = int(promised.argmin())
        answers = benchmark.query_batch(configurations, benchmark.ladder.maximum)
        unknown = None if answers.uncertainty is None else float(answers.uncertainty[lowest])
        rows.append(
            {
                "search": search,
                "error": table.error_names[0],
                "promised": sign * float(promised[lowest]),
                "uncertainty": unknown,
                "real": sign * float(top.errors[:, 0].min()),
            }
        )
    return rows


def climb(benchmark: Benchmark, start: Configuration, rng: np.random.Generator) -> Configuration:
    """Where a search from `start` ends on what the benchmark promises at the largest budget without noise."""
    space = benchmark.space
    here, best = space.encode([start], inactive=0.5)[0], promised_losses(benchmark, [start])[0]
    for _ in range(_ROUNDS):
        moves = rng.normal(0.0, _BY, (_NEIGHBOURS, len(here))) * (rng.random((_NEIGHBOURS, len(here))) < _MOVED)
        points = np.clip(here + moves, 0.0, 1.0)
        promised = promised_losses(benchmark, space.rows_at(points))
        lowest = int(promised.argmin())
        if promised[lowest] < best:
            here, best = points[lowest], promised[lowest]
    return space.at(here)


def promised_losses(benchmark: Benchmark, rows: Any) -> FloatArray:
    """The expected loss (n,) of each configuration of a table at the largest budget; of what is expected to fail,
    infinite."""
    objective = benchmark.task.objective
    answers = benchmark.query_batch(rows, benchmark.ladder.maximum)
    return np.where(answers.ok, objective.losses(answers.columns()[objective.name]), np.inf)
