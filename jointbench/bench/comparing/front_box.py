"""The box in which fronts are measured: from the best to the reference of each objective."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from jointbench.bench.running.with_facts import Expecting, exact_metrics
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError
from jointbench.data.metrics import Metric
from jointbench.data.pareto import hypervolume
from jointbench.data.spaces.space import Space

#: Best and reference of an objective, in its unit.
Side = tuple[float, float]

#: Uniform configurations whose extremes are the ends of a side: of an exact metric, of one where a network must be
#: drawn for each, which takes a millisecond, and of a metric that is asked for.
EXACT, DRAWN, ASKED = 10_000, 2_000, 1_000


@dataclass(frozen=True)
class Axis:
    """An objective and its side of the box. What cannot be below 0 and is no fraction (bytes, counts, seconds) is
    measured by its logarithm, a factor for a factor."""

    metric: Metric
    best: float
    reference: float

    @property
    def logarithmic(self) -> bool:
        return not self.metric.fraction and self.metric.bounds[0] >= 0 and min(self.best, self.reference) > 0

    def shares(self, values: FloatArray) -> FloatArray:
        """How far values, of any shape, lie from the best (0) to the reference (1); beyond both ends too."""
        best, reference = self.best, self.reference
        if self.logarithmic:
            # Nothing is infinitely better than the best.
            values = np.log(np.maximum(values, 1e-3 * min(best, reference)))
            best, reference = np.log(best), np.log(reference)
        return np.asarray((values - best) / (reference - best))


def counted(space: Space) -> int:
    """Configurations of the space that are looked at for an exact metric."""
    return DRAWN if space.draws else EXACT


def axes(objectives: Sequence[Metric], box: Sequence[Side]) -> tuple[Axis, ...]:
    return tuple(Axis(metric, *side) for metric, side in zip(objectives, box, strict=True))


def dominated(points: FloatArray, sides: Sequence[Axis]) -> float:
    """The share of the box that points (n, objectives), in their units, dominate: the hypervolume, 1 for the box."""
    shares = np.stack([axis.shares(column) for axis, column in zip(sides, points.T, strict=True)], axis=1)
    return hypervolume(np.nan_to_num(shares, nan=np.inf), np.ones(len(sides)))


def box_of(objective: Expecting, objectives: Sequence[Metric]) -> tuple[Side, ...]:
    """The side of each objective: of a fraction from its best bound to what guessing gets, or to its worst bound; of
    others from the best to the worst of uniform configurations of the space, expected at the largest budget. Raises
    InputError for a metric in which they do not differ."""
    exact = exact_metrics(objective.task)
    asked = [metric for metric in objectives if not metric.fraction and metric.name not in exact]
    space, largest = objective.space, objective.ladder.maximum
    told = space.sample(np.random.default_rng(0), ASKED) if asked else []
    expected = [one for one in (objective.expected(at, largest) for at in told) if one.ok]
    found = []
    for metric in objectives:
        if metric.fraction:
            found.append(_of_fraction(objective, metric))
        elif metric.name in exact:
            found.append(_extremes(metric, _exact(objective, metric)))
        else:
            found.append(_extremes(metric, (one.metrics[metric.name] for one in expected)))
    return tuple(found)


def _of_fraction(objective: Expecting, metric: Metric) -> Side:
    images = objective.task.images
    low, high = metric.bounds
    best, worst = (high, low) if metric.maximize else (low, high)
    guessing = metric.guessing(None if images is None else images.classes)
    return best, worst if guessing is None else guessing


def _exact(objective: Expecting, metric: Metric) -> Iterable[float]:
    space = objective.space
    facts = space.facts_on(objective.task.images, space.rows(space.sample(np.random.default_rng(0), counted(space))))
    assert facts is not None
    return [float(value) for value in facts.exact[metric.name]]


def _extremes(metric: Metric, values: Iterable[float]) -> Side:
    known = [float(value) for value in values if np.isfinite(value)]
    if not known or min(known) == max(known):
        found = f"{metric.shown(known[0])} for all" if known else "unknown"
        raise InputError("objectives", metric.name, f"metrics in which configurations differ; it is {found}")
    return (max(known), min(known)) if metric.maximize else (min(known), max(known))
