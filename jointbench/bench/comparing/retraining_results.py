"""What real trainings say of a comparison's final incumbents, and of published networks beside them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointbench.bench.comparing.comparison_folder import RETRAININGS, Settings
from jointbench.bench.comparing.incumbents import Incumbent, final_incumbents
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import TEST_ERROR, VALIDATION_ERROR, Metric
from jointbench.data.spaces.registry import SPACES
from jointbench.data.visible import visible


@dataclass(frozen=True)
class Retrained:
    """A configuration's trainings at the largest budget.

    `name`: an optimizer, whose run ended with the configuration, or a published network. `incumbent`: with the errors
    that the comparison judged it by; None for a published network.
    """

    name: str
    evaluations: Sequence[Evaluation]
    incumbent: Incumbent | None = None

    @property
    def parameters(self) -> int:
        return self.evaluations[0].parameters

    def values(self, metric: Metric) -> FloatArray:
        """(n,); a failure has what it counts as, and is left out where that is nothing."""
        counted = [e for e in self.evaluations if e.ok or metric.failure is not None]
        return np.array([metric.counted_of(e) for e in counted], np.float64)

    @property
    def failed(self) -> int:
        return sum(not e.ok for e in self.evaluations)


def judged_by(settings: Settings) -> tuple[Metric, ...]:
    """What trainings are held to: of networks on images both errors, else what the comparison is about."""
    return settings.objectives if settings.images is None else (VALIDATION_ERROR, TEST_ERROR)


def read_retrained(folder: Path) -> list[Retrained]:
    """The incumbents that have been trained, then the published networks, each in the order of names."""
    settings = Settings.read(folder)
    trained: dict[tuple[str, tuple[float, ...]], list[Evaluation]] = defaultdict(list)
    logs = [EvaluationLog.open(path) for path in visible(folder / RETRAININGS, "*/") if visible(path)]
    for log in logs:
        for evaluation in log.evaluations():
            trained[log.space.name, tuple(log.space.row(evaluation.configuration))].append(evaluation)
    own = settings.task.space
    found = []
    for incumbent in final_incumbents(folder):
        evaluations = trained.get((own.name, tuple(own.row(incumbent.configuration))))
        if evaluations:
            found.append(Retrained(incumbent.optimizer, evaluations, incumbent))
    for space in SPACES.values():
        for name, configuration in space.named.items():
            evaluations = trained.get((space.name, tuple(space.row(configuration))))
            if evaluations:
                found.append(Retrained(name, evaluations))
    return found
