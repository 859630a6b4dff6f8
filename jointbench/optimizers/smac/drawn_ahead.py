"""Neighbours drawn many at a time and used one by one: what NumPy is called for takes a fraction of the time.

Each set of neighbours is used once, and which are drawn when hangs on counts alone, so that what is taken is as
independent, and has the law, of what is drawn at the moment of asking.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.optimizers.smac.cube import IntArray

#: Sets of one kind that lie ready: at first, and at most.
FEWEST, MOST = 16, 128


class DrawnAhead:
    """Sets (n, size) of kinds 0, 1, …; `draw` makes them anew, of kinds (n,) that it is given."""

    def __init__(self, size: int, draw: Callable[[IntArray, np.random.Generator], FloatArray]) -> None:
        self._draw = draw
        self._sets: FloatArray = np.empty((0, MOST, size))
        #: Of each kind: the sets that lie ready, and how many there are after drawing.
        self._ready, self._wanted = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)

    def add(self, kinds: int) -> None:
        """So many further kinds."""
        self._sets = np.concatenate([self._sets, np.empty((kinds, *self._sets.shape[1:]))])
        self._ready = np.concatenate([self._ready, np.zeros(kinds, dtype=np.int64)])
        self._wanted = np.concatenate([self._wanted, np.full(kinds, FEWEST)])

    def take(self, kinds: IntArray, rng: np.random.Generator) -> FloatArray:
        """A set of each of these kinds (n,), of which some may be the same."""
        needed = np.bincount(kinds, minlength=len(self._ready))
        if needed.max(initial=0) > MOST:
            return np.concatenate([self.take(kinds[:MOST], rng), self.take(kinds[MOST:], rng)])
        if (short := needed > self._ready).any():
            self._wanted[short] = np.clip(2 * self._wanted[short], needed[short], MOST)
            self._fill(short, rng)
        order = np.argsort(kinds, kind="stable")
        ordered = kinds[order]
        of_the_same = np.empty_like(order)
        of_the_same[order] = np.arange(len(kinds)) - np.searchsorted(ordered, ordered)
        taken: FloatArray = self._sets[kinds, self._ready[kinds] - 1 - of_the_same]
        self._ready -= needed
        return taken

    def _fill(self, short: npt.NDArray[np.bool_], rng: np.random.Generator) -> None:
        """Draws what is wanted of these kinds, and of all of which less than half of it is ready."""
        low = np.flatnonzero(short | (2 * self._ready < self._wanted))
        lacking = self._wanted[low] - self._ready[low]
        kinds = np.repeat(low, lacking)
        place = np.arange(len(kinds)) - np.repeat(np.cumsum(lacking) - lacking, lacking)
        self._sets[kinds, self._ready[kinds] + place] = self._draw(kinds, rng)
        self._ready[low] = self._wanted[low]
