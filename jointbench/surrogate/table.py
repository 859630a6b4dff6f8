"""A log as arrays for fitting."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import LogError
from jointbench.data.evaluation import Status
from jointbench.data.images import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.space import Facts, FloatArray, Space

#: Fewer configurations than these cannot be split into folds worth the name.
FEWEST_CONFIGURATIONS = 20


@dataclass(frozen=True)
class TrainingTable:
    """A log as arrays: raw rows (n, hyperparameters), errors (n, 2: validation, test), the rest (n,).

    `costs` is (n, 4): training seconds, overhead seconds, peak memory in bytes, images per second. `group` numbers
    the configurations, so that splits and bootstraps never part the evaluations of one.
    """

    space: Space
    images: ImageFacts
    ladder: Ladder
    rows: FloatArray
    budgets: FloatArray
    errors: FloatArray
    costs: FloatArray
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

    def take(self, chosen: npt.NDArray[Any]) -> "TrainingTable":
        """The rows of a mask or of indices (which may repeat)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), np.ndarray)}
        return replace(self, **{name: array[chosen] for name, array in arrays.items()})


def training_table(log: EvaluationLog) -> TrainingTable:
    """Raises LogError when the log holds too few configurations to fit and judge a surrogate."""
    table = log.table()
    configurations = table["configuration"].combine_chunks()
    rows = np.stack([configurations.field(n).to_numpy(zero_copy_only=False) for n in log.space.names], axis=1)
    rows = rows.astype(np.float64).reshape(len(table), len(log.space.names))

    def numbers(name: str) -> FloatArray:
        return np.asarray(table[name].to_numpy(), dtype=np.float64)

    def words(name: str) -> npt.NDArray[np.str_]:
        return np.asarray(table[name].to_numpy(zero_copy_only=False).astype(str))

    _, group = np.unique(rows, axis=0, return_inverse=True)
    status = words("status")
    succeeded = len(np.unique(group[status == Status.OK.value])) if len(rows) else 0
    if succeeded < FEWEST_CONFIGURATIONS:
        raise LogError(
            "log", str(log.path), f"at least {FEWEST_CONFIGURATIONS} configurations that ended ok, not {succeeded}"
        )
    training = numbers("training_seconds")
    costs = [training, numbers("wall_seconds") - training, numbers("peak_memory"), numbers("images_per_second")]
    return TrainingTable(
        space=log.space,
        images=log.images,
        ladder=log.ladder,
        rows=rows,
        budgets=numbers("budget"),
        errors=np.stack([numbers("validation_error"), numbers("test_error")], axis=1),
        costs=np.stack(costs, axis=1),
        status=status,
        optimizer=words("optimizer"),
        group=group.reshape(-1).astype(np.int64),
    )
