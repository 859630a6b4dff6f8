"""Uniform numbers from a configuration, a budget and a seed: the same on every machine, alone or in a batch."""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

_MASK = 2**64 - 1
#: Of SplitMix64 (Steele, Lea and Flood, 2014): 2^64 over the golden ratio, and its two multipliers.
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

#: A half word, and its bits.
_HALF, _LOW = np.uint64(32), np.uint64(2**32 - 1)


def _mix(word: Any) -> Any:
    """SplitMix64's finisher, for an int or a uint64 array."""
    word = (word ^ (word >> 30)) * _FIRST & _MASK
    word = (word ^ (word >> 27)) * _SECOND & _MASK
    return word ^ (word >> 31)


class Luck:
    """Draws for inputs of `width` numbers.

    The inputs' bits are hashed by NH (Black et al., UMAC, 1999: products of keyed half words, summed), finished by
    SplitMix64, whose stream gives the uniform numbers.
    """

    def __init__(self, width: int) -> None:
        # Budget and seed follow the numbers.
        keys = np.array([_mix((k + 1) * _GOLDEN & _MASK) for k in range(width + 2)], dtype=np.uint64)
        self._high_keys, self._low_keys = keys >> _HALF, keys & _LOW

    def one(self, row: list[float], budget: float, seed: int, count: int) -> list[float]:
        """`count` numbers inside (0, 1)."""
        words = np.array([*row, budget, 0.0])
        words += 0.0  # -0.0 becomes 0.0: they are the same configuration
        bits = words.view(np.uint64)
        bits[-1] = seed & _MASK
        return self._uniform(int(self._hash(bits)), count)

    def many(self, rows: FloatArray, budgets: FloatArray, seeds: npt.NDArray[np.int64], count: int) -> list[FloatArray]:
        """`count` arrays (n,); each row's numbers are those of `one`."""
        words = np.column_stack([rows, budgets, np.zeros(len(rows))])
        words += 0.0
        bits = words.view(np.uint64)
        bits[:, -1] = seeds.view(np.uint64)
        return self._uniform(self._hash(bits), count)

    def _hash(self, bits: Words) -> Any:
        high = ((bits >> _HALF) + self._high_keys) & _LOW
        low = (bits + self._low_keys) & _LOW
        return (high * low).sum(axis=-1, dtype=np.uint64)

    def _uniform(self, state: Any, count: int) -> list[Any]:
        return [((_mix((state + (k * _GOLDEN & _MASK)) & _MASK) >> 11) + 0.5) * 2.0**-53 for k in range(1, count + 1)]
