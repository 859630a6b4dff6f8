"""Trainings that collapse: how likely, and at which error they end.

A training either works, or it ends near guessing: at large steps the units of a narrow network die. What works has
smooth errors, which a Gaussian process knows; where it ends is an edge, which trees find.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.boosting import boost

#: Fewer than these that collapsed say nothing of where they do.
FEWEST = 5

#: A chance below this is none: it would make all good trainings look worse.
_LEAST = 0.03

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
    """`trees` say how likely a training collapses, whose errors are then `level` (errors,), fractions."""

    trees: Any
    level: FloatArray

    @classmethod
    def fit(
        cls, features: FloatArray, errors: FloatArray, collapsed: npt.NDArray[np.bool_], seed: int
    ) -> "Collapse | None":
        """From features (n, features) and errors (n, errors) of trainings; None where too few collapsed."""
        if collapsed.sum() < FEWEST:
            return None
        return cls(boost(features, collapsed.astype(np.float64), _TREES, _ROUNDS, seed), errors[collapsed].mean(axis=0))

    def chance(self, features: FloatArray) -> FloatArray:
        """(n,)."""
        import xgboost

        said = self.trees.predict(xgboost.DMatrix(features.astype(np.float32), nthread=1)).astype(np.float64)
        return np.asarray(np.maximum(said - _LEAST, 0.0) / (1 - _LEAST))

    def expected(self, errors: FloatArray, features: FloatArray) -> FloatArray:
        """Of errors (n, errors) that trainings have if they work, the errors that they have on average."""
        chance = self.chance(features)[:, None]
        return np.asarray((1 - chance) * errors + chance * self.level)
