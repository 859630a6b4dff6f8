"""What a log, an objective, a benchmark and a comparison are all about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import TRAINED, VALIDATION_ERROR, Metric, checked_metrics
from jointbench.data.spaces.registry import recorded_space
from jointbench.data.spaces.space import Space


@dataclass(frozen=True)
class Task:
    """A space, the budgets of a ladder, the metrics that an evaluation has, and where there are images, their facts.

    The first metric is the objective. Raises InputError where there is no metric, or one twice.
    """

    space: Space
    ladder: Ladder
    images: ImageFacts | None = None
    metrics: tuple[Metric, ...] = TRAINED

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", checked_metrics(self.metrics))

    @property
    def objective(self) -> Metric:
        return self.metrics[0]

    @property
    def followed(self) -> Metric:
        """What learning curves show: the validation error, else the objective."""
        return self.by_name.get(VALIDATION_ERROR.name, self.objective)

    @cached_property
    def by_name(self) -> Mapping[str, Metric]:
        return {metric.name: metric for metric in self.metrics}

    def requires(self, metric: Metric) -> bool:
        """Whether every evaluation has it: what our trainings measure, and the objective, unless it says not what a
        failure counts as; then a failure has none."""
        return metric in TRAINED or (metric == self.objective and metric.failure is not None)

    def says_the_same(self, other: "Task") -> bool:
        """Whether both are about the same; one that was recorded may have a space of another class, since what is in no
        registry is read as what its ConfigSpace says."""
        if self == other:
            return True
        return self == replace(other, space=self.space) and self.space.as_dict() == other.space.as_dict()

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the space as its name and as ConfigSpace has it, so that it can be read without JointBench."""
        return {
            "space": self.space.name,
            "configspace": self.space.as_dict(),
            "ladder": self.ladder.as_dict(),
            "images": None if self.images is None else self.images.as_dict(),
            "metrics": [metric.as_dict() for metric in self.metrics],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Task":
        """What was written before metrics had names is about trainings. Raises KeyError, TypeError, ValueError or
        InputError where the content makes no sense."""
        images = content["images"]
        metrics = content.get("metrics")
        return cls(
            recorded_space(content["space"], content.get("configspace")),
            Ladder(**content["ladder"]),
            None if images is None else ImageFacts.from_dict(images),
            TRAINED if metrics is None else tuple(Metric.from_dict(metric) for metric in metrics),
        )
