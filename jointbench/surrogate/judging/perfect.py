"""A perfect predictor: what nobody can exceed, because the luck of a training cannot be foretold."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray

if TYPE_CHECKING:
    from jointbench.surrogate.judging.held_out import HeldOut

#: Logs that are drawn, and draws of each evaluation from which its expected errors are read.
WORLDS, _EXPECTED = 20, 400


@dataclass(frozen=True)
class PerfectPredictor:
    """Logs as they might have been, `drawn` (worlds, n, 2), if the truth were what the surrogates predict on average
    and luck as large as the noise says; `expected` (n, 2) errors, which a perfect predictor would say.
    """

    drawn: FloatArray
    expected: FloatArray

    @classmethod
    def of(cls, held_out: "HeldOut", seed: int) -> "PerfectPredictor":
        rng = np.random.default_rng(seed)
        drawn = _draws(held_out, rng, WORLDS)
        same = np.unique(np.stack([held_out.table.group, held_out.table.budgets]), axis=1, return_inverse=True)[1]
        return cls(drawn, _mean_of_each(_draws(held_out, rng, _EXPECTED).mean(axis=0), same.reshape(-1)))


def _draws(held_out: "HeldOut", rng: np.random.Generator, count: int) -> FloatArray:
    noise = held_out.noise
    truth, n = held_out.partitions.mean(axis=0), len(held_out.table)
    normal = rng.standard_normal((count, n))
    drawn = []
    for part, scale in enumerate(held_out.table.scales):
        luck = noise.luck(held_out.spread, normal, part)
        moved = scale.from_logit(scale.to_logit(truth[:, part]) + luck)
        drawn.append(scale.counted(noise, moved, rng.standard_normal((count, n))))
    return np.stack(drawn, axis=2)


def _mean_of_each(values: FloatArray, which: npt.NDArray[np.int64]) -> FloatArray:
    """Means (n, 2) over the rows that `which` (n,) numbers alike."""
    count = np.bincount(which)
    return np.stack([(np.bincount(which, column) / count)[which] for column in values.T], axis=1)
