"""Which columns of a table are metrics, in words: `validation_error=val_err,accuracy=acc:max,loss=nll:0..20`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jointbench.data.errors import InputError
from jointbench.data.importing.cells import number
from jointbench.data.importing.columns import Columns
from jointbench.data.metric_words import FRACTION
from jointbench.data.metrics import METRICS, Metric

_EXPECTED = "NAME=COLUMN pairs separated by commas, such as validation_error=val_err,training_seconds=time"
_SUFFIXES = (
    "the name of a column, :max behind it to maximise it, and bounds such as :0..20, "
    f"or :{FRACTION} for a fraction from 0 to 1"
)
_ALONE = "a column alone: direction and bounds of this name are known"


@dataclass(frozen=True)
class MetricColumn:
    """A metric and its column. `own`: it is the table's, and what a failure counts as follows from its values, as its
    bounds do where it is not `bounded`."""

    metric: Metric
    column: str
    own: bool = False
    bounded: bool = False


def metric_columns(given: Any) -> list[MetricColumn]:
    """The metrics, the objective first, of words, or of a mapping from names (or Metric objects) to columns.

    A name that is known everywhere (`metrics.METRICS`) means what it means there. Another is of the table's own: to be
    minimised, or with `:max` behind its column maximised, and with `:LOW..HIGH` bounded; with `:fraction` it is one
    from 0 to 1, which is shown in per cent. Raises InputError.
    """
    if isinstance(given, str):
        pairs = [_pair(part, given) for part in given.split(",")]
    elif isinstance(given, Mapping):
        pairs = list(given.items())
    else:
        raise InputError("metrics", given, f"{_EXPECTED}, or a mapping of names to columns")
    if not pairs:
        raise InputError("metrics", given, _EXPECTED)
    found = [_metric_column(name, words) for name, words in pairs]
    names = [one.metric.name for one in found]
    if len(set(names)) < len(names):
        raise InputError("metrics", max(names, key=names.count), "each name once")
    return found


def _pair(part: str, given: str) -> tuple[str, str]:
    name, equals, column = part.partition("=")
    if not equals or not name.strip() or not column.strip():
        raise InputError("metrics", given, _EXPECTED)
    return name.strip(), column.strip()


def _metric_column(name: Any, words: Any) -> MetricColumn:
    if not isinstance(words, str):
        raise InputError(f"column of the metric {name}", words, "the name of a column")
    if isinstance(name, Metric):
        return MetricColumn(name, words)
    column, unit = words, ""
    maximize: bool | None = None
    bounds: tuple[float, float] | None = None
    while ":" in column:
        before, _, option = column.rpartition(":")
        if option in ("max", "min"):
            again, maximize = maximize is not None, option == "max"
        elif option == FRACTION:
            again, bounds, unit = bounds is not None, (0.0, 1.0), FRACTION
        elif (found := _bounds(option)) is not None:
            again, bounds = bounds is not None, found
        else:
            # A column may have a colon in its name.
            break
        if again:
            raise InputError(f"metric {name}", words, _SUFFIXES)
        column = before
    if name in METRICS:
        if column != words:
            raise InputError(f"metric {name}", words, _ALONE)
        return MetricColumn(METRICS[name], column)
    if bounds is None:
        return MetricColumn(Metric(name, maximize=bool(maximize)), column, own=True)
    return MetricColumn(Metric(name, unit, maximize=bool(maximize), bounds=bounds), column, own=True, bounded=True)


def metric_cells(one: MetricColumn, columns: Columns) -> list[Any]:
    """The cells of a metric's column. Raises InputError for one that is there but for what stands behind a colon, and
    UnknownNameError for one that is not there at all."""
    begins = [one.column[:place] for place, letter in enumerate(one.column) if letter == ":"]
    if one.column not in columns.cells and any(begin in columns.cells for begin in begins):
        raise InputError(f"metric {one.metric.name}", one.column, _SUFFIXES if one.own else _ALONE)
    return columns.column(one.column, "metrics")


def _bounds(option: str) -> tuple[float, float] | None:
    """Of `0..1`, `0..` or `..1`; None for anything else."""
    low, dots, high = option.partition("..")
    ends = [number(end) if end else beyond for end, beyond in ((low, -math.inf), (high, math.inf))]
    if not dots or not (low or high) or None in ends:
        return None
    return float(ends[0] or 0), float(ends[1] or 0)


def settled(one: MetricColumn, values: Sequence[float]) -> Metric:
    """The metric with what follows from the `values` of evaluations that ended ok: one of the table's own is bounded by
    nought where none lies below, and a failure counts as the worst of them."""
    metric = one.metric
    if not one.own or not values:
        return metric
    if not one.bounded and min(values) >= 0:
        metric = replace(metric, bounds=(0.0, math.inf))
    return replace(metric, failure=float(min(values) if metric.maximize else max(values)))
