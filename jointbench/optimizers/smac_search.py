"""SMAC's search for the largest acquisition value, written on arrays.

The same search as smac 2.4.1's LocalAndSortedRandomSearch with its defaults, for spaces of numbers without
conditions: 10,000 random challengers; local searches from the ten best of them and from the ten known
configurations with the least predicted cost; a step goes to the first better one of up to four neighbours in each
hyperparameter, in random order. smac makes a Configuration object of every challenger and neighbour (and
ConfigSpace draws the challengers five at a time), which takes most of its time. The laws are the same, the random
numbers are not.

A forest is constant in boxes, and most neighbours lie in the box of the point that they are neighbours of: they are
as good as the point, and only the others are predicted.
"""

import numpy as np
import numpy.typing as npt
from ConfigSpace import Configuration
from smac.acquisition.function import EI
from smac.acquisition.maximizer.abstract_acquisition_maximizer import AbstractAcquisitionMaximizer

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import exp, normal_cdf
from jointbench.optimizers.smac_cube import CubeSpace
from jointbench.optimizers.smac_forest import ExactForest, Leaves
from jointbench.optimizers.smac_neighbours import Neighbourhoods

#: What smac writes beside a configuration that its local search found.
ORIGIN = "Acquisition Function Maximizer: Local Search"
CHALLENGERS = 10_000
STARTS = 10
#: Of the neighbourhood's normal distribution, in the unit cube: at first, at least, at most.
DEVIATION, LEAST_DEVIATION, MOST_DEVIATION = 0.05, 0.005, 0.4
#: A local search ends after this many neighbourhoods without a better neighbour.
PLATEAUS = 10
#: So many improvements in a row double the deviation, so many plateaus halve it.
TIMEOUT_BUDGETS = 3


class ArraySearch(AbstractAcquisitionMaximizer):
    """Points are rows (n, d) of the space's cube; Configurations are made of the results alone."""

    def __init__(self, configspace: CubeSpace, *, seed: int) -> None:
        super().__init__(configspace, challengers=CHALLENGERS, seed=seed)
        self._space = configspace
        self._random = np.random.default_rng(seed)
        self._neighbourhoods = Neighbourhoods(configspace.cube.axes)

    @property
    def _forest(self) -> ExactForest:
        assert self._acquisition_function is not None
        assert isinstance(self._acquisition_function.model, ExactForest)
        return self._acquisition_function.model

    def _maximize(self, previous_configs: list[Configuration], n_points: int) -> list[tuple[float, Configuration]]:
        sample = self._space.cube.sample
        challengers = sample(self._random, n_points)
        known = np.array([configuration.get_array() for configuration in previous_configs])
        costs, _ = self._forest.moments(self._forest.leaves(known))
        starts = [
            sample(self._random, max(0, STARTS - len(known))),
            known[self._least(costs)],
            challengers[self._least(-self._improvement(self._forest.leaves(challengers)))],
        ]
        points = np.unique(np.concatenate(starts), axis=0)
        values = self._climb(points)
        return [
            (values[i], self._space.cube.configuration(self._space, points[i], ORIGIN))
            for i in np.argsort(-values, kind="stable")
        ]

    def _least(self, values: FloatArray) -> npt.NDArray[np.intp]:
        """Indices of the `STARTS` least, ascending; of equal values random ones, in random order."""
        if len(values) > STARTS:
            candidates = np.flatnonzero(values <= np.partition(values, STARTS - 1)[STARTS - 1])
        else:
            candidates = np.arange(len(values))
        order = np.lexsort((self._random.random(len(candidates)), values[candidates]))
        return candidates[order][:STARTS]

    def _improvement(self, leaves: Leaves) -> FloatArray:
        """Acquisition values (n,) of points by their leaves: smac's expected improvement for logarithmic costs."""
        function = self._acquisition_function
        assert isinstance(function, EI)
        assert function._eta is not None
        mean, variance = self._forest.moments(leaves)
        deviation, least = np.sqrt(variance), float(function._eta - function._xi)
        scaled = (least - mean) / deviation
        below, above = np.split(normal_cdf(np.concatenate([scaled, scaled - deviation])), 2)
        improvement: FloatArray = exp(least) * below - exp(0.5 * variance + mean) * above
        return improvement

    def _climb(self, points: FloatArray) -> FloatArray:
        """Moves the points (n, d) uphill in place; returns their acquisition values (n,).

        A whole neighbourhood is evaluated at once; its first better neighbour is the one that smac finds by looking
        at them in growing pieces.
        """
        count = len(points)
        leaves = self._forest.leaves(points)
        values = self._improvement(leaves)
        above, upto = self._forest.box(leaves)
        deviations = np.full(count, DEVIATION)
        improvements, plateaus = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
        while len(active := np.flatnonzero(plateaus < PLATEAUS)):
            places, turns = self._neighbourhoods.draw(points[active], deviations[active], self._random)
            turns[places == points[active][:, :, None]] = np.inf
            single = places.astype(np.float32)
            outside = (single <= above[active][:, :, None]) | (single > upto[active][:, :, None])
            rows, columns, _ = np.nonzero(outside)
            tried = points[active[rows]]
            tried[np.arange(len(rows)), columns] = places[outside]
            leaves = self._forest.leaves(tried)
            found, present = self._improvement(leaves), values[active[rows]]

            better, equal = np.full(turns.shape, np.inf), turns.copy()
            better[outside] = np.where(found > present, turns[outside], np.inf)
            equal[outside] = np.where(found == present, turns[outside], np.inf)
            improved = np.isfinite(better.min(axis=(1, 2)))
            # Where nothing is better, on to the first neighbour that is as good.
            turn = np.where(improved[:, None, None], better, equal).reshape(len(active), -1)
            first = turn.argmin(axis=1)
            moved = np.flatnonzero(np.isfinite(turn.min(axis=1)))
            column, place = np.divmod(first[moved], turns.shape[2])
            points[active[moved], column] = places[moved, column, place]
            left = outside[moved, column, place]
            number = np.cumsum(outside).reshape(outside.shape)[moved, column, place][left] - 1
            gone = active[moved][left]
            values[gone] = found[number]
            above[gone], upto[gone] = self._forest.box(leaves[:, number])

            improvements[active] = np.where(improved, improvements[active] + 1, 0)
            wider = active[(improvements[active] >= TIMEOUT_BUDGETS) & (plateaus[active] == 0)]
            deviations[wider] = np.minimum(2 * deviations[wider], MOST_DEVIATION)
            improvements[wider] = 0
            stuck = active[~improved]
            plateaus[stuck] += 1
            narrower = stuck[plateaus[stuck] % TIMEOUT_BUDGETS == 0]
            deviations[narrower] = np.maximum(deviations[narrower] / 2, LEAST_DEVIATION)
        return values
