"""SMAC's search for the largest acquisition value, written on arrays.

The same search as smac 2.4.1's LocalAndSortedRandomSearch with its defaults, for spaces of numbers without
conditions: 10,000 random challengers; local searches from the ten best of them and from the ten known
configurations with the least predicted cost; a step goes to the first better one of up to four neighbours in each
hyperparameter, in random order. smac makes a Configuration object of every challenger and neighbour (and
ConfigSpace draws the challengers five at a time), which takes most of its time. The laws are the same, the random
numbers are not.
"""

import numpy as np
import numpy.typing as npt
from ConfigSpace import Configuration, ConfigurationSpace
from scipy.special import ndtr
from smac.acquisition.function import EI
from smac.acquisition.maximizer.abstract_acquisition_maximizer import AbstractAcquisitionMaximizer

from jointbench.data.space import FloatArray
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
PATIENCE = 3


class ArraySearch(AbstractAcquisitionMaximizer):
    """Points are rows (n, d) of ConfigSpace's unit encoding; Configurations are made of the results alone."""

    def __init__(self, configspace: ConfigurationSpace, *, seed: int) -> None:
        super().__init__(configspace, challengers=CHALLENGERS, seed=seed)
        self._hyperparameters = list(configspace.values())
        self._neighbourhoods = Neighbourhoods(self._hyperparameters)

    def _maximize(self, previous_configs: list[Configuration], n_points: int) -> list[tuple[float, Configuration]]:
        challengers = self._sample(n_points)
        known = np.array([configuration.get_array() for configuration in previous_configs])
        assert self._acquisition_function is not None
        assert self._acquisition_function.model is not None
        costs = self._acquisition_function.model.predict_marginalized(known)[0][:, 0]
        starts = [
            self._sample(max(0, STARTS - len(known))),
            known[self._least(costs)],
            challengers[self._least(-self._acquisition(challengers))],
        ]
        points = np.unique(np.concatenate(starts), axis=0)
        values = self._climb(points)
        return [
            (values[i], Configuration(self._configspace, vector=points[i].copy(), origin=ORIGIN))
            for i in np.argsort(-values, kind="stable")
        ]

    def _sample(self, count: int) -> FloatArray:
        """Uniform configurations, from the space's own random numbers as in smac."""
        if not count:
            return np.empty((0, len(self._hyperparameters)))
        return np.stack([h.sample_vector(count, seed=self._configspace.random) for h in self._hyperparameters], axis=1)

    def _least(self, values: FloatArray) -> npt.NDArray[np.intp]:
        """Indices of the `STARTS` least, ascending; of equal values random ones, in random order."""
        if len(values) > STARTS:
            candidates = np.flatnonzero(values <= np.partition(values, STARTS - 1)[STARTS - 1])
        else:
            candidates = np.arange(len(values))
        order = np.lexsort((self._rng.random_sample(len(candidates)), values[candidates]))
        return candidates[order][:STARTS]

    def _acquisition(self, points: FloatArray) -> FloatArray:
        """Acquisition values (n,): smac's expected improvement for logarithmic costs, in its very operations."""
        function = self._acquisition_function
        assert isinstance(function, EI)
        assert function._model is not None
        assert function._eta is not None
        mean, variance = (moment[:, 0] for moment in function._model.predict_marginalized(points))
        deviation, least = np.sqrt(variance), function._eta - function._xi
        scaled = (least - mean) / deviation
        # scipy's norm.cdf, which smac calls, is `ndtr` behind checks that take longer than itself.
        values = np.exp(least) * ndtr(scaled) - np.exp(0.5 * variance + mean) * ndtr(scaled - deviation)
        return np.where(np.isnan(values), -np.finfo(float).max, values)

    def _climb(self, points: FloatArray) -> FloatArray:
        """Moves the points (n, d) uphill in place; returns their acquisition values (n,).

        A whole neighbourhood is evaluated at once; its first better neighbour is the one that smac finds by looking
        at them in growing pieces.
        """
        count = len(points)
        values = self._acquisition(points)
        deviations = np.full(count, DEVIATION)
        improvements, plateaus = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
        while len(active := np.flatnonzero(plateaus < PLATEAUS)):
            neighbours, there = self._neighbourhoods.draw(points[active], deviations[active], self._rng)
            found = self._acquisition(neighbours.reshape(-1, points.shape[1])).reshape(len(active), -1)
            found[~there] = -np.inf
            better, equal = found > values[active, None], found == values[active, None]
            improved = better.any(axis=1)
            # Where nothing is better, on to the first neighbour that is as good.
            moved = improved | equal.any(axis=1)
            first = np.where(improved, better.argmax(axis=1), equal.argmax(axis=1))
            movers = active[moved]
            points[movers] = neighbours[moved, first[moved]]
            values[movers] = found[moved, first[moved]]

            improvements[active] = np.where(improved, improvements[active] + 1, 0)
            wider = active[(improvements[active] >= PATIENCE) & (plateaus[active] == 0)]
            deviations[wider] = np.minimum(2 * deviations[wider], MOST_DEVIATION)
            improvements[wider] = 0
            stuck = active[~improved]
            plateaus[stuck] += 1
            narrower = stuck[plateaus[stuck] % PATIENCE == 0]
            deviations[narrower] = np.maximum(deviations[narrower] / 2, LEAST_DEVIATION)
        return values
