"""The neighbourhoods of smac's local search, for many points at once: ConfigSpace's laws, on arrays.

ConfigSpace 1.2.2 (`get_one_exchange_neighbourhood`) gives up to four neighbours in each hyperparameter, in random
order. A float's are normal around it, truncated to the unit interval. An integer's are different ones among the
levels of 16 draws of such a normal distribution, uniformly chosen; where these hold fewer than four, further 16 are
drawn with a larger deviation, up to nine times.
"""

from collections.abc import Sequence

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.optimizers.smac_cube import Axis, IntArray, Levels, snapped

#: Neighbours in one hyperparameter.
NEIGHBOURS = 4
DRAWS, ROUNDS = 16, 9
#: Rounds are drawn in such portions: what the later of them find beyond the four that are wanted is not looked at.
PORTIONS = ((0, 2), (2, 5), (5, ROUNDS))
#: Behind all codes, in which stand a round, a random number and a level.
_NONE = 2**62
_ROUND, _RANDOM = 2**57, 2**20
#: Of a round.
_BITS = 4


class Neighbourhoods:
    """Draws neighbourhoods in the unit cube of these hyperparameters."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._floats = np.array([k for k, axis in enumerate(axes) if not axis.integer], dtype=int)
        # A grid that has no more than the neighbours wanted needs no draws: all of it are neighbours.
        small = {k: axis for k, axis in enumerate(axes) if axis.integer and len(axis.values) <= NEIGHBOURS + 1}
        self._small = np.array(list(small), dtype=int)
        #: The places of all small grids (c, 5), padded behind all places.
        self._all = np.full((len(small), NEIGHBOURS + 1), np.inf)
        for row, axis in zip(self._all, small.values(), strict=True):
            row[: len(axis.values)] = axis.values
        large = {k: axis for k, axis in enumerate(axes) if axis.integer and k not in small}
        self._large = np.array(list(large), dtype=int)
        self._levels = Levels(list(large.values()))
        #: The places of all large grids one after the other, where each begins, and the borders between them.
        self._places = np.concatenate([np.empty(0), *(axis.values for axis in large.values())])
        sizes = [len(axis.values) for axis in large.values()]
        self._begin = np.cumsum([0, *sizes])[:-1]
        self._apart = 2.0 * np.arange(len(large))
        middles = [np.append((axis.values[1:] + axis.values[:-1]) / 2, 1.5) for axis in large.values()]
        middles = [apart + each for apart, each in zip(self._apart, middles, strict=True)]
        self._middles = np.concatenate([np.empty(0), *middles])

    def draw(
        self, points: FloatArray, deviations: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Of points (n, d), with the deviations (n,) of their normal distributions: places and turns (n, d, 4).

        A neighbour differs in one hyperparameter, which is at such a place in it. Where an integer has fewer than
        four other values, the rest of its places is the point's own. Neighbours are looked at in the order of turns.
        """
        places = np.empty((*points.shape, NEIGHBOURS))
        places[:, self._floats] = _floats(points[:, self._floats], deviations, rng)
        places[:, self._small] = self._others(points[:, self._small], rng)
        places[:, self._large] = self._integers(points[:, self._large], deviations, rng)
        # ConfigSpace picks a hyperparameter that still has neighbours, uniformly: the order in which independent
        # Poisson processes of one rate ring.
        return places, np.cumsum(rng.standard_exponential(places.shape), axis=2)

    def _others(self, centres: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Neighbours (n, c, 4) of the small grids' integers (n, c): all others in random order, then the value."""
        turns = rng.random((*centres.shape, NEIGHBOURS + 1))
        all_of = np.broadcast_to(self._all, turns.shape)
        turns[(all_of == centres[:, :, None]) | np.isinf(all_of)] = 2.0
        order = np.argsort(turns, axis=2)[:, :, :NEIGHBOURS]
        places = np.take_along_axis(all_of, order, axis=2)
        missing = np.take_along_axis(turns, order, axis=2) == 2.0
        return np.where(missing, centres[:, :, None], places)

    def _integers(self, centres: FloatArray, deviations: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Neighbours (n, c, 4) of the large grids' integers (n, c)."""
        integers = np.arange(centres.shape[1])
        place = np.searchsorted(self._middles, (centres + self._apart).ravel())
        which = np.tile(integers, len(centres))
        here = place - self._begin[which]
        scale = np.repeat(deviations, centres.shape[1])
        # What is found beyond the four that are wanted is written to the right of them and forgotten.
        found = np.full((len(here), 2 * NEIGHBOURS), -1)
        have = np.zeros(len(here), dtype=int)
        lacking = np.arange(len(here))
        for first, last in PORTIONS:
            rows = lacking
            rounds = np.arange(first, last)
            wider = scale[rows, None] + (1 - scale[rows, None]) * rounds / (ROUNDS - 1)
            drawn = self._places[place[rows]][:, None, None] + wider[:, :, None] * rng.standard_normal(
                (*wider.shape, DRAWS)
            )
            fresh, count = self._different(drawn, rounds, which[rows], here[rows], found[rows], rng)
            found[rows[:, None], have[rows][:, None] + np.arange(NEIGHBOURS)] = fresh
            have[rows] += count
            lacking = rows[have[rows] < NEIGHBOURS]
            if not len(lacking):
                break
        # ConfigSpace shuffles the four that it has found.
        chosen = rng.permuted(found[:, :NEIGHBOURS], axis=1)
        places: FloatArray = self._places[np.where(chosen < 0, here[:, None], chosen) + self._begin[which][:, None]]
        return places.reshape(*centres.shape, NEIGHBOURS)

    def _different(
        self,
        drawn: FloatArray,
        rounds: IntArray,
        which: IntArray,
        here: IntArray,
        found: IntArray,
        rng: np.random.Generator,
    ) -> tuple[IntArray, IntArray]:
        """Of draws (n, rounds, 16) up to four levels (n, 4) that were not found before, -1 beyond; and how many.

        In the order of the rounds in which they first occur, those of one round in random order.
        """
        # Draws outside do not count, as the present level does not.
        outside = (drawn < 0) | (drawn > 1)
        drawn[outside] = 0.0
        levels = self._levels.of(drawn, which[:, None, None])
        outside |= levels == here[:, None, None]
        if rounds[0]:
            for known in found[:, :NEIGHBOURS].T:
                outside |= levels == known[:, None, None]
        levels <<= _BITS
        levels += rounds[:, None]
        levels[outside] = _NONE
        seen = levels.reshape(len(drawn), -1)
        seen.sort(axis=1)
        levels = seen >> _BITS
        again = levels[:, 1:] == levels[:, :-1]
        # Any of the different ones is as probable as any other, however often it was drawn.
        codes = rng.integers(0, _ROUND // _RANDOM, size=seen.shape)
        codes *= _RANDOM
        codes += levels
        seen &= 2**_BITS - 1
        seen *= _ROUND
        codes += seen
        codes[levels == _NONE >> _BITS] = _NONE
        codes[:, 1:][again] = _NONE
        codes.partition(NEIGHBOURS - 1, axis=1)
        least = np.sort(codes[:, :NEIGHBOURS], axis=1)
        there = least < _NONE
        return np.where(there, least % _RANDOM, -1), there.sum(axis=1)


def _floats(centres: FloatArray, deviations: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Neighbours (n, c, 4) of floats (n, c): normal, truncated to [0, 1]."""
    centre = np.broadcast_to(centres[:, :, None], (*centres.shape, NEIGHBOURS)).ravel()
    scale = np.repeat(deviations, centres.shape[1] * NEIGHBOURS)
    drawn = centre + scale * rng.standard_normal(len(centre))
    while len(outside := np.flatnonzero((drawn < 0) | (drawn > 1))):
        drawn[outside] = centre[outside] + scale[outside] * rng.standard_normal(len(outside))
    return snapped(drawn).reshape(*centres.shape, NEIGHBOURS)
