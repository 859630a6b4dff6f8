"""A published benchmark of JointBench as OptunaHub's problem. All that it knows is in the benchmark's own wheel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import optuna
import optunahub


class Problem(optunahub.benchmarks.BaseProblem):
    """A training of a network and its hyperparameters at the largest time budget, told by a surrogate.

    `name` is the benchmark's, whose wheel must be installed; `metric_names` are what is minimised, and `limits` the
    most that others may be; `seed` draws the noise, and None leaves it out.
    """

    def __init__(
        self,
        name: str = "digits-cpu",
        seed: int | None = 0,
        metric_names: Sequence[str] | None = None,
        limits: Mapping[str, float] | None = None,
    ) -> None:
        self._wheel = import_module(f"jointbench_{name.replace('-', '_')}")
        self._about = (metric_names, limits)
        self.reseed(seed)

    def reseed(self, seed: int | None = None) -> None:
        metric_names, limits = self._about
        self._problem = self._wheel.adapters.optunahub_problem(self._wheel.load(), metric_names, seed, limits)

    @property
    def search_space(self) -> dict[str, optuna.distributions.BaseDistribution]:
        return self._problem.search_space

    @property
    def directions(self) -> list[optuna.study.StudyDirection]:
        return self._problem.directions

    @property
    def metric_names(self) -> list[str]:
        return self._problem.metric_names

    def __call__(self, trial: optuna.Trial) -> float | Sequence[float]:
        return self._problem(trial)

    def evaluate(self, params: dict[str, Any]) -> float | Sequence[float]:
        return self._problem.evaluate(params)

    def evaluate_constraints(self, params: dict[str, Any]) -> dict[str, float]:
        return self._problem.evaluate_constraints(params)
