"""What a training can have given: the one check of the values of a log, for all who read it."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jointbench.data.errors import ConfigurationError, LogError
from jointbench.data.evaluation import Status
from jointbench.data.metrics import MOST
from jointbench.data.quantities import counted
from jointbench.data.spaces.arrow import from_struct
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task

_AMOUNT = (0.0, MOST, "a finite number of at least 0")
_FRACTION = (0.0, 1.0, "a fraction from 0 to 1")

#: The least and the most that a column which is no metric may hold, and the same in words. Of a list, each entry. What
#: is neither here nor a metric of the task may be anything but missing.
BOUNDS: Mapping[str, tuple[float, float, str]] = {
    "trial": (-1, 2**63 - 1, "a whole number of at least -1"),
    "finished_at": _AMOUNT,
    "curve_seconds": _AMOUNT,
    "curve_epochs": _AMOUNT,
    "curve_validation_error": _FRACTION,
}

_STATUSES = [status.value for status in Status]


@dataclass(frozen=True)
class Fault:
    """Values of a column that no training gives: the first one and its `row` (from 0), and how many rows there are."""

    column: str
    row: int
    value: object
    expected: str
    count: int

    def error(self, file: Path) -> LogError:
        more = f" ({self.count - 1:,} more rows are like it)" if self.count > 1 else ""
        return LogError(f"{self.column} in row {self.row} (from 0) of {file}", self.value, self.expected + more)

    def __str__(self) -> str:
        value = f"{self.value:g}" if isinstance(self.value, float) else "missing" if self.value is None else self.value
        where = f"first in row {self.row} (from 0)"
        return f"{counted(self.count, 'evaluation')} with {self.column} {value}, {where}: expected {self.expected}"


def check(table: pa.Table, task: Task, file: Path) -> None:
    """Whether the columns that were read of `file` hold what a training can have given.

    Raises LogError with the first column, row and value that do not, and what was expected.
    """
    for fault in faults(table, task):
        raise fault.error(file)


def faults(table: pa.Table, task: Task) -> Iterator[Fault]:
    """At most one a column, of the columns that the table has; rows are counted as they stand."""
    for name in table.column_names:
        column = table[name]
        if name == "configuration":
            yield from _of_configurations(column.combine_chunks(), task)
        elif column.null_count and not _optional(name, task):
            expected = "a list" if pa.types.is_list(column.type) else _expected(name, task)
            yield _first(name, column, column.is_null().to_numpy(), expected)
        elif pa.types.is_list(column.type):
            yield from _of_lists(name, column.combine_chunks())
        else:
            wrong = _wrong(name, column, task)
            if wrong is not None and wrong.any():
                yield _first(name, column, wrong, _expected(name, task))


def _optional(name: str, task: Task) -> bool:
    """Whether it may be missing: a metric that some evaluations do not have."""
    metric = task.by_name.get(name)
    return metric is not None and not task.requires(metric)


def _wrong(name: str, column: pa.ChunkedArray, task: Task) -> npt.NDArray[np.bool_] | None:
    """A mask (n,) of the values that cannot be; None where all may."""
    if name == "budget":
        return ~task.ladder.has(column.to_numpy())
    if name == "status":
        return ~np.asarray(pc.is_in(column, pa.array(_STATUSES)).to_numpy(), dtype=bool)
    if name == "space":
        return np.asarray(pc.not_equal(column, task.space.name).to_numpy(), dtype=bool)
    if (least_and_most := bounds(name, task)) is not None:
        there = np.asarray(column.is_valid().to_numpy(), dtype=bool)
        return there & _outside(column.to_numpy(zero_copy_only=False), *least_and_most[:2])
    return None


def bounds(name: str, task: Task) -> tuple[float, float, str] | None:
    """The least and the most that a column may hold, and the same in words; None where there are no bounds."""
    metric = task.by_name.get(name)
    if metric is None:
        return BOUNDS.get(name)
    low, high = metric.bounds
    # Infinity is no number that could be worked with.
    return max(low, -sys.float_info.max), min(high, sys.float_info.max), metric.range


def _outside(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.bool_]:
    """A mask (n,); what is not a number is outside too."""
    return ~((values >= low) & (values <= high))


def _of_configurations(column: pa.StructArray, task: Task) -> Iterator[Fault]:
    where = f"(it is outside the space '{task.space.name}')"
    if column.null_count:
        yield _first("configuration", column, column.is_null().to_numpy(zero_copy_only=False), f"a value {where}")
        return
    if not task.space.all_numbers:
        yield from _by_conditions(column, task.space, where)
        return
    for h in task.space.hyperparameters:
        values = column.field(h.name)
        if values.null_count:
            wrong = values.is_null().to_numpy(zero_copy_only=False)
        else:
            wrong = _outside(values.to_numpy(), h.low, h.high)
        if wrong.any():
            yield _first(f"configuration.{h.name}", values, wrong, f"{h.range} {where}")


def _by_conditions(column: pa.StructArray, space: Space, where: str) -> Iterator[Fault]:
    """One fault a hyperparameter, of the first row that has it."""
    found: dict[str, list[tuple[int, ConfigurationError]]] = {}
    for number, row in enumerate(column.to_pylist()):
        try:
            space.check(from_struct(row, column.type))
        except ConfigurationError as error:
            found.setdefault(error.field, []).append((number, error))
    for name, wrong in found.items():
        number, first = wrong[0]
        yield Fault(f"configuration.{name}", number, first.value, f"{first.expected} {where}", len(wrong))


def _of_lists(name: str, column: pa.ListArray) -> Iterator[Fault]:
    entries = column.flatten()
    if entries.null_count:
        wrong = entries.is_null().to_numpy(zero_copy_only=False)
    elif name in BOUNDS:
        wrong = _outside(entries.to_numpy(), *BOUNDS[name][:2])
    else:
        return
    if wrong.any():
        rows = np.repeat(np.arange(len(column)), column.value_lengths().to_numpy())[wrong]
        expected = f"{BOUNDS[name][2] if name in BOUNDS else 'a number'} as each entry"
        value = entries[int(np.flatnonzero(wrong)[0])].as_py()
        yield Fault(name, int(rows[0]), value, expected, len(np.unique(rows)))


def _first(name: str, column: Any, wrong: npt.NDArray[np.bool_], expected: str) -> Fault:
    row = int(np.flatnonzero(wrong)[0])
    return Fault(name, row, column[row].as_py(), expected, int(wrong.sum()))


def _expected(name: str, task: Task) -> str:
    if name == "budget":
        ladder = task.ladder
        return (
            f"{ladder.minimum:g} to {ladder.maximum:g} {ladder.unit}"
            if ladder.continuous
            else f"one of {ladder} ({ladder.unit})"
        )
    if name == "status":
        return "one of " + ", ".join(_STATUSES)
    if name == "space":
        return f"'{task.space.name}', the space of the log"
    least_and_most = bounds(name, task)
    return "a value" if least_and_most is None else least_and_most[2]
