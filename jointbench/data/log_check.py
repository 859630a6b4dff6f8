"""What a training can have given: the one check of the values of a log, for all who read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jointbench.data.errors import LogError
from jointbench.data.evaluation import Status
from jointbench.data.ladder import SAME_RUNG
from jointbench.data.schema import LogFacts

#: No training takes, and no device gives, more of anything than this.
_MOST = 1e12

_FRACTION = (0.0, 1.0, "a fraction from 0 to 1")
_AMOUNT = (0.0, _MOST, "a finite number of at least 0")
_COUNT = (0, 2**63 - 1, "a whole number of at least 0")

#: The least and the most that a column may hold, and the same in words. Of a list, each entry. What is not here may be
#: anything but missing.
BOUNDS: Mapping[str, tuple[float, float, str]] = {
    "validation_error": _FRACTION,
    "test_error": _FRACTION,
    "parameters": _COUNT,
    "flops": _COUNT,
    "training_seconds": _AMOUNT,
    "wall_seconds": _AMOUNT,
    "warmup_seconds": _AMOUNT,
    "measured_seconds": _AMOUNT,
    "batch_seconds": _AMOUNT,
    "validation_seconds": _AMOUNT,
    "test_seconds": _AMOUNT,
    "peak_memory": _COUNT,
    "evaluation_memory": _COUNT,
    "images_per_second": _AMOUNT,
    "epochs": _AMOUNT,
    "steps": _COUNT,
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
        return f"{self.count:,} evaluation(s) with {self.column} {value}, {where}: expected {self.expected}"


def check(table: pa.Table, facts: LogFacts, file: Path) -> None:
    """Whether the columns that were read of `file` hold what a training can have given.

    Raises LogError with the first column, row and value that do not, and what was expected.
    """
    for fault in faults(table, facts):
        raise fault.error(file)


def faults(table: pa.Table, facts: LogFacts) -> Iterator[Fault]:
    """At most one a column, of the columns that the table has; rows are counted as they stand."""
    for name in table.column_names:
        column = table[name]
        if name == "configuration":
            yield from _of_configurations(column.combine_chunks(), facts)
        elif column.null_count:
            expected = "a list" if pa.types.is_list(column.type) else _expected(name, facts)
            yield _first(name, column, column.is_null().to_numpy(), expected)
        elif pa.types.is_list(column.type):
            yield from _of_lists(name, column.combine_chunks())
        else:
            wrong = _wrong(name, column, facts)
            if wrong is not None and wrong.any():
                yield _first(name, column, wrong, _expected(name, facts))


def _wrong(name: str, column: pa.ChunkedArray, facts: LogFacts) -> npt.NDArray[np.bool_] | None:
    """A mask (n,) of the values that cannot be; None where all may."""
    if name == "budget":
        budgets = column.to_numpy()
        right = np.zeros(len(budgets), dtype=bool)
        for rung in facts.ladder.rungs:
            right |= np.abs(budgets - rung) <= SAME_RUNG * rung
        return ~right
    if name == "status":
        return ~np.asarray(pc.is_in(column, pa.array(_STATUSES)).to_numpy(), dtype=bool)
    if name == "space":
        return np.asarray(pc.not_equal(column, facts.space.name).to_numpy(), dtype=bool)
    if name in BOUNDS:
        return _outside(column.to_numpy(), *BOUNDS[name][:2])
    return None


def _outside(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.bool_]:
    """A mask (n,); what is not a number is outside too."""
    return ~((values >= low) & (values <= high))


def _of_configurations(column: pa.StructArray, facts: LogFacts) -> Iterator[Fault]:
    where = f"(it is outside the space '{facts.space.name}')"
    if column.null_count:
        yield _first("configuration", column, column.is_null().to_numpy(zero_copy_only=False), f"a value {where}")
        return
    for h in facts.space.hyperparameters:
        values = column.field(h.name)
        if values.null_count:
            wrong = values.is_null().to_numpy(zero_copy_only=False)
        else:
            wrong = _outside(values.to_numpy(), h.low, h.high)
        if wrong.any():
            yield _first(f"configuration.{h.name}", values, wrong, f"{h.range} {where}")


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


def _expected(name: str, facts: LogFacts) -> str:
    if name == "budget":
        return f"one of {facts.ladder} ({facts.ladder.unit})"
    if name == "status":
        return "one of " + ", ".join(_STATUSES)
    if name == "space":
        return f"'{facts.space.name}', the space of the log"
    return BOUNDS[name][2] if name in BOUNDS else "a value"
