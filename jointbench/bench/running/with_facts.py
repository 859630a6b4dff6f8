"""Exact metrics beside those that an objective measures: what a configuration's network needs, by arithmetic."""

from collections.abc import Collection, Mapping
from typing import Protocol

from jointbench.bench.running.objective import Objective
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task


class Expecting(Objective, Protocol):
    """An objective that also knows what it expects without noise, as simulated ones do."""

    @property
    def task(self) -> Task: ...

    def expected(self, configuration: Configuration, budget: float) -> Evaluation: ...


class WithFacts:
    """The objective `inner`, its evaluations with these exact metrics besides (names of `Facts.exact`).

    A replayed log answers with the configuration that was trained, and that one's facts.
    """

    def __init__(self, inner: Expecting, names: Collection[str], images: ImageFacts) -> None:
        self.inner, self._names, self._images = inner, tuple(names), images

    @property
    def space(self) -> Space:
        return self.inner.space

    @property
    def ladder(self) -> Ladder:
        return self.inner.ladder

    @property
    def task(self) -> Task:
        return self.inner.task

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        return self._measured(self.inner(configuration, budget, seed, architecture_seed))

    def expected(self, configuration: Configuration, budget: float) -> Evaluation:
        return self._measured(self.inner.expected(configuration, budget))

    def _measured(self, evaluation: Evaluation) -> Evaluation:
        shape, classes = self._images.shape, self._images.classes
        seed = evaluation.architecture_seed
        exact = self.space.facts(evaluation.configuration, shape, classes, seed).exact
        return evaluation.measuring(**{name: exact[name] for name in self._names})


def exact_metrics(task: Task) -> Mapping[str, int]:
    """Those that arithmetic knows of the task's configurations, with the values of a usual one; empty where the space
    knows no facts."""
    facts = task.space.facts_on(task.images, task.space.active(task.space.usual))
    return {} if facts is None else facts.exact
