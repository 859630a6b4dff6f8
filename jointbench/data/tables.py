"""Configurations as people hold them: what has names is read by name, plain arrays by position.

Nothing is imported for it: a table or one of its rows is known by what it can do.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import ConfigurationError, InputError
from jointbench.data.evaluation import ReadOnlyConfiguration
from jointbench.data.numbers import array_of_numbers, plain_number


def by_name(given: Any, names: Sequence[str]) -> Mapping[Any, Any]:
    """One configuration as a mapping: a mapping, a row of a table (pandas' Series, NumPy's record, a named tuple), or
    the values of `names` in their order. Raises ConfigurationError for anything else.
    """
    found = _named(given)
    if found is not None:
        return found
    if isinstance(given, (list, tuple)) or getattr(given, "ndim", None) == 1:
        values = given.tolist() if isinstance(given, np.ndarray) else list(given)
        if len(values) == len(names):
            return dict(zip(names, values, strict=True))
    raise ConfigurationError("configuration", given, f"hyperparameters by name, or {len(names)} values in their order")


def is_missing(value: Any) -> bool:
    """Whether a cell is empty: None, or NaN as frames have it."""
    return value is None or (isinstance(value, (float, np.floating)) and bool(value != value))


def in_order(
    given: Any,
    names: Sequence[str],
    expected: str,
    *,
    number: Callable[[str, Any], float] | None = None,
    optional: Container[str] = (),
) -> npt.NDArray[np.float64]:
    """A table as an array (n, names), unchecked but for its names and its shape.

    What is read by name may have cells that are no numbers where `number` says, of a name and a value, what they count
    as; names that are `optional` may be missing, and count as None.

    By name: a frame (pandas, Polars), an Arrow table, a mapping of columns, a structured array, several configurations
    as `by_name` takes them. By position: an array or nested lists, (n, names). Raises ConfigurationError where a name
    is missing or is none of `names`, saying what was `expected`, InputError for another shape and for what are no
    numbers.
    """
    if isinstance(given, Iterator):
        given = list(given)
    columns = _columns(given)
    if columns is not None:
        _check_names(columns, names, expected, optional)
        if number is not None:
            cells = {name: list(columns[name]) for name in names if name in columns}
            length = len(next(iter(cells.values()), []))
            given = {name: [number(name, cell) for cell in cells.get(name, [None] * length)] for name in names}
            arrays = [np.array(column, dtype=np.float64) for column in given.values()]
        else:
            arrays = [array_of_numbers(name, columns[name]) for name in names]
        if {array.shape for array in arrays} != {arrays[0].shape} or arrays[0].ndim != 1:
            raise InputError("rows", given, "columns of one length")
        return np.stack(arrays, axis=1)
    if _is_listed(given):
        given = [_ordered(row, names, expected, number, optional) for row in given]
    array = array_of_numbers("rows", given)
    if isinstance(given, Sequence) and not len(given):
        return array.reshape(0, len(names))
    if array.ndim != 2 or array.shape[1] != len(names):
        raise InputError("rows", array.shape, f"an array (n, {len(names)})")
    return array


def _named(given: Any) -> Mapping[Any, Any] | None:
    """None for what has no names."""
    if type(given) is dict or type(given) is ReadOnlyConfiguration:
        return given
    if isinstance(given, np.ndarray) and not (given.dtype.names and given.ndim == 0):
        return None
    if isinstance(given, Mapping):
        return given
    if isinstance(given, (np.void, np.ndarray)):
        return {name: given[name] for name in given.dtype.names or ()}
    if isinstance(given, tuple) and hasattr(given, "_asdict"):
        return dict(given._asdict())
    if callable(getattr(given, "keys", None)):
        return {name: given[name] for name in given.keys()}  # noqa: SIM118  # a Series iterates over its values
    return None


def _columns(given: Any) -> Mapping[Any, Any] | None:
    """The columns of a table by name; None for what has no columns."""
    if isinstance(given, np.ndarray):
        return {name: given[name] for name in given.dtype.names} if given.dtype.names else None
    if isinstance(given, Mapping):
        return given
    # Arrow's tables have names and columns, frames have columns that are names.
    labels = getattr(given, "column_names", getattr(given, "columns", None))
    if labels is None:
        return None
    labels = list(labels)
    for label in labels:
        if labels.count(label) > 1:
            raise ConfigurationError(str(label), "two columns", "each name once")
    return {label: given[label] for label in labels}


def _is_listed(given: Any) -> bool:
    """Whether its rows have names."""
    if isinstance(given, np.ndarray) and not (given.dtype.kind == "O" and given.ndim):
        return False
    return isinstance(given, (Sequence, np.ndarray)) and len(given) > 0 and _named(given[0]) is not None


def _ordered(
    row: Any,
    names: Sequence[str],
    expected: str,
    number: Callable[[str, Any], float] | None,
    optional: Container[str],
) -> list[int | float]:
    """The plain numbers of one configuration. Raises ConfigurationError that names what is none."""
    mapping = by_name(row, names)
    _check_names(mapping, names, expected, optional)
    if number is not None:
        return [number(name, mapping.get(name)) for name in names]
    values = []
    for name in names:
        try:
            values.append(plain_number(mapping[name]))
        except (TypeError, OverflowError):
            raise ConfigurationError(name, mapping[name], "a number") from None
    return values


def _check_names(given: Mapping[Any, Any], names: Sequence[str], expected: str, optional: Container[str]) -> None:
    if len(given) == len(names) and all(name in given for name in names):
        return
    for name in given:
        if name not in names:
            raise ConfigurationError(str(name), given[name], expected)
    for name in names:
        if name not in given and name not in optional:
            raise ConfigurationError(name, None, "a value")
