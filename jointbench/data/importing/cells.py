"""What the cells of a table say: numbers, choices, how an evaluation ended, or nothing."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from jointbench.data.errors import ConfigurationError
from jointbench.data.evaluation import Status
from jointbench.data.numbers import plain_number
from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter, Value
from jointbench.data.tables import is_missing

#: How text says that nothing is there, as pandas reads it.
_NOTHING = frozenset(
    {"", "#N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
#: What pandas and Polars put for it.
_NOTHING_TYPES = frozenset({"NAType", "NaTType"})
#: A number as text: Python's own reader takes underscores, and words for infinity.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TRUTH: Mapping[str, bool] = {"true": True, "false": False}

#: Other words for how an evaluation ended than those of `Status`.
_ENDINGS: Mapping[str, Status] = {
    **dict.fromkeys(("success", "succeeded", "complete", "completed", "finished", "done"), Status.OK),
    **dict.fromkeys(("divergence", "nan", "inf"), Status.DIVERGED),
    **dict.fromkeys(("oom", "memory", "memout", "memoryout"), Status.OUT_OF_MEMORY),
    **dict.fromkeys(("crash", "fail", "failed", "failure", "error", "killed"), Status.CRASHED),
    **dict.fromkeys(("timed_out", "time_out"), Status.TIMEOUT),
}


def is_nothing(cell: Any) -> bool:
    """Whether a cell is empty: None, what is not a number, or text that says so."""
    if isinstance(cell, str):
        return cell.strip() in _NOTHING
    return is_missing(cell) or type(cell).__name__ in _NOTHING_TYPES


def number(cell: Any) -> int | float | None:
    """The finite number of a cell, whole ones as integers; None for what is none, truth values among it."""
    if isinstance(cell, str):
        text = cell.strip()
        if len(text) > 400 or not _NUMBER.fullmatch(text):
            return None
        value: int | float = int(text) if text.lstrip("+-").isdigit() else float(text)
    else:
        try:
            value = plain_number(cell)
        except (TypeError, ValueError, OverflowError):
            return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None


def truth(cell: Any) -> bool | None:
    """None for what is neither true nor false."""
    if isinstance(cell, str):
        return _TRUTH.get(cell.strip().lower())
    # NumPy's truth values are no Python's.
    return bool(cell) if type(cell).__name__ in ("bool", "bool_") else None


def reader(h: Hyperparameter) -> Callable[[Any], Any]:
    """Of the cells of a hyperparameter's column: its values, None for an empty cell, and what is no value as it is."""
    if not isinstance(h, Choice):
        return _numeric
    places: dict[str, Value] = {}
    for choice in h.choices:
        places.setdefault(str(choice).lower() if isinstance(choice, bool) else str(choice), choice)

    def choose(cell: Any) -> Any:
        if isinstance(cell, str):
            text = cell.strip()
            if text in places:
                return places[text]
            if text.lower() in _TRUTH and text.lower() in places:
                return places[text.lower()]
            said = number(cell)
        elif is_nothing(cell):
            return None
        else:
            said = truth(cell) if truth(cell) is not None else number(cell)
        try:
            return h.check(cell if said is None else said)
        except ConfigurationError:
            # A number or truth value of a frame where the space has texts, or text that says that nothing is there.
            text = str(cell).strip()
            return places.get(text, None if is_nothing(cell) else cell)

    return choose


def _numeric(cell: Any) -> Any:
    found = number(cell)
    if found is not None:
        return found
    return None if is_nothing(cell) else cell


def ending(cell: Any, when_true: Status | None) -> Status | None:
    """How an evaluation ended, in a word; or, of a column of truth values, in `when_true` where it is true. None for
    what says neither."""
    if when_true is not None:
        said = truth(cell)
        if said is None and number(cell) in (0, 1):
            said = number(cell) == 1
        return None if said is None else when_true if said else Status.OK
    if not isinstance(cell, str):
        return None
    word = "_".join(cell.strip().lower().replace("-", " ").split())
    return _ENDINGS.get(word) or next((status for status in Status if status.value == word), None)
