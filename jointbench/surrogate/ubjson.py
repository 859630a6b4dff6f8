"""Universal Binary JSON, the format of XGBoost's own model files (UBJSON draft 12)."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import BenchmarkError

_FALSE, _TRUE, _NULL, _STRING = b"FTZS"
_ARRAY, _ARRAY_END, _OBJECT, _OBJECT_END, _TYPE, _COUNT = b"[]{}$#"

#: By type marker: how `struct` reads one number.
_NUMBERS = {ord(marker): struct.Struct(f">{letter}") for marker, letter in zip("iUIlLdD", "bBhiqfd", strict=True)}
#: By type marker: the big-endian type of an array in the file, and the machine's own.
_KINDS = {
    marker: (np.dtype(number.format), np.dtype(number.format).newbyteorder("=")) for marker, number in _NUMBERS.items()
}
_LENGTHS = {ord(marker): _NUMBERS[ord(marker)] for marker in "iUIlL"}

#: Our file of XGBoost's models nests eight deep.
_DEEPEST = 16
#: A tree takes twenty values, arrays of numbers being one each, and has short strings alone.
_MOST_VALUES = 2**18
_LONGEST_STRING = 2**12


def read_ubjson(content: bytes, source: str) -> Any:
    """The value in `content`; typed arrays become NumPy arrays. Raises BenchmarkError when it is damaged."""
    try:
        value, end = _Reader(content).value(0, 0)
    except (IndexError, ValueError, KeyError, struct.error):
        raise BenchmarkError("model file", source, "a whole UBJSON file") from None
    if end != len(content):
        raise BenchmarkError("model file", source, f"UBJSON of {end} bytes, not {len(content)}")
    return value


def split_ubjson(content: bytes) -> dict[str, bytes]:
    """The members of the object in `content`, undecoded; for content that `read_ubjson` has read."""
    reader, at, members = _Reader(content), 1, {}
    while content[at] != _OBJECT_END:
        name, start = reader.string(at)
        _, at = reader.value(start, 0)
        members[name] = content[start:at]
    return members


def write_object(members: Mapping[str, bytes]) -> bytes:
    """An object of members that are UBJSON already."""
    return b"{" + b"".join(_length(name.encode()) + member for name, member in members.items()) + b"}"


def write_numbers(numbers: npt.NDArray[Any]) -> bytes:
    """An array (n,) of a kind that the reader knows."""
    (marker,) = (marker for marker, (_, own) in _KINDS.items() if own == numbers.dtype)
    return (
        b"[$" + bytes([marker]) + b"#L" + len(numbers).to_bytes(8, "big") + numbers.astype(_KINDS[marker][0]).tobytes()
    )


def _length(text: bytes) -> bytes:
    """A name with its length before it."""
    return b"L" + len(text).to_bytes(8, "big") + text


class _Reader:
    """Each method takes an offset and returns a value and the offset behind it.

    What is damaged raises IndexError, ValueError, KeyError or struct.error. (A benchmark's file has twenty thousand
    values and must load in a moment: hence one method where there could be several.)
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.left = content, _MOST_VALUES

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        content, marker = self.content, self.content[at]
        at, self.left = at + 1, self.left - 1
        if depth > _DEEPEST or self.left < 0:
            raise ValueError
        if marker == _STRING:
            return self.string(at)
        if marker == _ARRAY:
            if content[at] == _TYPE:
                return self._numbers(at + 1)
            return self._array(at, depth + 1)
        if marker == _OBJECT:
            return self._object(at, depth + 1)
        if marker in _NUMBERS:
            number = _NUMBERS[marker]
            return number.unpack_from(content, at)[0], at + number.size
        return {_TRUE: True, _FALSE: False, _NULL: None}[marker], at

    def string(self, at: int) -> tuple[str, int]:
        length, at = self._length(at)
        if length > _LONGEST_STRING:
            raise ValueError
        return self.content[at : at + length].decode(), at + length

    def _length(self, at: int) -> tuple[int, int]:
        """The length of what follows, which is there."""
        number = _LENGTHS[self.content[at]]
        length: int = number.unpack_from(self.content, at + 1)[0]
        at += 1 + number.size
        if not 0 <= length <= len(self.content) - at:
            raise ValueError
        return length, at

    def _numbers(self, at: int) -> tuple[Any, int]:
        stored, own = _KINDS[self.content[at]]
        if self.content[at + 1] != _COUNT:
            raise ValueError
        count, at = self._length(at + 2)
        return np.frombuffer(self.content, stored, count, at).astype(own), at + count * stored.itemsize

    def _array(self, at: int, depth: int) -> tuple[list[Any], int]:
        items = []
        if self.content[at] == _COUNT:
            count, at = self._length(at + 1)
            for _ in range(count):
                item, at = self.value(at, depth)
                items.append(item)
            return items, at
        while self.content[at] != _ARRAY_END:
            item, at = self.value(at, depth)
            items.append(item)
        return items, at + 1

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        while self.content[at] != _OBJECT_END:
            name, at = self.string(at)
            if name in members:
                raise ValueError
            members[name], at = self.value(at, depth)
        return members, at + 1
