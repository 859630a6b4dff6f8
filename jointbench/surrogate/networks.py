"""Small neural networks, scikit-learn's multi-layer perceptrons.

Some are asked beside the Gaussian process, since where a loss has long tails they often know more: the mean of a few
that differ by their first weights and by the order of what they learn from. Another learns what a teacher says.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.features import Features
from jointbench.surrogate.student_network import SHIFT, NetworkInputs, StudentNetwork


@dataclass(frozen=True)
class _Learning:
    """`units` of each layer; `rates` of learning (Kingma and Ba's Adam), one after the other, and `passes` over what
    is learned at each, in batches; `decay` of the weights."""

    units: tuple[int, ...]
    rates: tuple[float, ...]
    passes: int
    batch: int
    decay: float


#: Of trainings. The decay was chosen among .1, .5, 1 and 2 on ScAn-Bench's tables (docs/importing.md).
_OF_TRAININGS = _Learning((256, 128, 64), (1e-3, 7e-4, 4e-4, 2e-4, 1e-4, 3e-5), 10, 128, 0.5)
#: Of what a teacher says, which has no noise; the units are the student's settings.
_OF_A_TEACHER = _Learning((), (2e-3, 1e-3, 5e-4, 2e-4, 5e-5), 7, 256, 1e-5)


@dataclass(frozen=True)
class Networks:
    """`members` say outputs (n, outputs) of mean 0 and variance 1, within `low` and `high` (outputs,): no further out
    than what they learned from."""

    members: list[Any]
    low: FloatArray
    high: FloatArray

    @classmethod
    def fit(cls, x: FloatArray, y: FloatArray, seed: int, count: int) -> "Networks":
        """So many, to outputs y (n, outputs) at inputs x (n, inputs), both of mean 0 and variance 1; deterministic
        given them and the seed."""
        members = [_network(x, y, seed * count + number, _OF_TRAININGS) for number in range(count)]
        return cls(members, y.min(axis=0), y.max(axis=0))

    def predict(self, x: FloatArray) -> FloatArray:
        """(n, outputs)."""
        said = np.mean([member.predict(x).reshape(len(x), -1) for member in self.members], axis=0)
        return np.asarray(np.clip(said, self.low, self.high))


@contextmanager
def passes_are_meant() -> Iterator[None]:
    """Without scikit-learn's warning that all passes were made. What is warned of is the whole process's: who fits in
    threads enters this around all of them, or the first to end would end it for the others."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")
        yield


def taught(
    inputs: NetworkInputs, rows: Features, lessons: FloatArray, units: Sequence[int], seed: int
) -> StudentNetwork:
    """A network of so many hidden units that says what a teacher says, `lessons` (n, outputs), of rows (n, features);
    deterministic given them and the seed."""
    standard = (lessons - lessons.mean(axis=0)) / np.maximum(lessons.std(axis=0), 1e-9)
    learning = replace(_OF_A_TEACHER, units=tuple(units))
    learned = _network(inputs(rows) * 2.0**-SHIFT, standard, seed, learning)
    return StudentNetwork.rounded(inputs, learned.coefs_, learned.intercepts_, lessons)


def _network(x: FloatArray, y: FloatArray, seed: int, learning: _Learning) -> Any:
    from sklearn.neural_network import MLPRegressor

    made = MLPRegressor(
        hidden_layer_sizes=learning.units,
        alpha=learning.decay,
        batch_size=min(learning.batch, len(x)),
        max_iter=learning.passes,
        # It learns for as long as it is told to, not until it stops improving.
        tol=0.0,
        n_iter_no_change=learning.passes + 1,
        random_state=seed,
        warm_start=True,
    )
    with passes_are_meant():
        for rate in learning.rates:
            made.set_params(learning_rate_init=rate).fit(x, y if y.shape[1] > 1 else y[:, 0])
    return made
