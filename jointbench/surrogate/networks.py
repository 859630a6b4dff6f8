"""Small neural networks that are asked beside the Gaussian process: where a loss has long tails they often know more.

scikit-learn's multi-layer perceptrons; the mean of a few that differ by their first weights and by the order of what
they learn from.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray

#: Of each layer.
_UNITS = (256, 128, 64)
#: Rates of learning (Kingma and Ba's Adam), one after the other, and passes over what is learned at each.
_RATES, _PASSES, _BATCH = (1e-3, 7e-4, 4e-4, 2e-4, 1e-4, 3e-5), 10, 128
#: Chosen among .1, .5, 1 and 2 on ScAn-Bench's tables (docs/importing.md).
_DECAY = 0.5


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
        members = [_network(x, y, seed * count + number) for number in range(count)]
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


def _network(x: FloatArray, y: FloatArray, seed: int) -> Any:
    from sklearn.neural_network import MLPRegressor

    made = MLPRegressor(
        hidden_layer_sizes=_UNITS,
        alpha=_DECAY,
        batch_size=min(_BATCH, len(x)),
        max_iter=_PASSES,
        # It learns for as long as it is told to, not until it stops improving.
        tol=0.0,
        n_iter_no_change=_PASSES + 1,
        random_state=seed,
        warm_start=True,
    )
    with passes_are_meant():
        for rate in _RATES:
            made.set_params(learning_rate_init=rate).fit(x, y if y.shape[1] > 1 else y[:, 0])
    return made
