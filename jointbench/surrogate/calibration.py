"""Odds of failure, set right on held-out configurations."""

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray


def fit_odds(logits: FloatArray, failed: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset that make held-out log odds (n,) true, by logistic regression.

    Held near 1 and 0 by a prior, for a kind of failure that was seen only a few times.
    """
    from scipy.optimize import minimize

    def loss(parameters: FloatArray) -> float:
        slope, offset = parameters
        odds = slope * logits + offset
        surprise = np.logaddexp(0.0, np.where(failed, -odds, odds)).sum()
        return float(surprise + (slope - 1) ** 2 + offset**2)

    best = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.0, 5.0), (-5.0, 5.0)])
    return float(best.x[0]), float(best.x[1])
