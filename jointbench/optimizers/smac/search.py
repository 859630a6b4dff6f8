"""SMAC's search for the largest acquisition value, written on arrays.

The same search as smac 2.4.1's LocalAndSortedRandomSearch with its defaults, for spaces of numbers without
conditions: 10,000 random challengers; local searches from the ten best of them and from the ten known
configurations with the least predicted cost; a step goes to the first better one of up to four neighbours in each
hyperparameter, in random order. smac makes a Configuration object of every challenger and neighbour (and
ConfigSpace draws the challengers five at a time), which takes most of its time. The laws are the same, the random
numbers are not.

Where LLVM is installed, challengers and local searches are loops in machine code (`challengers`, `climbing`), with the
same random numbers and the same bits.

A forest is constant in boxes, and most neighbours lie in the box of the point that they are neighbours of: they are
as good as the point, and only the others are predicted.
"""

import numpy as np
import numpy.typing as npt
from ConfigSpace import Configuration
from scipy.special import ndtr
from smac.acquisition.function import EI
from smac.acquisition.maximizer.abstract_acquisition_maximizer import AbstractAcquisitionMaximizer

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import exp, normal_cdf
from jointbench.data.machine_code import MachineCode, compiled
from jointbench.data.splitmix import substream
from jointbench.optimizers.smac import challengers, climbing
from jointbench.optimizers.smac.challengers import ABREAST
from jointbench.optimizers.smac.climbing import FIRST_DEVIATION, PLATEAUS, TIMEOUT_BUDGETS
from jointbench.optimizers.smac.cube import CubeSpace
from jointbench.optimizers.smac.forest import ExactForest, Leaves
from jointbench.optimizers.smac.neighbours import ALL_DEVIATIONS, DEVIATIONS, NEIGHBOURS, ORDERS, Neighbourhoods

BoolArray = npt.NDArray[np.bool_]

#: What smac writes beside a configuration that its local search found.
ORIGIN = "Acquisition Function Maximizer: Local Search"
CHALLENGERS = 10_000
STARTS = 10
#: What a value of the processor's own functions may be wrong by: relative to its terms, which are right to 1e-13, and
#: where these underflow.
ROUNDING, UNDERFLOW = 1e-11, 1e-280


class ArraySearch(AbstractAcquisitionMaximizer):
    """Points are rows (n, d) of the space's cube; Configurations are made of the results alone."""

    def __init__(self, configspace: CubeSpace, *, seed: int) -> None:
        super().__init__(configspace, challengers=CHALLENGERS, seed=seed)
        self._space = configspace
        self._random = np.random.default_rng(seed)
        self._neighbourhoods = Neighbourhoods(configspace.cube.axes, seed)
        #: The state of the random numbers of all local searches, and how many times they were made.
        self._state, self._climbs = int(substream(seed, 1)), 0
        self._machine_code = compiled(challengers.COMPILED)

    @property
    def _forest(self) -> ExactForest:
        assert self._acquisition_function is not None
        assert isinstance(self._acquisition_function.model, ExactForest)
        return self._acquisition_function.model

    def _maximize(self, previous_configs: list[Configuration], n_points: int) -> list[tuple[float, Configuration]]:
        cube = self._space.cube
        uniform = cube.uniform(self._random, n_points)
        known = np.array([configuration.get_array() for configuration in previous_configs])
        costs, _ = self._forest.moments(self._forest.leaves(known))
        starts = [
            *([cube.sample(self._random, STARTS - len(known))] if len(known) < STARTS else []),
            known[self._least(costs)],
            self._best_of(uniform),
        ]
        points = np.unique(np.concatenate(starts), axis=0)
        values = self.climb(points)
        return [
            (values[i], cube.configuration(self._space, points[i], ORIGIN)) for i in np.argsort(-values, kind="stable")
        ]

    def _best_of(self, uniform: FloatArray) -> FloatArray:
        """The `STARTS` best of the challengers that uniform numbers (d, n) make."""
        if self._machine_code is None:
            points = self._space.cube.placed(uniform)
            return points[self._least(-self._improvement(self._forest.leaves(points)))]
        values = self._challenge_compiled(self._machine_code, uniform)
        return uniform.T[self._least(-values)]

    def _challenge_compiled(self, code: MachineCode, uniform: FloatArray) -> FloatArray:
        """Acquisition values (n,) as far as `challengers.challenge` gives them; the numbers become places."""
        (dimensions, count), forest, around = uniform.shape, self._forest, self._neighbourhoods
        trees, values = len(forest.roots), np.empty(count)
        code(
            challengers.challenge,
            *(count, dimensions, uniform, around.integers),
            *(around.levels.cells, around.levels.below, around.levels.border),
            *(around.grids.begin, around.grids.places),
            *(trees, forest.roots, forest.left, forest.right, forest.feature, forest.threshold),
            *(forest.costs, forest.least_variance, self._least_cost),
            *(STARTS, np.empty(STARTS), np.empty((ABREAST, dimensions))),
            *(np.empty((ABREAST, trees), dtype=np.int64), np.empty(2), values),
        )
        return values

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
        return self._exact(*self._forest.moments(leaves))

    def _exact(self, mean: FloatArray, variance: FloatArray) -> FloatArray:
        """Acquisition values (n,) by the moments of predictions."""
        deviation, least = np.sqrt(variance), self._least_cost
        scaled = (least - mean) / deviation
        below, above = np.split(normal_cdf(np.concatenate([scaled, scaled - deviation])), 2)
        improvement: FloatArray = exp(least) * below - exp(0.5 * variance + mean) * above
        return improvement

    def _about(self, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """`_exact` in a fraction of its time, and by how much it may be wrong; its last bits are the processor's."""
        deviation, least = np.sqrt(variance), self._least_cost
        scaled = (least - mean) / deviation
        most = np.exp(least) * ndtr(scaled)
        # Costs that are hundreds of orders of magnitude apart have a second term that is infinite, or no number.
        with np.errstate(over="ignore", invalid="ignore"):
            second = np.exp(0.5 * variance + mean) * ndtr(scaled - deviation)
        return most - second, ROUNDING * most + UNDERFLOW

    @property
    def _least_cost(self) -> float:
        function = self._acquisition_function
        assert isinstance(function, EI)
        assert function._eta is not None
        return float(function._eta - function._xi)

    def climb(self, points: FloatArray) -> FloatArray:
        """Moves the points (n, d), which are snapped, uphill in place; returns their acquisition values (n,)."""
        self._climbs += 1
        state = int(substream(self._state, self._climbs))
        if self._machine_code is None:
            return self._climb_on_arrays(points, state)
        return self._climb_compiled(self._machine_code, points, state)

    def _climb_compiled(self, code: MachineCode, points: FloatArray, state: int) -> FloatArray:
        (count, dimensions), forest, around = points.shape, self._forest, self._neighbourhoods
        trees, values = len(forest.roots), np.empty(count)
        leaves = np.ascontiguousarray(forest.leaves(points).T)
        code(
            climbing.climb,
            *(count, dimensions, points, around.where(points), values, self._least_cost),
            *(state, around.key, around.ahead.used, around.kinds, np.array(ALL_DEVIATIONS), around.widths),
            *(ORDERS, around.small, around.grids.places, around.grids.whose, around.grids.begin),
            *(around.levels.cells, around.levels.below, around.levels.border),
            *(trees, forest.roots, forest.left, forest.right, forest.feature, forest.threshold),
            *(forest.costs, forest.above, forest.upto, forest.least_variance),
            *(leaves, np.empty(points.shape), np.empty((2, *points.shape)), np.empty((2, *points.shape))),
            *(np.empty((count, 3), dtype=np.int64), np.empty(40 + trees, dtype=np.int64), np.empty(2)),
        )
        return values

    def _climb_on_arrays(self, points: FloatArray, state: int) -> FloatArray:
        """As `climb`: a whole neighbourhood is evaluated at once; its first better neighbour is the one that smac finds
        by looking at them in growing pieces.
        """
        count = len(points)
        states = substream(np.array(state, dtype=np.uint64), np.arange(count, dtype=np.uint64))
        leaves = self._forest.leaves(points)
        moments = np.stack(self._forest.moments(leaves))
        about = np.stack(self._about(*moments))
        above, upto = self._forest.box(leaves)
        deviations = np.full(count, FIRST_DEVIATION)
        improvements, plateaus = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
        number = 0
        while len(active := np.flatnonzero(plateaus < PLATEAUS)):
            centres = points[active]
            here = substream(states[active], np.full(len(active), number, dtype=np.uint64))
            number += 1
            places, turns = self._neighbourhoods.draw(centres, deviations[active], here)
            turns[places == centres[:, :, None]] = 0.0
            single = places.astype(np.float32)
            outside = np.flatnonzero((single <= above[active][:, :, None]) | (single > upto[active][:, :, None]))
            rows, columns = np.divmod(outside // NEIGHBOURS, points.shape[1])
            there, whose = places.reshape(-1)[outside], active[rows]
            tried = centres[rows]
            tried[np.arange(len(rows)), columns] = there
            beside = self._forest.leaves_beside(leaves[:, whose], columns, there, tried)
            found = np.stack(self._forest.moments(beside))
            found_about = np.stack(self._about(*found))
            higher, equal = self._compared(found, found_about, moments[:, whose], about[:, whose])

            turn = turns.reshape(len(active), -1)
            better = np.zeros(turn.shape)
            better.reshape(-1)[outside[higher]] = turn.reshape(-1)[outside[higher]]
            turn.reshape(-1)[outside[~equal]] = 0.0
            first = better.argmax(axis=1)
            each = np.arange(len(active))
            improved = better[each, first] > 0
            # Where nothing is better, on to the first neighbour that is as good.
            first = np.where(improved, first, turn.argmax(axis=1))
            moved = np.flatnonzero(improved | (turn[each, first] > 0))
            chosen = moved * turn.shape[1] + first[moved]
            points[active[moved], first[moved] // NEIGHBOURS] = places.reshape(-1)[chosen]
            place = np.searchsorted(outside, chosen)
            left = np.flatnonzero(np.append(outside, -1)[place] == chosen)
            place, gone = place[left], active[moved[left]]
            moments[:, gone], about[:, gone] = found[:, place], found_about[:, place]
            leaves[:, gone] = beside[:, place]
            above[gone], upto[gone] = self._forest.box(beside[:, place])

            improvements[active] = np.where(improved, improvements[active] + 1, 0)
            wider = active[(improvements[active] >= TIMEOUT_BUDGETS) & (plateaus[active] == 0)]
            deviations[wider] = np.minimum(deviations[wider] + 1, DEVIATIONS - 1)
            improvements[wider] = 0
            stuck = active[~improved]
            plateaus[stuck] += 1
            narrower = stuck[plateaus[stuck] % TIMEOUT_BUDGETS == 0]
            deviations[narrower] = np.maximum(deviations[narrower] - 1, 0)
        return self._exact(*moments)

    def _compared(
        self, moments: FloatArray, about: FloatArray, other: FloatArray, about_other: FloatArray
    ) -> tuple[BoolArray, BoolArray]:
        """Where acquisition values are higher than others (n,), and where equal, by moments and `_about` (2, n)."""
        with np.errstate(invalid="ignore"):
            difference, doubt = about[0] - about_other[0], about[1] + about_other[1]
        equal = (moments == other).all(axis=0)
        higher = difference > doubt
        # Also where the difference is no number.
        doubtful = np.flatnonzero(~(np.abs(difference) > doubt) & ~equal)
        if len(doubtful):
            mine, their = self._exact(*moments[:, doubtful]), self._exact(*other[:, doubtful])
            higher[doubtful], equal[doubtful] = mine > their, mine == their
        return higher, equal
