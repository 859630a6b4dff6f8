"""Where new configurations come from: uniformly at random, or from a model of what is known.

Either may be confined to some hyperparameters of a space, with the others held fixed.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.space import Space
from jointbench.optimizers.kde import GoodAndBad, KernelDensity, points_needed
from jointbench.optimizers.kde_choices import ChoiceDensity

SamplerName = Literal["model", "random"]

#: Share of the model-based sampler's configurations that are uniform all the same (HpBandSter's default).
RANDOM_FRACTION = 1 / 3


class RandomSampler:
    """Uniform configurations, whatever is known.

    `fixed` holds the values of the hyperparameters that are not searched; of conditional ones also where inactive.
    """

    def __init__(self, space: Space, rng: np.random.Generator, *, fixed: Configuration | None = None) -> None:
        self.space, self.rng, self.fixed = space, rng, dict(fixed or {})
        self.searched = np.array([h.name not in self.fixed and not h.constant for h in space.hyperparameters])
        self._places_searched = np.flatnonzero(self.searched)
        self.dimensions = len(self._places_searched)
        #: Of what is not searched: the values.
        self._held = {
            h.name: self.fixed[h.name] if h.name in self.fixed else h.decode(0.0)
            for h, is_one in zip(space.hyperparameters, self.searched.tolist(), strict=True)
            if not is_one
        }

    def sample(self) -> Configuration:
        """The next configuration, whole and legal."""
        return self._configuration(self.rng.random(self.dimensions))

    def observe(self, configuration: Configuration, budget: float, loss: float) -> None:
        """An outcome; the loss of a failure is infinite."""

    def _configuration(self, point: FloatArray) -> Configuration:
        """From a point (dimensions,) of the unit cube of what is searched."""
        units = iter(point.tolist())
        values = {
            h.name: self._held[h.name] if h.name in self._held else h.decode(next(units))
            for h in self.space.hyperparameters
        }
        return self.space.active(values) if self.space.conditions else values

    def _point(self, configuration: Configuration) -> FloatArray:
        """The other way; NaN where something is inactive."""
        return self.space.encode_one(configuration)[self._places_searched]


class _Results:
    """Points (n, dimensions) of one budget in the order of their losses; the arrays grow by doubling.

    Of equal losses the earlier result is the better one; failures have an infinite loss and NaN is worse still.
    """

    def __init__(self, dimensions: int) -> None:
        # One hyperparameter after the other, as they are summed up and moved.
        self._points, self._losses, self.count = np.empty((64, dimensions), order="F"), np.empty(64), 0
        #: So many of the best are where they were at the last `settle`.
        self.settled = 0

    def append(self, point: FloatArray, loss: float) -> None:
        if self.count == len(self._losses):
            self._points = np.concatenate([self._points, np.empty_like(self._points)])
            self._losses = np.concatenate([self._losses, np.empty_like(self._losses)])
        place = int(self._losses[: self.count].searchsorted(loss, side="right"))
        for ranked, new in ((self._points, point), (self._losses, loss)):
            ranked[place + 1 : self.count + 1] = ranked[place : self.count]
            ranked[place] = new
        self.count += 1
        self.settled = min(self.settled, place)

    def settle(self) -> None:
        self.settled = self.count

    def replace(self, points: FloatArray) -> None:
        """All of them, the best first."""
        self._points, self._losses, self.count = points, np.arange(float(len(points))), len(points)
        self.settled = 0

    @property
    def ranked(self) -> FloatArray:
        """The points, the best first; good until the next one is appended."""
        return self._points[: self.count]


class ModelSampler(RandomSampler):
    """BOHB's sampler: two of three configurations come from the model of the largest budget that has one.

    A budget has a model when it has results for a good and a bad density (36 in 17 dimensions); the smaller
    budgets are ignored from then on. `from_model` counts the configurations that a model proposed.
    """

    def __init__(self, space: Space, rng: np.random.Generator, *, fixed: Configuration | None = None) -> None:
        super().__init__(space, rng, fixed=fixed)
        self.from_model = 0
        #: Of what is searched the places of choices without an order, empty of all else.
        searched = [h for h, is_one in zip(space.hyperparameters, self.searched, strict=True) if is_one]
        self._places = [h.encode(np.arange(h.unordered)) for h in searched]
        self._has_choices = any(h.unordered for h in searched)
        self._results: dict[float, _Results] = {}
        self._model: GoodAndBad | None = None
        #: The budget and the number of results that the model was fitted to.
        self._fitted_to: tuple[float, int] | None = None

    def sample(self) -> Configuration:
        if self._modelled_budget() is None or self.rng.random() < RANDOM_FRACTION:
            return super().sample()
        model = self._current_model()
        assert model is not None
        self.from_model += 1
        return self._configuration(model.propose(self.rng))

    def observe(self, configuration: Configuration, budget: float, loss: float) -> None:
        results = self._results.setdefault(budget, _Results(self.dimensions))
        results.append(self._point(configuration), loss)

    def point(self, configuration: Configuration) -> FloatArray:
        """Where it is modelled (dimensions,); NaN where something is inactive."""
        return self._point(configuration)

    def rank(self, budget: float, points: FloatArray) -> None:
        """All results of a budget (n, dimensions), the best first, instead of what was observed."""
        self._results.setdefault(budget, _Results(self.dimensions)).replace(points)

    def _modelled_budget(self) -> float | None:
        """The largest budget with results for a model."""
        enough = 2 * points_needed(self.dimensions)
        return max((budget for budget, results in self._results.items() if results.count >= enough), default=None)

    def _current_model(self) -> GoodAndBad | None:
        """The model of that budget, fitted to all that is known of it."""
        budget = self._modelled_budget()
        if budget is not None and self._fitted_to != (budget, self._results[budget].count):
            results = self._results[budget]
            points = self._filled(results.ranked)
            fitted_here = self._fitted_to is not None and self._fitted_to[0] == budget
            before = self._model if fitted_here and not self.space.conditions else None
            self._model = GoodAndBad.of_ranked(points, self._density, before=before, settled=results.settled)
            self._fitted_to = (budget, results.count)
            results.settle()
        return self._model

    def _density(self, points: FloatArray) -> KernelDensity:
        return ChoiceDensity(points, self._places) if self._has_choices else KernelDensity(points)

    def _filled(self, points: FloatArray) -> FloatArray:
        """What is inactive gets random values of points where it is active, or any where it never was (HpBandSter)."""
        if not self.space.conditions:
            return points
        points = points.copy()
        for column, places in zip(points.T, self._places, strict=True):
            missing = np.isnan(column)
            known = column[~missing]
            if not len(known):
                known = places if len(places) else self.rng.random(len(column))
            column[missing] = known[self.rng.integers(len(known), size=int(missing.sum()))]
        return points


#: By the names that options use.
SAMPLERS: Mapping[SamplerName, type[RandomSampler]] = {"model": ModelSampler, "random": RandomSampler}
