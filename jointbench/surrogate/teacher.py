"""The teacher: a Gaussian process of both errors, which must carry its evaluations along and is never frozen itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.gaussian_process import GaussianProcess, Kernel
from jointbench.surrogate.inputs import Inputs
from jointbench.surrogate.table import TrainingTable

#: A search takes the cube of what it sees: the kernel is found on so many evaluations, drawn at random, and conditioned
#: on all of them, up to so many.
SEARCHED, CONDITIONED = 1_000, 4_000


@dataclass(frozen=True)
class Teacher:
    """A process on scaled `inputs`, of errors as logits of `ErrorScale` less their `mean` (2,) over `deviation` (2,);
    `seen` are the trainings that it is conditioned on.
    """

    inputs: Inputs
    process: GaussianProcess
    mean: FloatArray
    deviation: FloatArray
    seen: TrainingTable

    @classmethod
    def fit(cls, ok: TrainingTable, seed: int, *, logarithms: bool = True, noise_by_rung: bool = True) -> "Teacher":
        """From trainings that ended ok; deterministic given them and the seed. Without `logarithms` of the features, or
        a noise for each rung, it is worse: `ingredients` measures by how much.
        """
        order = np.random.default_rng(seed).permutation(len(ok))
        seen = ok.take(np.sort(order[:CONDITIONED])) if len(ok) > CONDITIONED else ok
        inputs, logits = Inputs(seen, logarithms=logarithms), error_logits(seen)
        mean, deviation = logits.mean(axis=0), np.maximum(logits.std(axis=0), 1e-9)
        x, y, kind = inputs.scaled(seen), (logits - mean) / deviation, rung_numbers(seen) * noise_by_rung
        few = np.sort(np.random.default_rng(seed).permutation(len(seen))[:SEARCHED])
        kernel = Kernel.start(x.shape[1], len(ok.ladder.rungs)).search(x[few], y[few], kind[few])
        return cls(inputs, GaussianProcess(kernel, x, y, kind), mean, deviation, seen)

    def logits(self, table: TrainingTable) -> FloatArray:
        """Validation and test errors as logits of `ErrorScale`, (n, 2)."""
        return np.asarray(self.process.mean(self.inputs.scaled(table)) * self.deviation + self.mean)

    def variance(self, table: TrainingTable) -> FloatArray:
        """What it does not know of the expected validation error: a variance of its logit, (n,)."""
        return np.asarray(self.process.variance(self.inputs.scaled(table)) * self.deviation[0] ** 2)

    def surprise(self) -> FloatArray:
        """Squared errors of logits (n,), the mean of both, of predicting each training that it has seen without its
        configuration.
        """
        apart = (self.process.observed - self.process.held_out(self.seen.parted)) * self.deviation
        return np.asarray((apart**2).mean(axis=1))


def error_logits(table: TrainingTable) -> FloatArray:
    """What models of errors learn: validation and test errors as logits of `ErrorScale`, (n, 2)."""
    return np.stack([scale.to_logit(table.errors[:, part]) for part, scale in enumerate(table.scales)], axis=1)


def rung_numbers(table: TrainingTable) -> npt.NDArray[np.int64]:
    """The number (n,) of the rung nearest to each budget."""
    return table.ladder.nearest(table.budgets)
