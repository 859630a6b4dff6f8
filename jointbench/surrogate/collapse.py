"""Trainings that collapse: how likely, and at which error they end.

A training either works, or it ends near guessing: at large steps the units of a narrow network die. What works has
smooth errors, which a Gaussian process knows; where it ends is an edge, which trees find.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.boosting import boost
from jointbench.surrogate.collapse_law import CollapseLaw
from jointbench.surrogate.features import Features
from jointbench.surrogate.scales import Scale

#: Fewer than these that collapsed say nothing of where they do.
FEWEST = 5

_TREES: dict[str, Any] = {
    "tree_method": "hist",
    "nthread": 1,
    "objective": "binary:logistic",
    "base_score": 0.5,
    "max_depth": 3,
    "learning_rate": 0.15,
    "min_child_weight": 1,
    "colsample_bynode": 0.6,
    "reg_lambda": 1,
}
_ROUNDS = 100


@dataclass(frozen=True)
class Collapse:
    """`trees` say how likely a training collapses, and `law` what that makes of its errors; `happened` (n,): to which
    of the trainings that they were fitted to."""

    trees: Any
    law: CollapseLaw
    happened: npt.NDArray[np.bool_]

    @classmethod
    def fit(
        cls, features: FloatArray, errors: FloatArray, collapsed: npt.NDArray[np.bool_], seed: int
    ) -> "Collapse | None":
        """From features (n, features) and errors (n, errors) of trainings; None where too few collapsed."""
        if collapsed.sum() < FEWEST:
            return None
        law = CollapseLaw(tuple(errors[collapsed].mean(axis=0).tolist()))
        return cls(boost(features, collapsed.astype(np.float64), _TREES, _ROUNDS, seed), law, collapsed)

    def expected(self, logits: FloatArray, features: FloatArray | Features, scales: Sequence[Scale]) -> FloatArray:
        """Of logits (n, errors) that trainings have if they work, those of what they have on average."""
        import xgboost

        data = xgboost.DMatrix(features.astype(np.float32), nthread=1)
        odds = self.trees.predict(data, output_margin=True).astype(np.float64)
        return np.stack(self.law.expected(list(logits.T), odds, scales), axis=1)
