"""ConfigSpace's configurations, read once: smac compares and hashes each of them thousands of times."""

from collections.abc import Iterator, ValuesView
from typing import Any

from ConfigSpace import Configuration


class Kept(Configuration):
    """Equal to, and with the hash of, the configuration that it was; must not be changed any more."""

    _values: dict[str, Any]
    _text: str
    _hash: int

    @classmethod
    def of(cls, configuration: Configuration, values: dict[str, Any] | None = None) -> "Kept":
        """The configuration itself, as one of these.

        `values` where they are known otherwise than by ConfigSpace's decoding.
        """
        if isinstance(configuration, cls):
            return configuration
        text = str(configuration) if values is None else repr(values)
        values = dict(configuration) if values is None else values
        configuration.__class__ = cls
        assert isinstance(configuration, cls)
        configuration._values, configuration._text, configuration._hash = values, text, hash(text)
        return configuration

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def values(self) -> ValuesView[Any]:
        return self._values.values()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Kept):
            return self._hash == other._hash and self._text == other._text and self._values == other._values
        return super().__eq__(other)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return self._text
