"""The teacher: a Gaussian process of both errors, which must carry its evaluations along and is never frozen itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.gaussian_process import GaussianProcess, Kernel
from jointbench.surrogate.inputs import Inputs
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.table import TrainingTable

#: A search takes the cube of what it sees: the kernel is found on so many evaluations, drawn at random, and conditioned
#: on all of them, up to so many.
SEARCHED, CONDITIONED = 1_000, 4_000

#: An error that is counted on images varies at least by this share of the binomial variance: the images are the same
#: for all trainings, so that it is less than the whole. Without such a floor a process believes that budgets without
#: repeats have no noise, and swings between trainings that had bad luck.
_COUNTED = 0.5
#: So many standard deviations from what the others say is a training that collapsed, by luck: it is taken for noise as
#: large as its distance. Few do, at learning rates where their neighbours are among the best.
_COLLAPSED = 4.0
#: Steps of the search that goes on without them.
_STEPS_AFTER = 10


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
        known = _counted_variance(seen) / deviation[0] ** 2
        kernel = Kernel.start(x.shape[1], len(ok.ladder.rungs)).search(x[few], y[few], kind[few], known=known[few])
        process = GaussianProcess(kernel, x, y, kind, known)
        apart, strange = process.strangeness(seen.parted)
        if (strange > _COLLAPSED**2).any():
            known = np.where(strange > _COLLAPSED**2, np.maximum(apart, known), known)
            kernel = kernel.search(x[few], y[few], kind[few], _STEPS_AFTER, known[few])
            process = GaussianProcess(kernel, x, y, kind, known)
        return cls(inputs, process, mean, deviation, seen)

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


def _counted_variance(table: TrainingTable) -> FloatArray:
    """Of the logit of each validation error (n,), from its being counted on images; nought where it is not."""
    scale = table.scales[0]
    if not isinstance(scale, ErrorScale):
        return np.zeros(len(table))
    error = np.clip(table.errors[:, 0], scale.half, 1 - scale.half)
    return np.asarray(_COUNTED * error * (1 - error) / scale.images * scale.slope(error) ** 2)


def rung_numbers(table: TrainingTable) -> npt.NDArray[np.int64]:
    """The number (n,) of the rung nearest to each budget."""
    return table.ladder.nearest(table.budgets)
