"""Uniform numbers from a configuration, a budget and a seed: the same on every machine, alone or in a batch."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import total

_MASK = 2**64 - 1
#: Of SplitMix64 (Steele, Lea and Flood, 2014): 2^64 over the golden ratio, and its two multipliers.
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

#: A half word's bits.
_LOW = 2**32 - 1


def _mix(word: Any) -> Any:
    """SplitMix64's finisher, for an int or a uint64 array."""
    word = (word ^ (word >> 30)) * _FIRST & _MASK
    word = (word ^ (word >> 27)) * _SECOND & _MASK
    return word ^ (word >> 31)


class Luck:
    """Draws for inputs of `width` numbers, a budget and a seed.

    The inputs' bits are hashed by NH (Black et al., UMAC, 1999: products of keyed half words, summed), finished by
    SplitMix64, whose stream gives the uniform numbers.
    """

    def __init__(self, width: int) -> None:
        keys = [_mix((k + 1) * _GOLDEN & _MASK) for k in range(width + 2)]
        self._keys = [(key >> 32, key & _LOW) for key in keys]
        self._numbers, self._words = f"<{width + 1}d", f"<{width + 1}Q"

    def one(self, row: Sequence[float], budget: float, seed: int, count: int) -> list[float]:
        """`count` numbers inside (0, 1)."""
        # -0.0 becomes 0.0: they are the same configuration.
        numbers = struct.pack(self._numbers, *[x + 0.0 for x in row], budget)
        return self.stream([*struct.unpack(self._words, numbers), seed & _MASK], count)

    def many(self, rows: FloatArray, budgets: FloatArray, seeds: npt.NDArray[np.int64], count: int) -> list[FloatArray]:
        """`count` arrays (n,); each row's numbers are those of `one`."""
        words = [(column + 0.0).view(np.uint64) for column in (*rows.T, budgets)]
        return self.stream([*words, seeds.view(np.uint64)], count)

    def stream(self, words: Sequence[Any], count: int) -> list[Any]:
        """From the bits of all inputs as words of 64 bits, unsigned: ints, or arrays (n,)."""
        pairs = zip(words, self._keys, strict=True)
        products = ((((word >> 32) + high) & _LOW) * ((word + low) & _LOW) for word, (high, low) in pairs)
        state = total(products) & _MASK
        return [((_mix((state + (k * _GOLDEN & _MASK)) & _MASK) >> 11) + 0.5) * 2.0**-53 for k in range(1, count + 1)]
