"""A log as arrays for fitting."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import LogError
from jointbench.data.evaluation import Status
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.features import FeatureMap, Features

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Fewer configurations than these cannot be split into folds worth the name.
FEWEST_CONFIGURATIONS = 20


@dataclass(frozen=True)
class TrainingTable:
    """A log as arrays: features (n, f), errors (n, 2: validation, test), costs (n, len(COSTS)), statuses (n,).

    `group` numbers the configurations, so that splits and bootstraps never part the evaluations of one.
    """

    features: Features
    errors: FloatArray
    costs: FloatArray
    status: npt.NDArray[np.str_]
    budgets: FloatArray
    group: IntArray

    @cached_property
    def ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == Status.OK.value)

    def __len__(self) -> int:
        return len(self.group)

    def take(self, chosen: npt.NDArray[Any]) -> "TrainingTable":
        columns = (self.features, self.errors, self.costs, self.status, self.budgets, self.group)
        return TrainingTable(*(column[chosen] for column in columns))


def training_table(log: EvaluationLog, features: FeatureMap) -> TrainingTable:
    """Raises LogError when the log holds too few configurations to fit and judge a surrogate."""
    table = log.table()
    configurations = table["configuration"].combine_chunks()
    rows = np.stack([configurations.field(n).to_numpy(zero_copy_only=False) for n in log.space.names], axis=1)
    rows = rows.astype(np.float64).reshape(len(table), len(log.space.names))

    def column(name: str) -> FloatArray:
        return np.asarray(table[name].to_numpy(), dtype=np.float64)

    _, group = np.unique(rows, axis=0, return_inverse=True)
    status = table["status"].to_numpy(zero_copy_only=False).astype(str)
    succeeded = len(np.unique(group[status == Status.OK.value])) if len(rows) else 0
    if succeeded < FEWEST_CONFIGURATIONS:
        raise LogError(
            "log", str(log.path), f"at least {FEWEST_CONFIGURATIONS} configurations that ended ok, not {succeeded}"
        )
    costs = np.stack(
        [
            column("training_seconds"),
            column("wall_seconds") - column("training_seconds"),
            column("peak_memory"),
            column("images_per_second"),
        ],
        axis=1,
    )
    return TrainingTable(
        features.many(rows, column("budget")),
        np.stack([column("validation_error"), column("test_error")], axis=1),
        # A millisecond, a byte and an image a second keep the logarithm of a failure's zeros finite.
        np.log(np.maximum(costs, [1e-3, 1e-3, 1.0, 1.0])),
        status,
        column("budget"),
        group.reshape(-1).astype(np.int64),
    )
