"""Uniform numbers from a configuration, a budget and a seed: the same on every machine, alone or in a batch."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import total
from jointbench.data.splitmix import GOLDEN, MASK, mix, uniform

#: A half word's bits.
_LOW = 2**32 - 1


class Luck:
    """Draws for inputs of `width` numbers, a budget and a seed.

    The inputs' bits are hashed by NH (Black et al., UMAC, 1999: products of keyed half words, summed), finished by
    SplitMix64, whose stream gives the uniform numbers.
    """

    def __init__(self, width: int) -> None:
        keys = [mix((k + 1) * GOLDEN & MASK) for k in range(width + 2)]
        self._keys = [(key >> 32, key & _LOW) for key in keys]
        self._numbers, self._words = f"<{width + 1}d", f"<{width + 1}Q"

    def one(self, row: Sequence[float], budget: float, seed: int, count: int) -> list[float]:
        """`count` numbers inside (0, 1)."""
        # -0.0 becomes 0.0: they are the same configuration.
        numbers = struct.pack(self._numbers, *[x + 0.0 for x in row], budget)
        return self.stream([*struct.unpack(self._words, numbers), seed & MASK], count)

    def many(self, rows: FloatArray, budgets: FloatArray, seeds: npt.NDArray[np.int64], count: int) -> list[FloatArray]:
        """`count` arrays (n,); each row's numbers are those of `one`."""
        words = [(column + 0.0).view(np.uint64) for column in (*rows.T, budgets)]
        return self.stream([*words, seeds.view(np.uint64)], count)

    def stream(self, words: Sequence[Any], count: int) -> list[Any]:
        """From the bits of all inputs as words of 64 bits, unsigned: ints, or arrays (n,)."""
        pairs = zip(words, self._keys, strict=True)
        products = ((((word >> 32) + high) & _LOW) * ((word + low) & _LOW) for word, (high, low) in pairs)
        state = total(products) & MASK
        return [uniform(state, k) for k in range(1, count + 1)]
