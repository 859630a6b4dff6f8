"""A surrogate against what the incumbents of real searches are worth, without the luck by which they were chosen."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.its_benchmark import its_benchmark
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
    """The optimizers of both comparisons, and of pairs of them, the first less the second, run by run, `again` of the
    real incumbents and `simulated` (name, name, mean, mean)."""

    benchmark: str
    objective: Metric
    optimizers: list[IncumbentsOf]
    pairs: list[tuple[str, str, Mean, Mean]]


def held_to_retrainings(surrogate: Path, real: Path) -> HeldToRetrainings | None:
    """None where they are not a surrogate's comparison and one of real trainings whose incumbents were trained again,
    or are about different problems. Raises LogError for a folder without a comparison."""
    settings = Settings.read(real)
    benchmark = its_benchmark(Settings.read(surrogate))
    if benchmark is None or settings.objective != "training":
        return None
    if (benchmark.space.name, benchmark.ladder, benchmark.task.images) != (
        settings.space,
        settings.ladder,
        settings.images,
    ):
        return None
    objective = benchmark.task.objective
    retrained: dict[str, dict[int, Retrained]] = defaultdict(dict)
    for one in read_retrained(real):
        if one.incumbent is not None and len(one.values(objective)):
            retrained[one.name][one.incumbent.run_seed] = one
    own: dict[str, dict[int, float]] = defaultdict(dict)
    for incumbent in final_incumbents(surrogate):
        own[incumbent.optimizer][incumbent.run_seed] = incumbent.metrics[objective.name]
    again = {
        name: {seed: float(one.values(objective).mean()) for seed, one in r.items()} for name, r in retrained.items()
    }
    found = []
    for name in (name for name in own if name in retrained):
        each = list(retrained[name].values())
        rows = benchmark.space.rows([one.incumbent.configuration for one in each if one.incumbent])
        said = benchmark.query_batch(rows, benchmark.ladder.maximum).columns()[objective.name]
        searched = [one.incumbent.metrics[objective.name] for one in each if one.incumbent]
        found.append(
            IncumbentsOf(
                name,
                len(each),
                sum(len(one.evaluations) for one in each),
                Mean.of(np.array(searched)),
                Mean.of(np.array(list(again[name].values()))),
                Mean.of(np.asarray(said, np.float64)),
                Mean.of(np.array(list(own[name].values()))),
            )
        )
    names = [one.optimizer for one in found]
    pairs = [
        (first, second, _less(again[first], again[second]), _less(own[first], own[second]))
        for place, first in enumerate(names)
        for second in names[place + 1 :]
        if set(again[first]) & set(again[second])
    ]
    return HeldToRetrainings(benchmark.name, objective, found, pairs) if found else None


def _less(first: dict[int, float], second: dict[int, float]) -> Mean:
    return Mean.of(np.array([first[seed] - second[seed] for seed in first if seed in second]))
