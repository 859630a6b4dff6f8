"""The neighbourhoods of smac's local search, for many points at once: ConfigSpace's laws, on arrays.

ConfigSpace 1.2.2 (`get_one_exchange_neighbourhood`) gives up to four neighbours in each hyperparameter, in random
order. A float's are normal around it, truncated to the unit interval. An integer's are different ones among the
levels of 16 draws of such a normal distribution, uniformly chosen; where these hold fewer than four, further 16 are
drawn with a larger deviation, up to nine times.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.optimizers.smac.cube import Axis, IntArray, Levels, snapped
from jointbench.optimizers.smac.drawn_ahead import DrawnAhead

#: Neighbours in one hyperparameter.
NEIGHBOURS = 4
DRAWS, ROUNDS = 16, 9
#: Draws of a float's neighbour that are made at once.
TRIES = 4
#: Rounds are drawn in such portions: what the later of them find beyond the four that are wanted is not looked at.
PORTIONS = ((0, 1), (1, 3), (3, ROUNDS))
#: Behind all codes, in which stand a round, a random number and a level.
_NONE = 2**62
_ROUND, _RANDOM = 2**57, 2**20
#: Of a round.
_BITS = 4


#: Of four neighbours all orders (24, 4).
ORDERS = np.array(list(permutations(range(NEIGHBOURS))))


class _Grids:
    """The places of several integers one after the other, whose each is, and where each integer begins."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        grids = [axis.values for axis in axes]
        sizes = [len(grid) for grid in grids]
        self.places = np.concatenate([np.empty(0), *grids])
        self.begin, self.whose = np.cumsum([0, *sizes])[:-1], np.repeat(np.arange(len(grids)), sizes)
        self._apart = 2.0 * np.arange(len(grids))
        middles = (k + np.append((grid[1:] + grid[:-1]) / 2, 1.5) for k, grid in zip(self._apart, grids, strict=True))
        self._middles = np.concatenate([np.empty(0), *middles])

    def of(self, values: FloatArray) -> IntArray:
        """Which of all places the values (n, integers) are."""
        return np.searchsorted(self._middles, values + self._apart)


def _orders(axis: Axis) -> FloatArray:
    """Of each place of a small grid its neighbours in each order (places, 24, 4), padded with the place itself."""
    padded = [
        [*(other for other in axis.values if other != place), *[place] * (NEIGHBOURS + 1 - len(axis.values))]
        for place in axis.values
    ]
    return np.array(padded)[:, ORDERS]


class Neighbourhoods:
    """Draws neighbourhoods in the unit cube of these hyperparameters."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._floats = np.array([k for k, axis in enumerate(axes) if not axis.integer], dtype=int)
        # A grid that has no more than the neighbours wanted needs no draws: all of it are neighbours.
        small = {k: axis for k, axis in enumerate(axes) if axis.integer and len(axis.values) <= NEIGHBOURS + 1}
        large = {k: axis for k, axis in enumerate(axes) if axis.integer and k not in small}
        self._small, self._small_grids = np.array(list(small), dtype=int), _Grids(list(small.values()))
        #: Of each place of the small grids its neighbours in each order (p, 24, 4).
        self._orders = np.concatenate([np.empty((0, len(ORDERS), NEIGHBOURS)), *map(_orders, small.values())])
        self._large, self._grids = np.array(list(large), dtype=int), _Grids(list(large.values()))
        self._levels = Levels(list(large.values()))
        #: Kinds are the places of all large grids for the first deviation, then for the second, ….
        self._ahead = DrawnAhead(NEIGHBOURS, self._drawn)
        self._deviations: dict[float, int] = {}

    def draw(
        self, points: FloatArray, deviations: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Of points (n, d), with the deviations (n,) of their normal distributions: places and turns (n, d, 4).

        A neighbour differs in one hyperparameter, which is at such a place in it. Where an integer has fewer than
        four other values, the rest of its places is the point's own. Neighbours are looked at in the order of turns.
        """
        places = np.empty((*points.shape, NEIGHBOURS))
        places[:, self._floats] = _floats(points[:, self._floats], deviations, rng)
        place = self._small_grids.of(points[:, self._small])
        places[:, self._small] = self._orders[place, rng.integers(len(ORDERS), size=place.shape)]
        kinds = self._grids.of(points[:, self._large]) + len(self._grids.places) * self._numbers(deviations)[:, None]
        places[:, self._large] = self._ahead.take(kinds.ravel(), rng).reshape(*kinds.shape, NEIGHBOURS)
        # ConfigSpace picks a hyperparameter that still has neighbours, uniformly: the order in which independent
        # Poisson processes of one rate ring.
        return places, np.cumsum(rng.standard_exponential(places.shape), axis=2)

    def _numbers(self, deviations: FloatArray) -> IntArray:
        """The numbers of deviations, of which a search has a few; new ones get the next."""
        numbers = self._deviations
        for deviation in deviations.tolist():
            if deviation not in numbers:
                numbers[deviation] = len(numbers)
                self._ahead.add(len(self._grids.places))
        return np.array([numbers[deviation] for deviation in deviations.tolist()])

    def _drawn(self, kinds: IntArray, rng: np.random.Generator) -> FloatArray:
        """Neighbours (m, 4) of places, by their kinds (m,)."""
        number, place = np.divmod(kinds, len(self._grids.places))
        return self._among_many(place, np.array(list(self._deviations))[number], rng)

    def _among_many(self, place: IntArray, scale: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Neighbours (m, 4) in large grids."""
        places, which = self._grids.places, self._grids.whose[place]
        begin = self._grids.begin[which]
        here = place - begin
        # What is found beyond the four that are wanted is written to the right of them and forgotten.
        found = np.full((len(here), 2 * NEIGHBOURS), -1)
        have = np.zeros(len(here), dtype=int)
        lacking = np.arange(len(here))
        for first, last in PORTIONS:
            rows = lacking
            rounds = np.arange(first, last)
            wider = scale[rows, None] + (1 - scale[rows, None]) * rounds / (ROUNDS - 1)
            drawn = wider[:, :, None] * rng.standard_normal((*wider.shape, DRAWS))
            drawn += places[place[rows]][:, None, None]
            fresh, count = self._different(drawn, rounds, which[rows], here[rows], found[rows], rng)
            found[rows[:, None], have[rows][:, None] + np.arange(NEIGHBOURS)] = fresh
            have[rows] += count
            lacking = rows[have[rows] < NEIGHBOURS]
            if not len(lacking):
                break
        # ConfigSpace shuffles the four that it has found.
        chosen = np.take_along_axis(found, ORDERS[rng.integers(len(ORDERS), size=len(found))], axis=1)
        neighbours: FloatArray = places[np.where(chosen < 0, here[:, None], chosen) + begin[:, None]]
        return neighbours

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
    # The first that lies inside; of so many there is none next to never.
    drawn = centre + scale * rng.standard_normal((TRIES, len(centre)))
    inside = (drawn >= 0) & (drawn <= 1)
    first = inside.argmax(axis=0)
    each = np.arange(len(centre))
    places = drawn[first, each]
    left = np.flatnonzero(~inside[first, each])
    while len(left):
        places[left] = centre[left] + scale[left] * rng.standard_normal(len(left))
        left = left[(places[left] < 0) | (places[left] > 1)]
    return snapped(places).reshape(*centres.shape, NEIGHBOURS)
