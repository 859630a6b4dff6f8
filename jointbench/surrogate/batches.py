"""What a batch is given, as arrays, or refused; and its division into parts."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import InputError


def numbers(field: str, values: npt.ArrayLike, kind: type[np.float64] | None = np.float64) -> npt.NDArray[Any]:
    """Raises InputError when they are none."""
    try:
        return np.asarray(values, dtype=kind)
    except (TypeError, ValueError, OverflowError):
        raise InputError(field, values, "an array of numbers") from None


def for_each(count: int, field: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One value for each of `count` rows. Raises InputError for another shape than () or (count,)."""
    if values.shape not in ((), (1,), (count,)):
        raise InputError(field, values.shape, f"one for all, or an array ({count},)")
    return np.broadcast_to(values, count)


def checked_seeds(count: int, seeds: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """One for each row (count,). Raises InputError when they are no integers of 64 bits."""
    given = for_each(count, "seeds", numbers("seeds", seeds, None))
    if given.size and (given.dtype.kind not in "iu" or (given.dtype.kind == "u" and (given >= 2**63).any())):
        raise InputError("seeds", seeds, "integers of 64 bits")
    return given.astype(np.int64)


def equal_parts(count: int, most: int) -> Iterator[slice]:
    """At least one part, none of more than `most`: a small one would take nearly as long as a large one."""
    parts = max(-(-count // most), 1)
    return (slice(start, end) for start, end in pairwise(count * part // parts for part in range(parts + 1)))
