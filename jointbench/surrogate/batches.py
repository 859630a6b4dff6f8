"""What a batch is given, as arrays, or refused; and its division into parts."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import InputError
from jointbench.data.ladder import Ladder
from jointbench.data.numbers import checked_seed


def for_each(count: int, field: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One value for each of `count` rows. Raises InputError for another shape than () or (count,)."""
    if values.shape not in ((), (1,), (count,)):
        raise InputError(field, values.shape, f"one for all, or an array ({count},)")
    return np.broadcast_to(values, count)


def checked_budgets(count: int, budgets: Any, ladder: Ladder) -> npt.NDArray[np.float64]:
    """One plain budget for each row (count,). Raises InputError, and BudgetError as `Ladder.check_within` does."""
    given = _listed("budgets", budgets)
    if given.dtype.kind not in "iufO":
        raise InputError("budgets", budgets, "an array of numbers")
    # Of numbers few are different, and what is no number cannot be sorted.
    different, place = (given.ravel(), ...) if given.dtype.kind == "O" else np.unique(given, return_inverse=True)
    plain = np.array([ladder.check_within(budget) for budget in different], dtype=np.float64)
    return for_each(count, "budgets", plain[place].reshape(given.shape))


def checked_seeds(count: int, seeds: Any) -> npt.NDArray[np.int64]:
    """One for each row (count,). Raises InputError when they are no integers of 64 bits."""
    given = _listed("seeds", seeds)
    if given.dtype.kind != "i":
        given = np.array([checked_seed("seeds", seed) for seed in given.ravel()], dtype=np.int64).reshape(given.shape)
    return for_each(count, "seeds", given.astype(np.int64))


def _listed(field: str, values: Any) -> npt.NDArray[Any]:
    """As an array, in which those of a list keep their kinds: NumPy would make numbers of truth values and text."""
    try:
        return np.asarray(values, dtype=object if isinstance(values, (list, tuple)) else None)
    except (TypeError, ValueError, OverflowError):
        raise InputError(field, values, "an array of numbers") from None


def equal_parts(count: int, most: int) -> Iterator[slice]:
    """At least one part, none of more than `most`: a small one would take nearly as long as a large one."""
    parts = max(-(-count // most), 1)
    return (slice(start, end) for start, end in pairwise(count * part // parts for part in range(parts + 1)))
