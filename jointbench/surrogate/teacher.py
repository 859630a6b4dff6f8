"""The teacher: a Gaussian process of the errors, and others beside it where they earn a share; it must carry its
evaluations along and is never frozen itself."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.beside import MANY, Beside, Rows
from jointbench.surrogate.bounds import Bounds
from jointbench.surrogate.collapse import Collapse
from jointbench.surrogate.gaussian_process import GaussianProcess, Kernel, searched
from jointbench.surrogate.inputs import Inputs
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.strange import apart_and_strange, tolerant
from jointbench.surrogate.table import TrainingTable

#: A process is conditioned on all evaluations, up to so many, drawn at random.
CONDITIONED = 6_000

#: An error that is counted on images varies at least by this share of the binomial variance: the images are the same
#: for all trainings, so that it is less than the whole. Without such a floor a process believes that budgets without
#: repeats have no noise, and swings between trainings that had bad luck.
_COUNTED = 0.5
#: So far above, as a logit, lies what did not only have bad luck, but did not work.
_GAP = 1.0
#: The share of the best by whose errors it is said how far below the best of all an answer may be.
_BEST = 0.25
#: Logits of errors are within it; and the least that an answer may be below the lowest.
_FARTHEST, _LEAST_BELOW = 50.0, 1e-6


@dataclass(frozen=True)
class Teacher:
    """A process on scaled `inputs`, of errors as logits of `ErrorScale` less their `mean` (2,) over `deviation` (2,);
    `seen` are the trainings that it is conditioned on. `beside`: who says the same beside it, None where nobody has a
    share. Of trainings on images `collapse`, None where hardly any did, and `bounds`.
    """

    inputs: Inputs
    process: GaussianProcess
    mean: FloatArray
    deviation: FloatArray
    seen: TrainingTable
    beside: Beside | None = None
    collapse: Collapse | None = None
    bounds: Bounds | None = None

    @classmethod
    def fit(
        cls,
        ok: TrainingTable,
        seed: int,
        *,
        logarithms: bool = True,
        noise_by_rung: bool = True,
        shared: bool = True,
        stacked: bool = True,
        collapses: bool = True,
    ) -> "Teacher":
        """From trainings that ended ok; deterministic given them and the seed. Without `logarithms` of the features, a
        noise for each rung, what the points of a learning curve have in common (`shared`), others beside the
        process (`stacked`), or what is said apart of trainings that collapse, with bounds below which no answer is
        (`collapses`), it is worse: `ingredients` measures by how much. Fewer than a thousand trainings on images have
        none beside; on a ladder of rungs they share nothing; of other tasks none collapses.
        """
        order = np.random.default_rng(seed).permutation(len(ok))
        seen = ok.take(np.sort(order[:CONDITIONED])) if len(ok) > CONDITIONED else ok
        inputs, logits = Inputs(seen, logarithms=logarithms), error_logits(seen)
        mean, deviation = logits.mean(axis=0), np.maximum(logits.std(axis=0), 1e-9)
        x, y, kind = inputs.scaled(seen), (logits - mean) / deviation, rung_numbers(seen) * noise_by_rung
        few = searched(len(seen), seed)
        # Of learning curves, whose points are one training's; on a ladder of rungs each is a training of its own.
        group = seen.group if shared and ok.ladder.continuous else None
        counted = _counted_variance(seen) / deviation[0] ** 2
        grouped = None if group is None else group[few]
        kernel = Kernel.start(x.shape[1], len(ok.ladder.rungs))
        kernel = kernel.search(x[few], y[few], kind[few], known=counted[few], group=grouped)
        process, mild = GaussianProcess(kernel, x, y, kind, counted, group), None
        if ok.measures is None:
            # A training that is far above the others collapsed, by luck. Few do, at learning rates where their
            # neighbours are among the best.
            process = tolerant(process, seen.parted, counted, few)
        elif len(seen) >= MANY:
            # Losses may have long tails that are no luck (docs/importing.md): what was not seen decides.
            found = tolerant(process, seen.parted, counted, few)
            mild = None if found is process else found
        made = cls(inputs, process, mean, deviation, seen)
        # Of few trainings on images trees do not know more than the process.
        if stacked and (ok.measures is not None or len(seen) >= MANY):
            made = made.with_beside(process.known == counted, seed, mild)
        return made.with_collapse(counted, seed) if collapses and ok.measures is None else made

    def with_collapse(self, counted: FloatArray, seed: int) -> "Teacher":
        """With the chance that a training does not work, and bounds below which no answer is: of each rung and error
        the lowest that the process says of what was trained and worked, less the root mean square of how far off it is
        among the best, so that who searches hard is not promised what nobody has come near."""
        apart, strange = apart_and_strange(self.process, self.seen.parted, counted)
        off = apart * self.deviation
        collapsed = strange & (off[:, 0] > _GAP)
        said = self.lessons(self.seen)
        # Where nothing was trained nothing is known.
        shape = len(self.seen.ladder.rungs), said.shape[1]
        lowest, below = np.full(shape, -_FARTHEST), np.full(shape, _FARTHEST)
        rungs = rung_numbers(self.seen)
        for rung in np.unique(rungs[~strange]):
            at = (rungs == rung) & ~strange
            for part in range(said.shape[1]):
                best = at & (said[:, part] <= np.quantile(said[at, part], _BEST))
                lowest[rung, part] = said[at, part].min()
                below[rung, part] = max(np.sqrt(np.mean(off[best, part] ** 2)), _LEAST_BELOW)
        bounds = Bounds.from_dict({"lowest": lowest.tolist(), "below": below.tolist()}, self.seen.ladder.rungs)
        found = Collapse.fit(self.inputs.raw(self.seen), self.seen.errors, collapsed, seed)
        return replace(self, collapse=found, bounds=bounds)

    def with_beside(self, worked: Rows, seed: int, mild: GaussianProcess | None = None) -> "Teacher":
        """With others beside the process where they earn a share on what they have not seen; they learn from what
        `worked` (n,). `mild`: a process that takes what is strange for noise."""
        raw, scaled = self.inputs.raw(self.seen), self.inputs.scaled(self.seen)
        return replace(self, beside=Beside.fit(self.process, raw, scaled, self.seen, worked, seed, mild))

    def logits(self, table: TrainingTable) -> FloatArray:
        """Validation and test errors as logits of `ErrorScale`, (n, 2)."""
        return self._bounded(self._expected(self.lessons(table), table), table)

    def lessons(self, table: TrainingTable) -> FloatArray:
        """What a student is taught: logits (n, errors) of trainings that work. Which collapse, and the bounds, are said
        after it."""
        scaled = self.inputs.scaled(table)
        said = self.process.mean(scaled)
        if self.beside is not None:
            said = self.beside.mixed(said, self.inputs.raw(table), scaled)
        return said * self.deviation + self.mean

    def _expected(self, logits: FloatArray, table: TrainingTable) -> FloatArray:
        """Of logits (n, errors) of trainings that work those of what they are on average."""
        if self.collapse is None:
            return np.asarray(logits)
        return self.collapse.expected(logits, self.inputs.raw(table), table.scales)

    def _bounded(self, logits: FloatArray, table: TrainingTable) -> FloatArray:
        return logits if self.bounds is None else np.stack(self.bounds.bound(list(logits.T), table.budgets), axis=1)

    def variance(self, table: TrainingTable) -> FloatArray:
        """What it does not know of the expected validation error: a variance of its logit, (n,)."""
        return np.asarray(self.process.variance(self.inputs.scaled(table)) * self.deviation[0] ** 2)

    def disappointment(self) -> FloatArray:
        """How much more each training that it has seen lost than it says without its configuration: a difference of the
        validation error's logits (n,)."""
        apart, _ = self.process.apart(self.seen.parted)
        return np.asarray(apart[:, 0] * self.deviation[0])

    def surprise(self) -> FloatArray:
        """Squared errors of logits (n,), the mean of both, of predicting each training that it has seen without its
        configuration.
        """
        said = self.process.held_out(self.seen.parted) * self.deviation + self.mean
        apart = error_logits(self.seen) - self._bounded(self._expected(said, self.seen), self.seen)
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
