"""Neighbours drawn many at a time and used one by one: what NumPy is called for takes a fraction of the time.

A set hangs on its kind and its number alone, whenever it is drawn.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import IntArray

#: Sets of one kind that lie ready: at first, and at most.
FEWEST, MOST = 16, 128


class DrawnAhead:
    """Sets (n, size) of kinds 0, 1, …; `draw` makes those of kinds (n,) with numbers (n,)."""

    def __init__(self, kinds: int, size: int, draw: Callable[[IntArray, IntArray], IntArray]) -> None:
        self._draw = draw
        # A set's place is the remainder of its number.
        self._sets: IntArray = np.empty((kinds, MOST, size), dtype=np.int64)
        #: Of each kind: how many sets were used, were drawn, and lie ready after drawing.
        self.used, self._drawn = np.zeros(kinds, dtype=np.int64), np.zeros(kinds, dtype=np.int64)
        self._wanted = np.full(kinds, FEWEST)

    def take(self, kinds: IntArray) -> IntArray:
        """The next set of each of these kinds (n,), of which some may be the same."""
        needed = np.bincount(kinds, minlength=len(self.used))
        if needed.max(initial=0) > MOST:
            return np.concatenate([self.take(kinds[:MOST]), self.take(kinds[MOST:])])
        if (short := self.used + needed > self._drawn).any():
            self._wanted[short] = np.clip(2 * self._wanted[short], needed[short], MOST)
            self._fill(short)
        order = np.argsort(kinds, kind="stable")
        ordered = kinds[order]
        of_the_same = np.empty_like(order)
        of_the_same[order] = np.arange(len(kinds)) - np.searchsorted(ordered, ordered)
        taken: IntArray = self._sets[kinds, (self.used[kinds] + of_the_same) % MOST]
        self.used += needed
        return taken

    def _fill(self, short: npt.NDArray[np.bool_]) -> None:
        """Draws what is wanted of these kinds, and of all others in use of which less than half of it is ready."""
        # Others may have used some that were not drawn.
        np.maximum(self._drawn, self.used, out=self._drawn)
        ready = self._drawn - self.used
        low = np.flatnonzero(short | ((self._drawn > 0) & (2 * ready < self._wanted)))
        lacking = self._wanted[low] - ready[low]
        kinds = np.repeat(low, lacking)
        numbers = self._drawn[kinds] + np.arange(len(kinds)) - np.repeat(np.cumsum(lacking) - lacking, lacking)
        self._sets[kinds, numbers % MOST] = self._draw(kinds, numbers)
        self._drawn[low] += lacking
