"""How far from a benchmark's trainings the incumbents of a comparison lie: what its surrogate does not know of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.its_benchmark import its_benchmark
from jointbench.data.metrics import Metric

#: Configurations of the space beside which the incumbents' uncertainty is read.
_RANDOM = 1_000


@dataclass(frozen=True)
class Extrapolation:
    """Of an optimizer's final incumbents: the median of their `objective`, the benchmark's own (`value`), and one
    standard deviation of what the surrogate does not know of it, the `median` and the `most` over the runs; `random`,
    the median for random configurations. All are in the objective's unit.
    """

    objective: Metric
    optimizer: str
    value: float
    median: float
    most: float
    random: float

    @property
    def cells(self) -> tuple[str, ...]:
        """The optimizer, and the numbers in their order."""
        return (self.optimizer, *map(self.objective.shown, (self.value, self.median, self.most, self.random)))


def modelled(settings: Settings) -> list[Metric]:
    """Of what a comparison is about what follows from no arithmetic."""
    return [metric for metric in settings.objectives if not metric.exact]


def extrapolation(folder: Path) -> list[Extrapolation]:
    """One for each optimizer of the comparison in a folder, in the order of names; empty where no surrogate answered,
    where it does not say (a benchmark of format 3), where nothing that is compared is modelled, or where it is not
    there any more. Raises LogError where there are no runs.
    """
    settings = Settings.read(folder)
    benchmark = its_benchmark(settings)
    if benchmark is None or not benchmark.manifest.distilled or not modelled(settings):
        return []
    space, largest, objective = benchmark.space, benchmark.ladder.maximum, benchmark.task.objective
    sampled = benchmark.query_batch(space.rows(space.sample(np.random.default_rng(0), _RANDOM)), largest)
    incumbents = final_incumbents(folder)
    rows = space.rows([incumbent.configuration for incumbent in incumbents])
    doubts = benchmark.query_batch(rows, largest).uncertainty
    assert doubts is not None
    assert sampled.uncertainty is not None
    found = []
    for name in dict.fromkeys(incumbent.optimizer for incumbent in incumbents):
        own = [k for k, incumbent in enumerate(incumbents) if incumbent.optimizer == name]
        values = [incumbents[k].metrics[objective.name] for k in own]
        numbers = (np.median(values), np.median(doubts[own]), doubts[own].max(), np.median(sampled.uncertainty))
        found.append(Extrapolation(objective, name, *map(float, numbers)))
    return found
