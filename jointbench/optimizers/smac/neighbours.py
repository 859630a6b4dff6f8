"""The neighbourhoods of smac's local search, for many points at once: ConfigSpace's laws, on arrays.

ConfigSpace 1.2.2 (`get_one_exchange_neighbourhood`) gives up to four neighbours in each hyperparameter, in random
order. A float's are normal around it, truncated to the unit interval. An integer's are different ones among the
levels of 16 draws of such a normal distribution, uniformly chosen; where these hold fewer than four, further 16 are
drawn with a larger deviation, up to nine times.

All random numbers have an address (`data.splitmix`), so that a search has the same ones on arrays and in machine code
(`climbing`), which makes fewer of them.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import normal_cdf, normal_quantile
from jointbench.data.splitmix import substream, uniform
from jointbench.optimizers.smac.cube import Axis, Levels, WordArray, snapped
from jointbench.optimizers.smac.drawn_ahead import DrawnAhead

#: Neighbours in one hyperparameter.
NEIGHBOURS = 4
#: A search's deviations, in the unit cube: smac doubles them up to 0.4 and halves them down to 0.005. It begins with
#: 0.05 and halves at most three times, so that it meets no others.
ALL_DEVIATIONS = (0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4)
DEVIATIONS = len(ALL_DEVIATIONS)
DRAWS, ROUNDS = 16, 9
#: Rounds are drawn in such portions: what the later of them find beyond the four that are wanted is not looked at.
PORTIONS = ((0, 1), (1, 3), (3, ROUNDS))
#: Behind all codes, in which stand a round, a random number and a level.
_NONE = 2**62
PRIORITY_BITS, RANDOM = 37, 2**20
_ROUND = 2**PRIORITY_BITS * RANDOM
#: Of a round.
_BITS = 4

#: Of four neighbours all orders (24, 4).
ORDERS = np.array(list(permutations(range(NEIGHBOURS))))
ORDERINGS = len(ORDERS)

#: How the neighbours in a hyperparameter are made; those in few levels are all of them.
FLOAT, SMALL, LARGE = range(3)
#: A step's random numbers of one hyperparameter: the turns of its neighbours, then those that make them.
NUMBERS = 2 * NEIGHBOURS
#: A set's random numbers behind its draws: its order, and from here on the levels' priorities.
ORDER_NUMBER, PRIORITY_NUMBER = DRAWS * ROUNDS + 1, 1000


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


def _orders(levels: int) -> IntArray:
    """Of each level of a small grid its neighbours in each order (levels, 24, 4), padded with the level itself."""
    padded = [
        [*(other for other in range(levels) if other != level), *[level] * (NEIGHBOURS + 1 - levels)]
        for level in range(levels)
    ]
    return np.array(padded)[:, ORDERS]


def _kind(axis: Axis) -> int:
    # A grid that has no more than the neighbours wanted needs no draws: all of it are neighbours.
    return FLOAT if not axis.integer else SMALL if len(axis.values) <= NEIGHBOURS + 1 else LARGE


class Neighbourhoods:
    """Draws neighbourhoods in the unit cube of these hyperparameters; `seed` is a search's."""

    def __init__(self, axes: Sequence[Axis], seed: int) -> None:
        self.grids = _Grids([axis for axis in axes if axis.integer])
        self.levels = Levels([axis for axis in axes if axis.integer])
        #: Of each hyperparameter how its neighbours are made.
        self.kinds = np.array([_kind(axis) for axis in axes])
        self._floats, self._integers = np.flatnonzero(self.kinds == FLOAT), np.flatnonzero(self.kinds != FLOAT)
        #: Of each which of all integers it is, -1 of a float.
        self.integers = np.where(self.kinds == FLOAT, -1, np.cumsum(self.kinds != FLOAT) - 1)
        self._small, self._large = (np.flatnonzero(self.kinds == kind) for kind in (SMALL, LARGE))
        #: Of the places of small grids their neighbours in each order (places, 24, 4).
        self.small = np.zeros((len(self.grids.places), ORDERINGS, NEIGHBOURS), dtype=np.int64)
        for begin, k in zip(self.grids.begin.tolist(), self._integers.tolist(), strict=True):
            if self.kinds[k] == SMALL:
                levels = len(axes[k].values)
                self.small[begin : begin + levels] = begin + _orders(levels)
        deviations = np.array(ALL_DEVIATIONS)[:, None]
        #: Of the draws of an integer (deviations, rounds).
        self.widths = deviations + (1 - deviations) * np.arange(ROUNDS) / (ROUNDS - 1)
        self.key = int(substream(seed, 0))
        #: Kinds are the places of all grids, with each of the deviations; a kind's sets are used one after the other.
        self.ahead = DrawnAhead(len(self.grids.places) * DEVIATIONS, NEIGHBOURS, self.sets)

    def where(self, points: FloatArray) -> IntArray:
        """Of integers in points (n, d) which of all places they are (n, d); 0 of floats."""
        where = np.zeros(points.shape, dtype=np.int64)
        where[:, self._integers] = self.grids.of(points[:, self._integers])
        return where

    def draw(self, points: FloatArray, deviations: IntArray, states: WordArray) -> tuple[FloatArray, FloatArray]:
        """Of points (n, d), with deviations (n,) by their numbers and a state each (n,): places and turns (n, d, 4).

        A neighbour differs in one hyperparameter, which is at such a place in it. Where an integer has fewer than
        four other values, the rest of its places is the point's own. Neighbours are looked at in the order of turns,
        the largest first.
        """
        dimensions = points.shape[1]
        numbers = np.arange(1, NUMBERS * dimensions + 1, dtype=np.uint64).reshape(dimensions, NUMBERS)
        each = states[:, None, None]
        places = np.empty((*points.shape, NEIGHBOURS))
        scale = np.array(ALL_DEVIATIONS)[deviations]
        shares = uniform(each, numbers[self._floats, NEIGHBOURS:])
        places[:, self._floats] = _floats(points[:, self._floats], scale, shares)
        where = self.where(points)
        order = (uniform(states[:, None], numbers[self._small, NEIGHBOURS]) * ORDERINGS).astype(np.int64)
        places[:, self._small] = self.grids.places[self.small[where[:, self._small], order]]
        kinds = where[:, self._large] * DEVIATIONS + deviations[:, None]
        taken = self.ahead.take(kinds.ravel()).reshape(*kinds.shape, NEIGHBOURS)
        places[:, self._large] = self.grids.places[taken]
        # ConfigSpace picks a hyperparameter that still has neighbours, uniformly: the order in which independent
        # Poisson processes of one rate ring. A product of uniform numbers is e to the minus the time of a ring.
        return places, np.cumprod(uniform(each, numbers[:, :NEIGHBOURS]), axis=2)

    def sets(self, kinds: IntArray, numbers: IntArray) -> IntArray:
        """The neighbours (m, 4), as places, of the sets of kinds (m,) in large grids with such numbers (m,)."""
        place, deviation = np.divmod(kinds, DEVIATIONS)
        of_kinds = substream(np.array(self.key, dtype=np.uint64), kinds.astype(np.uint64))
        states = substream(of_kinds, numbers.astype(np.uint64))
        places, which = self.grids.places, self.grids.whose[place]
        begin = self.grids.begin[which]
        here = place - begin
        # What is found beyond the four that are wanted is written to the right of them and forgotten.
        found = np.full((len(here), 2 * NEIGHBOURS), -1)
        have = np.zeros(len(here), dtype=int)
        lacking = np.arange(len(here))
        for first, last in PORTIONS:
            rows = lacking
            wider = self.widths[deviation[rows], first:last]
            draws = np.arange(first * DRAWS + 1, last * DRAWS + 1, dtype=np.uint64)
            drawn = normal_quantile(uniform(states[rows, None], draws)).reshape(*wider.shape, DRAWS)
            drawn = wider[:, :, None] * drawn + places[place[rows]][:, None, None]
            rounds = np.arange(first, last)
            fresh, count = self._different(drawn, rounds, which[rows], here[rows], found[rows], states[rows])
            found[rows[:, None], have[rows][:, None] + np.arange(NEIGHBOURS)] = fresh
            have[rows] += count
            lacking = rows[have[rows] < NEIGHBOURS]
            if not len(lacking):
                break
        # ConfigSpace shuffles the four that it has found.
        order = (uniform(states, ORDER_NUMBER) * ORDERINGS).astype(np.int64)
        chosen = np.take_along_axis(found, ORDERS[order], axis=1)
        neighbours: IntArray = np.where(chosen < 0, here[:, None], chosen) + begin[:, None]
        return neighbours

    def _different(
        self,
        drawn: FloatArray,
        rounds: IntArray,
        which: IntArray,
        here: IntArray,
        found: IntArray,
        states: WordArray,
    ) -> tuple[IntArray, IntArray]:
        """Of draws (n, rounds, 16) up to four levels (n, 4) that were not found before, -1 beyond; and how many.

        In the order of the rounds in which they first occur, those of one round by their priorities, which are random.
        """
        # Draws outside do not count, as the present level does not.
        outside = (drawn < 0) | (drawn > 1)
        drawn[outside] = 0.0
        levels = self.levels.of(drawn, which[:, None, None])
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
        priorities = substream(states[:, None], (levels + PRIORITY_NUMBER).astype(np.uint64)) >> (64 - PRIORITY_BITS)
        codes = priorities.astype(np.int64)
        codes *= RANDOM
        codes += levels
        seen &= 2**_BITS - 1
        seen *= _ROUND
        codes += seen
        codes[levels == _NONE >> _BITS] = _NONE
        codes[:, 1:][again] = _NONE
        codes.partition(NEIGHBOURS - 1, axis=1)
        least = np.sort(codes[:, :NEIGHBOURS], axis=1)
        there = least < _NONE
        return np.where(there, least % RANDOM, -1), there.sum(axis=1)


def _floats(centres: FloatArray, deviations: FloatArray, shares: FloatArray) -> FloatArray:
    """Neighbours (n, c, 4) of floats (n, c): normal, truncated to [0, 1], by shares (n, c, 4) of what lies inside."""
    scale = deviations[:, None]
    low = normal_cdf(-centres / scale)
    inside = normal_cdf((1.0 - centres) / scale) - low
    drawn = centres[:, :, None] + scale[:, :, None] * normal_quantile(low[:, :, None] + shares * inside[:, :, None])
    return snapped(np.clip(drawn, 0.0, 1.0))
