"""Who is asked beside a teacher's Gaussian process.

Boosted trees, and where there is much to learn from small networks and processes whose kernels were found on other
evaluations: each errs elsewhere, so that together they err less. A process that takes what is strange for noise is
asked, too, where that is better on what was not seen: of some losses the tails are luck, of others to be learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.boosting import boost
from jointbench.surrogate.gaussian_process import SEARCHED, GaussianProcess, Kernel, searched
from jointbench.surrogate.networks import Networks
from jointbench.surrogate.strange import noise_of_strange
from jointbench.surrogate.table import TrainingTable

#: From so many evaluations on networks know enough to be asked, and a kernel's search leaves out some. What is said
#: then is less smooth, and a student of it learns for longer (`student.distillation`).
MANY = SEARCHED
#: Processes beside the first there, since what a search finds hangs on which evaluations it sees; and networks.
_MORE, _NETWORKS = 2, 3
#: Parts into which configurations are dealt; on the first, or each in turn, all are held against each other.
_PARTS = 3
#: A share of trees beside the process alone is none below this: it would be luck.
_LEAST_SHARE = 0.15
#: Where networks are asked, too, a share falls with this power of the mean square of what one is off by.
_POWER = 2.0

_TREES: dict[str, Any] = {
    "tree_method": "hist",
    "nthread": 1,
    "base_score": 0.0,
    "multi_strategy": "multi_output_tree",
    "max_depth": 5,
    "learning_rate": 0.06,
    "subsample": 0.8,
    "colsample_bynode": 0.6,
    "min_child_weight": 2,
}
_ROUNDS = 300

#: Which of the evaluations.
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beside:
    """`shares` (learners, outputs), which sum to 1: of the processes, with the first; of the trees; of the networks and
    of a `mild` process, which takes what is strange for noise, where there are any."""

    processes: Sequence[GaussianProcess]
    trees: Any
    networks: Networks | None
    mild: GaussianProcess | None
    shares: FloatArray

    @classmethod
    def fit(
        cls,
        process: GaussianProcess,
        raw: FloatArray,
        scaled: FloatArray,
        seen: TrainingTable,
        worked: Rows,
        seed: int,
        mild: GaussianProcess | None = None,
    ) -> "Beside | None":
        """To what the process is conditioned on: features `raw` and `scaled` (n, features) of the trainings `seen`;
        deterministic given them and the seed. Trees and networks, which know no noise, learn from what `worked` (n,).
        Of a `mild` process, which takes what is strange for noise, it hangs on few trainings whether it is better, so
        that with one each part is held against what is said without it, not the first alone. None where nobody beside
        the process has a share, or none can be told."""
        lesson = _Lesson(process, raw, scaled, seen, worked, seed)
        number = np.unique(seen.parted, return_inverse=True)[1].reshape(-1)
        part = (np.random.default_rng(seed).permutation(number.max() + 1) % _PARTS)[number]
        if (part == 0).all() or not (part == 0).any():
            return None
        held = [part == one for one in np.unique(part)[: 1 if mild is None else _PARTS]]
        off = np.concatenate([lesson.off(judged, mild) for judged in held], axis=1)
        if mild is not None and np.mean(off[-1] ** 2) >= np.mean(off[0] ** 2):
            off, mild = off[:-1], None
        shares = (_least_off_alone if lesson.many else _least_off_together)(off)
        if not shares[1:].any():
            return None
        kernels = [_kernel(process, scaled, seen, seed + 1 + more) for more in range(_MORE * lesson.many)]
        everyone = lesson.learned(np.ones(len(seen), dtype=bool), kernels, _NETWORKS * lesson.many)
        return replace(everyone, shares=shares, mild=mild)

    def mixed(self, said: FloatArray, raw: FloatArray, scaled: FloatArray) -> FloatArray:
        """What all say together (n, outputs), of what the first process `said`."""
        return np.asarray((self.shares[:, None] * self._each(said, raw, scaled)).sum(axis=0))

    def _each(self, said: FloatArray, raw: FloatArray, scaled: FloatArray) -> FloatArray:
        """(learners, n, outputs)."""
        processes = np.mean([said, *(process.mean(scaled) for process in self.processes)], axis=0)
        networks = [] if self.networks is None else [self.networks.predict(scaled)]
        mild = [] if self.mild is None else [self.mild.mean(scaled)]
        return np.stack([processes, _predict(self.trees, raw), *networks, *mild])


@dataclass(frozen=True)
class _Lesson:
    """What those beside a process learn from; `Beside.fit` says what."""

    process: GaussianProcess
    raw: FloatArray
    scaled: FloatArray
    seen: TrainingTable
    worked: Rows
    seed: int

    @property
    def many(self) -> bool:
        return len(self.seen) >= MANY

    def conditioned(self, kernel: Kernel, rows: Rows) -> GaussianProcess:
        """A process of such a kernel on some of what the process is conditioned on."""
        of, group = self.process, self.seen.group[rows] if self.process.kernel.shared else None
        return GaussianProcess(kernel, self.scaled[rows], of.observed[rows], of.kind[rows], of.known[rows], group)

    def learned(self, rows: Rows, kernels: Sequence[Kernel], networks: int) -> Beside:
        """All with the same share, but for a mild process."""
        y, learned_from = self.process.observed, rows & self.worked
        processes = [self.conditioned(kernel, rows) for kernel in kernels]
        trees = boost(self.raw[learned_from], y[learned_from], _TREES, _ROUNDS, self.seed)
        nets = None
        if networks:
            nets = Networks.fit(self.scaled[learned_from], y[learned_from], self.seed, networks)
        asked = 2 + bool(networks)
        return Beside(processes, trees, nets, None, np.full((asked, y.shape[1]), 1 / asked))

    def off(self, held: Rows, mild: GaussianProcess | None) -> FloatArray:
        """By how much each, the first process among them, is off where it has not learned: in those rows that are
        `held` and worked (learners, n, outputs)."""
        rest, judged = ~held, held & self.worked
        without = self.learned(rest, [self.process.kernel], int(self.many))
        if mild is not None:
            strict = self.conditioned(mild.kernel, rest)
            known = noise_of_strange(strict, self.seen.parted[rest], self.process.known[rest])
            without = replace(without, mild=strict if known is None else strict.again(mild.kernel, known))
        (first,) = without.processes
        scaled = self.scaled[judged]
        each = replace(without, processes=[])._each(first.mean(scaled), self.raw[judged], scaled)
        return each - self.process.observed[judged]


def _least_off_together(off: FloatArray) -> FloatArray:
    """Shares of a process and trees that are `off` by so much (2, n, outputs): those with which they would have been
    off by least together. Each output's sum to 1."""
    of_process, of_trees = off
    apart = of_process - of_trees
    share = (of_process * apart).sum(axis=0) / np.maximum((apart**2).sum(axis=0), 1e-12)
    share = np.where(share < _LEAST_SHARE, 0.0, np.minimum(share, 1.0))
    return np.stack([1 - share, share])


def _least_off_alone(off: FloatArray) -> FloatArray:
    """Shares of learners (learners, n, outputs), each the more the less it is off by itself: of three, those that would
    have been off by least together hang too much on few evaluations. Each output's sum to 1."""
    earned = np.maximum(np.mean(off**2, axis=1), 1e-12) ** -_POWER
    return np.asarray(earned / earned.sum(axis=0))


def _kernel(process: GaussianProcess, scaled: FloatArray, seen: TrainingTable, seed: int) -> Kernel:
    """As the process's own was found, on other evaluations."""
    rows = searched(len(seen), seed)
    start = Kernel.start(scaled.shape[1], len(process.kernel.noise))
    y, kind, known = process.observed[rows], process.kind[rows], process.known[rows]
    group = seen.group[rows] if process.kernel.shared else None
    return start.search(scaled[rows], y, kind, known=known, group=group)


def _predict(trees: Any, raw: FloatArray) -> FloatArray:
    import xgboost

    said = trees.predict(xgboost.DMatrix(raw.astype(np.float32), nthread=1))
    return np.asarray(said.reshape(len(raw), -1), dtype=np.float64)
