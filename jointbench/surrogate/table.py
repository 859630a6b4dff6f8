"""A log as arrays for fitting."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError
from jointbench.data.evaluation import REFERENCE_CLOCK, Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.arrow import numbers_of
from jointbench.data.spaces.facts import Facts
from jointbench.data.spaces.space import Space

#: What is read of a log; not the curves, which make up most of it.
COLUMNS = (
    "configuration",
    "budget",
    "seed",
    "status",
    "validation_error",
    "test_error",
    "training_seconds",
    "wall_seconds",
    "batch_seconds",
    "validation_seconds",
    "test_seconds",
    "clock",
    "peak_memory",
    "images_per_second",
    "optimizer",
)

#: Fewer configurations than these cannot be split into folds worth the name.
FEWEST_CONFIGURATIONS = 20


@dataclass(frozen=True)
class TrainingTable:
    """A log as arrays: raw rows (n, hyperparameters), errors (n, 2: validation, test), the rest (n,).

    `costs` is (n, 4): training seconds, overhead seconds, peak memory in bytes, images per second. `group` numbers
    the configurations, so that splits never part the evaluations of one.
    """

    space: Space
    images: ImageFacts
    ladder: Ladder
    rows: FloatArray
    budgets: FloatArray
    errors: FloatArray
    costs: FloatArray
    seed: npt.NDArray[np.int64]
    status: npt.NDArray[np.str_]
    optimizer: npt.NDArray[np.str_]
    group: npt.NDArray[np.int64]

    @cached_property
    def ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == Status.OK.value)

    @cached_property
    def facts(self) -> Facts:
        return self.space.facts(self.rows, self.images.shape, self.images.classes)

    @cached_property
    def columns(self) -> dict[str, FloatArray]:
        """The hyperparameters by name, each (n,)."""
        return dict(zip(self.space.names, self.rows.T, strict=True))

    def __len__(self) -> int:
        return len(self.group)

    def ok_by_budget(self) -> Iterator[tuple[float | None, npt.NDArray[np.bool_]]]:
        """Each rung with a mask (n,) of the evaluations there that ended ok; at last None with all that did."""
        for rung in self.ladder.rungs:
            yield rung, self.ok & np.isclose(self.budgets, rung)
        yield None, self.ok

    def take(self, chosen: npt.NDArray[Any]) -> "TrainingTable":
        """The rows of a mask or of indices (which may repeat)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), np.ndarray)}
        return replace(self, **{name: array[chosen] for name, array in arrays.items()})


def training_table(log: EvaluationLog) -> TrainingTable:
    """Raises LogError when the log holds too few configurations to fit and judge a surrogate."""
    table = log.table(COLUMNS)
    rows = rows_of(table, log.space)

    def numbers(name: str) -> FloatArray:
        return np.asarray(table[name].to_numpy(), dtype=np.float64)

    def words(name: str) -> npt.NDArray[np.str_]:
        return np.asarray(table[name].to_numpy(zero_copy_only=False).astype(str))

    group = groups(rows)
    status = words("status")
    check_enough(len(np.unique(group[status == Status.OK.value])), log)
    training = numbers("training_seconds")
    # As `Evaluation.duration`: by a reference clock what a machine does besides does not count.
    counted = np.char.startswith(words("clock"), REFERENCE_CLOCK)
    beside = numbers("batch_seconds") + numbers("validation_seconds") + numbers("test_seconds")
    overhead = np.where(counted, beside, numbers("wall_seconds") - training)
    costs = [training, overhead, numbers("peak_memory"), numbers("images_per_second")]
    return TrainingTable(
        space=log.space,
        images=log.images,
        ladder=log.ladder,
        rows=rows,
        budgets=numbers("budget"),
        errors=np.stack([numbers("validation_error"), numbers("test_error")], axis=1),
        costs=np.stack(costs, axis=1),
        seed=np.asarray(table["seed"].to_numpy(), dtype=np.int64),
        status=status,
        optimizer=words("optimizer"),
        group=group,
    )


def rows_of(table: pa.Table, space: Space) -> FloatArray:
    """The configurations of a log's table as raw rows (n, hyperparameters)."""
    configurations = table["configuration"].combine_chunks()
    if not space.all_numbers:
        return numbers_of(configurations, space)
    rows = np.stack([configurations.field(name).to_numpy(zero_copy_only=False) for name in space.names], axis=1)
    return rows.astype(np.float64).reshape(len(table), len(space.names))


def check_enough(succeeded: int, log: EvaluationLog) -> None:
    """Raises LogError when so many configurations that ended ok are too few to fit and judge a surrogate."""
    if succeeded < FEWEST_CONFIGURATIONS:
        at = f"(at the budgets {log.ladder})"
        expected = f"at least {FEWEST_CONFIGURATIONS} configurations that ended ok, not {succeeded} {at}"
        raise LogError("log", str(log.path), expected)


def groups(rows: FloatArray) -> npt.NDArray[np.int64]:
    """A number for each different row (n, columns), the same in whatever order the rows come: result (n,).

    Sorting a million rows of numbers takes long; sorting what identifies each takes a moment.
    """
    mixed = np.zeros(len(rows), dtype=np.uint64)
    # Adding 0 makes one of the two zeros.
    for column in np.ascontiguousarray(rows.T + 0.0).view(np.uint64):
        # Multiplied by an odd number near 2^64 / golden ratio (Knuth), and shifted, so that every bit counts.
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    _, first, group = np.unique(mixed, return_index=True, return_inverse=True)
    group = group.reshape(-1).astype(np.int64)
    if not np.array_equal(rows[first][group], rows):
        # Two rows share their mixed bits, as once in ten million logs of a million rows.
        _, group = np.unique(rows, axis=0, return_inverse=True)
    return group.reshape(-1).astype(np.int64)
