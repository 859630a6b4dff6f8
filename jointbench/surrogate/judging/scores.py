"""How well predicted errors fit real ones."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from jointbench.data.space import FloatArray

T = TypeVar("T")
U = TypeVar("U")

#: A row of a table: numbers, words, and None where a number is undefined.
Row = dict[str, Any]

#: Errors closer than this count as equal in the sparse Kendall tau (NAS-Bench-301's 0.1 %).
SPARSE = 0.001


def scores(real: FloatArray, predicted: FloatArray) -> Row:
    """R2, RMSE (a fraction), Kendall's tau, sparse Kendall's tau, Spearman's rho, and the regret of the predicted best:
    its real error above the lowest (a fraction); None where undefined. Both arrays (n,).
    """
    from scipy.stats import kendalltau, spearmanr

    varies = len(real) > 1 and np.ptp(real) > 0 and np.ptp(predicted) > 0
    rounded = np.round(predicted / SPARSE) * SPARSE
    return {
        "r2": defined(1 - np.mean((real - predicted) ** 2) / real.var()) if varies else None,
        "rmse": rms(real - predicted),
        "kendall": correlation(kendalltau, real, predicted),
        "sparse_kendall": correlation(kendalltau, real, rounded),
        "spearman": correlation(spearmanr, real, predicted),
        "regret": float(real[predicted.argmin()] - real.min()) if len(real) else None,
    }


def rms(differences: FloatArray) -> float | None:
    """Root of the mean square; None of nothing."""
    return float(np.sqrt(np.mean(differences**2))) if len(differences) else None


def correlation(kind: Callable[..., Any], first: FloatArray, second: FloatArray) -> float | None:
    """SciPy's `kind` (spearmanr, kendalltau) of two samples (n,); None where one is constant or too short for it."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return defined(kind(first, second).statistic)


def defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def side_by_side(work: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """The results in order; fits leave Python's lock, and each has one thread, so they may run beside each other."""
    import os

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return list(threads.map(work, items))
