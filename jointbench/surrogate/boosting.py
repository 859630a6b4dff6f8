"""XGBoost's boosters, as all models of a surrogate are fitted."""

from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray


def boost(features: Any, targets: FloatArray, settings: dict[str, Any], rounds: int, seed: int) -> Any:
    """A booster of XGBoost, fitted on one thread."""
    import xgboost

    if targets.ndim == 2 and targets.shape[1] == 1:
        # A leaf of one number is no vector.
        targets, settings = targets[:, 0], {key: v for key, v in settings.items() if key != "multi_strategy"}
    data = xgboost.DMatrix(np.asarray(features, dtype=np.float32), targets, nthread=1)
    return xgboost.train({**settings, "seed": seed}, data, rounds)
