"""The neighbourhoods of smac's local search, for many points at once: ConfigSpace's laws, on arrays.

ConfigSpace 1.2.2 (`get_one_exchange_neighbourhood`) gives up to four neighbours in each hyperparameter, in random
order. A float's are normal around it, truncated to the unit interval. An integer's are different ones among the
rounded draws of such a normal distribution, uniformly chosen from 16 draws; where these hold fewer than four, further
16 are drawn with a larger deviation, up to nine times.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from ConfigSpace import UniformIntegerHyperparameter
from ConfigSpace.hyperparameters import Hyperparameter
from scipy.special import ndtr, ndtri

from jointbench.data.space import FloatArray

IntArray = npt.NDArray[np.int64]

#: Neighbours in one hyperparameter.
NEIGHBOURS = 4
DRAWS, ROUNDS = 16, 9
#: Behind all random numbers.
_NONE = 2**62
#: Two grids are so far apart on the line on which all integers lie.
_APART = 2.0


class Neighbourhoods:
    """Draws neighbourhoods in the unit cube of these hyperparameters."""

    def __init__(self, hyperparameters: Sequence[Hyperparameter[Any, Any]]) -> None:
        integers = [isinstance(h, UniformIntegerHyperparameter) for h in hyperparameters]
        self._floats = np.flatnonzero(~np.array(integers))
        grids = {k: _Grid(h) for k, h in enumerate(hyperparameters) if isinstance(h, UniformIntegerHyperparameter)}
        # A grid that has no more than the neighbours wanted needs no draws: all of it are neighbours.
        self._small = {k: grid for k, grid in grids.items() if len(grid.values) <= NEIGHBOURS + 1}
        large = {k: grid for k, grid in grids.items() if k not in self._small}
        self._large = np.array(list(large), dtype=int)
        #: All large grids one after the other, and what separates their members on a common line.
        self._grid = np.concatenate([np.empty(0), *(grid.values for grid in large.values())])
        borders = [np.append(grid.borders, 1.5) + _APART * k for k, grid in enumerate(large.values())]
        self._borders = np.concatenate([np.empty(0), *borders])

    def draw(
        self, points: FloatArray, deviations: FloatArray, rng: np.random.RandomState
    ) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Neighbourhoods (n, 4 d, d) of points (n, d), with the deviations (n,) of their normal distributions.

        Each neighbour differs in one hyperparameter. Where an integer has fewer than four other values, the rest of
        its places holds the point itself; the mask (n, 4 d) says which are neighbours.
        """
        count, dimensions = points.shape
        values = np.empty((count, dimensions, NEIGHBOURS))
        values[:, self._floats] = _floats(points[:, self._floats], deviations, rng)
        for column, grid in self._small.items():
            values[:, column] = grid.others(points[:, column], rng)
        values[:, self._large] = self._integers(points[:, self._large], deviations, rng)
        different = (values != points[:, :, None]).reshape(count, -1)
        # ConfigSpace picks a hyperparameter that still has neighbours, uniformly: the order in which independent
        # Poisson processes of one rate ring.
        gaps = rng.exponential(size=(count, dimensions, NEIGHBOURS))
        order = np.argsort(np.cumsum(gaps, axis=2).reshape(count, -1), axis=1)
        rows = np.arange(count)[:, None]
        neighbours = np.repeat(points[:, None, :], NEIGHBOURS * dimensions, axis=1)
        neighbours[rows, np.arange(order.shape[1]), order // NEIGHBOURS] = values.reshape(count, -1)[rows, order]
        return neighbours, different[rows, order]

    def _integers(self, centres: FloatArray, deviations: FloatArray, rng: np.random.RandomState) -> FloatArray:
        """Neighbours (n, c, 4) of the large grids' integers (n, c)."""
        line = np.arange(centres.shape[1]) * _APART
        here = np.searchsorted(self._borders, (centres + line).ravel())
        offset = np.broadcast_to(line, centres.shape).ravel()
        scale = np.repeat(deviations, centres.shape[1])
        # What a round finds beyond the four that are wanted is written to the right of them and forgotten.
        found = np.full((len(here), 2 * NEIGHBOURS), -1)
        have = np.zeros(len(here), dtype=int)
        lacking = np.arange(len(here))
        for attempt in range(ROUNDS):
            fresh, count = self._round(here[lacking], offset[lacking], found[lacking], scale[lacking], attempt, rng)
            found[lacking[:, None], have[lacking][:, None] + np.arange(NEIGHBOURS)] = fresh
            have[lacking] += count
            lacking = lacking[have[lacking] < NEIGHBOURS]
            if not len(lacking):
                break
        chosen = found[:, :NEIGHBOURS]
        values = self._grid[np.where(chosen < 0, here[:, None], chosen)]
        return values.reshape(*centres.shape, NEIGHBOURS)

    def _round(
        self,
        here: IntArray,
        offset: FloatArray,
        found: IntArray,
        scale: FloatArray,
        attempt: int,
        rng: np.random.RandomState,
    ) -> tuple[IntArray, IntArray]:
        """Up to four members (n, 4) of the grids that were not found before, -1 beyond; and how many."""
        wider = scale + (1 - scale) * attempt / (ROUNDS - 1)
        drawn = rng.normal(self._grid[here][:, None], wider[:, None], size=(len(here), DRAWS))
        members = np.searchsorted(self._borders, drawn + offset[:, None])
        # Draws outside do not count, as the present value does not.
        members[(drawn < 0) | (drawn > 1) | (members == here[:, None])] = -1
        if attempt:
            members[(members[:, :, None] == found[:, None, :NEIGHBOURS]).any(axis=2)] = -1
        members.sort(axis=1)
        members[:, 1:][members[:, 1:] == members[:, :-1]] = -1
        # Any of the different ones is as probable as any other, however often it was drawn: the least of random
        # numbers, each with its member in the last digits.
        size = len(self._grid)
        numbers = np.where(members < 0, _NONE, rng.randint(0, _NONE // size, size=members.shape) * size + members)
        numbers.sort(axis=1)
        least = numbers[:, :NEIGHBOURS]
        there = least < _NONE
        return np.where(there, least % size, -1), there.sum(axis=1)


class _Grid:
    """The values that an integer has in the unit interval, and the borders between what is rounded to each."""

    def __init__(self, hyperparameter: UniformIntegerHyperparameter) -> None:
        self.values: FloatArray = hyperparameter.to_vector(np.arange(hyperparameter.lower, hyperparameter.upper + 1))
        low, high = self.values[:-1].copy(), self.values[1:].copy()
        wanted = np.arange(hyperparameter.lower, hyperparameter.upper)
        # Halved until only rounding is left.
        for _ in range(60):
            middle = (low + high) / 2
            below = np.asarray(hyperparameter.to_value(middle)) <= wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        self.borders: FloatArray = low

    def others(self, centres: FloatArray, rng: np.random.RandomState) -> FloatArray:
        """Neighbours (n, 4) of values (n,): all the others in random order, then the value itself."""
        here = np.searchsorted(self.borders, centres)
        priority = rng.random_sample((len(centres), len(self.values)))
        priority[np.arange(len(centres)), here] = 2.0
        neighbours = np.repeat(centres[:, None], NEIGHBOURS, axis=1)
        others = len(self.values) - 1
        neighbours[:, :others] = self.values[np.argsort(priority, axis=1)[:, :others]]
        return neighbours


def _floats(centres: FloatArray, deviations: FloatArray, rng: np.random.RandomState) -> FloatArray:
    """Neighbours (n, c, 4) of floats (n, c): normal, truncated to [0, 1]."""
    centre, scale = centres[:, :, None], deviations[:, None, None]
    low, high = ndtr(-centre / scale), ndtr((1 - centre) / scale)
    uniform = rng.random_sample((*centres.shape, NEIGHBOURS))
    drawn: FloatArray = centre + scale * ndtri(low + uniform * (high - low))
    return np.clip(drawn, 0.0, 1.0)
