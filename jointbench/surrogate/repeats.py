"""Trainings of one configuration that differ by their seed alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.table import TrainingTable


@dataclass(frozen=True)
class Repeats:
    """The configurations that ended ok with several seeds at a budget, each field (groups,) or (groups, 2).

    `rows` lists the table's rows of each, one a seed; `mean` and `variance` are of validation and test error,
    `covariance` between the two. Trainings that share a seed share their luck (two optimizers may propose the same):
    they tell nothing of it, and the first of them stands for all.
    """

    rows: list[npt.NDArray[np.int64]]
    mean: FloatArray
    variance: FloatArray
    covariance: FloatArray

    @classmethod
    def of(cls, table: TrainingTable) -> "Repeats":
        ok = np.flatnonzero(table.ok)
        keys = np.stack([table.group[ok], table.budgets[ok], table.seed[ok]], axis=1)
        # Seeds are integers of 64 bits: as numbers of their own they stay apart in a column of floats.
        keys[:, 2] = np.unique(table.seed[ok], return_inverse=True)[1]
        _, first = np.unique(keys, axis=0, return_index=True)
        ok = ok[np.sort(first)]
        _, own = np.unique(np.stack([table.group[ok], table.budgets[ok]], axis=1), axis=0, return_inverse=True)
        which = np.full(len(table), -1)
        which[ok] = own.reshape(-1)
        counts = np.bincount(which[ok])
        rows = [np.flatnonzero(which == group) for group in np.flatnonzero(counts > 1)]
        errors = [table.errors[chosen] for chosen in rows]
        return cls(
            rows,
            np.array([e.mean(axis=0) for e in errors]).reshape(-1, table.errors.shape[1]),
            np.array([e.var(axis=0, ddof=1) for e in errors]).reshape(-1, table.errors.shape[1]),
            np.array([np.cov(e.T)[0, 1] if e.shape[1] > 1 else 0.0 for e in errors]),
        )

    def __len__(self) -> int:
        return len(self.rows)
