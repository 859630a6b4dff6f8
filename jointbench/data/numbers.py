"""Plain numbers of whatever is a number: Python's own, NumPy's, fractions and decimals, arrays without dimensions."""

from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import InputError

#: Integers of 64 bits, as seeds are.
_LEAST, _MOST = -(2**63), 2**63 - 1

#: What is left as it is.
_PLAIN = {int, float}


def plain_number(value: Any) -> int | float:
    """The same number as Python's own int or float. Raises TypeError for what is no real number; truth values are none.

    Raises OverflowError for a fraction beyond all floats.
    """
    if type(value) in _PLAIN:
        return value  # type: ignore[no-any-return]
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no real number")


def json_float(value: Any) -> Any:
    """A number of JSON as a float, since what writes JSON may write 1 for 1.0; anything else as it is, for whoever
    checks it."""
    try:
        return float(value) if type(value) is int else value
    except OverflowError:
        return value


def readable(value: Any) -> str:
    """As people read it: numbers without needless digits, anything else as it is."""
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def checked_seed(field: str, value: Any) -> int:
    """The same integer as Python's own. Raises InputError when it is none of 64 bits."""
    try:
        number = plain_number(value)
    except (TypeError, OverflowError):
        number = _MOST + 1
    if not isinstance(number, int) or not _LEAST <= number <= _MOST:
        raise InputError(field, value, "an integer of 64 bits")
    return number


def array_of_numbers(field: str, values: Any) -> npt.NDArray[np.float64]:
    """Numbers of any shape. Raises InputError for anything else, text and truth values among it."""
    try:
        # What is no array yet is looked at before NumPy makes numbers of truth values and text.
        given = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=_own_dtype(values))
        if given.dtype.kind == "O" and not {*map(type, given.flat)} <= _PLAIN:
            given = np.array([plain_number(value) for value in given.flat], dtype=object).reshape(given.shape)
        if given.dtype.kind not in "iufO":
            raise TypeError
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(field, values, "an array of numbers") from None


def _own_dtype(values: Any) -> type[np.object_] | None:
    """Of lists NumPy would make one kind of all; what comes with a kind keeps it."""
    return np.object_ if isinstance(values, (list, tuple)) else None
