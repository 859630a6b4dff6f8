"""SplitMix64 (Steele, Lea and Flood 2014): random numbers by their addresses, the same on every machine."""

from typing import Any

MASK = 2**64 - 1
#: 2^64 over the golden ratio, and the two multipliers.
GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mix(word: Any) -> Any:
    """The finisher, for an int below 2^64 or a uint64 array."""
    word = (word ^ (word >> 30)) * _FIRST & MASK
    word = (word ^ (word >> 27)) * _SECOND & MASK
    return word ^ (word >> 31)


def substream(state: Any, number: Any) -> Any:
    """The state of one of many streams that a state has, by its number."""
    return mix((state + (number * GOLDEN & MASK)) & MASK)


def uniform(state: Any, number: Any) -> Any:
    """A stream's number, inside (0, 1)."""
    return ((substream(state, number) >> 11) + 0.5) * 2.0**-53
