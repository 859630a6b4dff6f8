"""A surrogate against what the incumbents of real searches are worth, without the luck by which they were chosen."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.its_benchmark import benchmark_of_both
from jointbench.bench.comparing.retraining_results import Retrained, read_retrained
from jointbench.data.arrays import FloatArray
from jointbench.data.metrics import Metric


@dataclass(frozen=True)
class Mean:
    """Of values of the objective, with half of Student's 95 % interval; NaN for that of fewer than two."""

    value: float
    half: float

    @classmethod
    def of(cls, values: FloatArray) -> "Mean":
        if len(values) < 2:
            return cls(float(values.mean()), float("nan"))
        half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        return cls(float(values.mean()), float(half))


@dataclass(frozen=True)
class IncumbentsOf:
    """An `optimizer`: of its `runs` real incumbents what the searches saw of them (`searched`), the mean of `trainings`
    with other seeds of each (`again`), and what the surrogate says of them without noise (`said`); and what it says of
    the incumbents of its own runs (`simulated`)."""

    optimizer: str
    runs: int
    trainings: int
    searched: Mean
    again: Mean
    said: Mean
    simulated: Mean


@dataclass(frozen=True)
class HeldToRetrainings:
    """The optimizers of both comparisons, and of `pairs` of them, the first less the second, run by run: `searched`,
    `again` and `simulated` (name, name, and the three means)."""

    benchmark: str
    objective: Metric
    optimizers: list[IncumbentsOf]
    pairs: list[tuple[str, str, Mean, Mean, Mean]]


def held_to_retrainings(surrogate: Path, real: Path) -> HeldToRetrainings | None:
    """None where they are not a surrogate's comparison and one of real trainings whose incumbents were trained again,
    or are about different problems. Raises LogError for a folder without a comparison."""
    benchmark = benchmark_of_both(Settings.read(surrogate), Settings.read(real))
    if benchmark is None:
        return None
    objective = benchmark.task.objective
    retrained: dict[str, dict[int, Retrained]] = defaultdict(dict)
    for one in read_retrained(real):
        if one.incumbent is not None and len(one.values(objective)):
            retrained[one.name][one.incumbent.run_seed] = one
    own: dict[str, dict[int, float]] = defaultdict(dict)
    for incumbent in final_incumbents(surrogate):
        own[incumbent.optimizer][incumbent.run_seed] = incumbent.metrics[objective.name]
    found, searched, again = list[IncumbentsOf](), dict[str, dict[int, float]](), dict[str, dict[int, float]]()
    for name in (name for name in own if name in retrained):
        each = retrained[name]
        ended = {seed: one.incumbent for seed, one in each.items() if one.incumbent is not None}
        searched[name] = {seed: one.metrics[objective.name] for seed, one in ended.items()}
        again[name] = {seed: float(one.values(objective).mean()) for seed, one in each.items()}
        rows = benchmark.space.rows([one.configuration for one in ended.values()])
        said = benchmark.query_batch(rows, benchmark.ladder.maximum).columns()[objective.name]
        trainings = sum(len(one.evaluations) for one in each.values())
        means = (_mean(searched[name]), _mean(again[name]), Mean.of(np.asarray(said, np.float64)), _mean(own[name]))
        found.append(IncumbentsOf(name, len(each), trainings, *means))
    pairs = [
        (
            first,
            second,
            _less(searched[first], searched[second]),
            _less(again[first], again[second]),
            _less(own[first], own[second]),
        )
        for first, second in combinations(again, 2)
        if again[first].keys() & again[second].keys() and own[first].keys() & own[second].keys()
    ]
    return HeldToRetrainings(benchmark.name, objective, found, pairs) if found else None


def _mean(values: dict[int, float]) -> Mean:
    return Mean.of(np.array(list(values.values())))


def _less(first: dict[int, float], second: dict[int, float]) -> Mean:
    return _mean({seed: first[seed] - second[seed] for seed in first if seed in second})
