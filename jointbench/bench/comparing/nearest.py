"""How far from a benchmark's trainings the incumbents of a comparison lie, in the unit cube."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.its_benchmark import its_benchmark
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import JointBenchError
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.space import Space
from jointbench.surrogate.croissant import EVALUATIONS

#: Configurations of the space beside which the incumbents' distances are read.
RANDOM = 1_000
#: Of the distance of random configurations, beyond which an incumbent is no nearer to the trainings than chance.
_FAR = 0.9
#: Of the unit interval of each hyperparameter, within which a training is close.
_CLOSE = 0.1


@dataclass(frozen=True)
class Nearest:
    """Distances to the nearest configuration that was trained with the largest budget and ended ok, Euclidean in the
    unit cube, where each of `dimensions` hyperparameters goes from 0 to 1: of the final incumbents, by optimizer;
    `random`, the median of random configurations.
    """

    by_optimizer: dict[str, list[float]]
    random: float
    dimensions: int

    @property
    def median(self) -> float:
        return float(np.median([distance for own in self.by_optimizer.values() for distance in own]))

    @property
    def far(self) -> bool:
        """Whether little was trained where the optimizers end: no nearer than by chance, and nothing close."""
        return self.median > max(_FAR * self.random, _CLOSE * math.sqrt(self.dimensions))


def nearest(folder: Path) -> Nearest | None:
    """None where no surrogate answered, or its trainings are not there. Raises LogError where there are no runs."""
    benchmark = its_benchmark(Settings.read(folder))
    if benchmark is None:
        return None
    try:
        evaluations = EvaluationLog.open(Path(benchmark.source) / EVALUATIONS).evaluations()
        space, largest = benchmark.space, benchmark.ladder.maximum
        there = [one.configuration for one in evaluations if one.ok and benchmark.ladder.at(one.budget, largest)]
    except JointBenchError:
        return None
    incumbents = final_incumbents(folder)
    if not there or not incumbents:
        return None
    trained = units(space, there)
    own = distances(units(space, [one.configuration for one in incumbents]), trained)
    sampled = distances(units(space, space.sample(np.random.default_rng(0), RANDOM)), trained)
    by_optimizer: dict[str, list[float]] = {}
    for incumbent, distance in zip(incumbents, own.tolist(), strict=True):
        by_optimizer.setdefault(incumbent.optimizer, []).append(distance)
    return Nearest(by_optimizer, float(np.median(sampled)), len(space.names))


def units(space: Space, configurations: Any) -> FloatArray:
    """Configurations, or a table of them, in the unit cube (n, hyperparameters); what is inactive stands in the middle,
    where it tells nothing apart."""
    return space.encode(space.rows(configurations), inactive=0.5)


def distances(points: FloatArray, trained: FloatArray) -> FloatArray:
    """Euclidean, of each point (n, d) to the nearest of those trained (m, d): (n,)."""
    from scipy.spatial import cKDTree

    found: FloatArray = cKDTree(trained).query(points)[0]
    return found
