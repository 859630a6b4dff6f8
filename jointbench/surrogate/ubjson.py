"""A reader of Universal Binary JSON, the format of XGBoost's own model files (UBJSON draft 12)."""

import struct
from typing import Any

import numpy as np

from jointbench.data.errors import BenchmarkError

#: Type marker to NumPy's big-endian type.
_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
#: XGBoost nests five deep; a file that nests deeper was not written by it.
_DEEPEST = 16
#: A tree takes twenty values, arrays of numbers being one each, and has short strings alone.
_MOST_VALUES = 2**18
_LONGEST_STRING = 2**12


def read_ubjson(content: bytes, source: str) -> Any:
    """The value in `content`; typed arrays become NumPy arrays. Raises BenchmarkError when it is damaged."""
    try:
        value, end = _Reader(content).value(0, 0)
    except (IndexError, ValueError, KeyError, struct.error, UnicodeDecodeError):
        raise BenchmarkError("model file", source, "a whole UBJSON file") from None
    if end != len(content):
        raise BenchmarkError("model file", source, f"UBJSON of {end} bytes, not {len(content)}")
    return value


def split_ubjson(content: bytes) -> dict[str, bytes]:
    """The members of the object in `content`, undecoded; for content that `read_ubjson` has read."""
    reader, at, members = _Reader(content), 1, {}
    while content[at] != ord("}"):
        name, start = reader.string(at)
        _, at = reader.value(start, 0)
        members[name] = content[start:at]
    return members


class _Reader:
    """Each method takes an offset and returns a value and the offset behind it."""

    def __init__(self, content: bytes) -> None:
        self.content, self.values = content, 0

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        return self._typed(self._marker(at), at + 1, depth)

    def _marker(self, at: int) -> str:
        return chr(self.content[at])

    def _typed(self, marker: str, at: int, depth: int) -> tuple[Any, int]:
        self.values += 1
        if depth > _DEEPEST or self.values > _MOST_VALUES:
            raise ValueError
        if marker in _NUMBERS:
            kind = np.dtype(_NUMBERS[marker])
            return self._numbers(kind, 1, at)[0].item(), at + kind.itemsize
        if marker == "S":
            return self.string(at)
        if marker == "[":
            return self._array(at, depth)
        if marker == "{":
            return self._object(at, depth)
        return {"T": True, "F": False, "Z": None}[marker], at

    def _numbers(self, kind: np.dtype[Any], count: int, at: int) -> np.ndarray[Any, Any]:
        if at + count * kind.itemsize > len(self.content):
            raise ValueError
        return np.frombuffer(self.content, kind, count, at)

    def _length(self, at: int) -> tuple[int, int]:
        length, at = self.value(at, _DEEPEST)
        if not isinstance(length, int) or not 0 <= length <= len(self.content):
            raise ValueError
        return length, at

    def string(self, at: int) -> tuple[str, int]:
        length, at = self._length(at)
        if length > _LONGEST_STRING or at + length > len(self.content):
            raise ValueError
        return self.content[at : at + length].decode(), at + length

    def _array(self, at: int, depth: int) -> tuple[Any, int]:
        if self._marker(at) == "$":
            kind = np.dtype(_NUMBERS[self._marker(at + 1)])
            if self._marker(at + 2) != "#":
                raise ValueError
            count, at = self._length(at + 3)
            numbers = self._numbers(kind, count, at)
            return numbers.astype(kind.newbyteorder("=")), at + count * kind.itemsize
        items = []
        if self._marker(at) == "#":
            count, at = self._length(at + 1)
            for _ in range(count):
                item, at = self.value(at, depth + 1)
                items.append(item)
            return items, at
        while self._marker(at) != "]":
            item, at = self.value(at, depth + 1)
            items.append(item)
        return items, at + 1

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        members = {}
        while self._marker(at) != "}":
            name, at = self.string(at)
            members[name], at = self.value(at, depth + 1)
        return members, at + 1
