"""How well predicted errors fit real ones."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.networks import passes_are_meant
from jointbench.surrogate.table import SPARSE

T = TypeVar("T")
U = TypeVar("U")

#: A row of a table: numbers, words, and None where a number is undefined.
Row = dict[str, Any]

#: Resamples of the configurations from which an interval is read: the ends of a 95 % one are then known to a sixth of
#: its width.
RESAMPLES = 200
#: The share of the resamples that an interval leaves out on either side.
_OUTSIDE = 0.025


def scores(real: FloatArray, predicted: FloatArray, sparse: float = SPARSE) -> Row:
    """R2, RMSE (a fraction), Kendall's tau, sparse Kendall's tau, Spearman's rho, and the regret of the predicted best:
    its real error above the lowest (a fraction); None where undefined. Both arrays (n,).
    """
    from scipy.stats import kendalltau, spearmanr
    from sklearn.metrics import r2_score

    varies = len(real) > 1 and np.ptp(real) > 0 and np.ptp(predicted) > 0
    return {
        "r2": defined(r2_score(real, predicted)) if varies else None,
        "rmse": rms(real - predicted),
        "kendall": correlation(kendalltau, real, predicted),
        "sparse_kendall": correlation(kendalltau, real, _sparse(predicted, sparse)),
        "spearman": correlation(spearmanr, real, predicted),
        "regret": float(real[predicted.argmin()] - real.min()) if len(real) else None,
    }


def mean_rows(rows: Iterable[Row]) -> Row:
    """The mean of each entry; None where one of them is undefined."""
    made = list(rows)
    return {
        key: None if any(row[key] is None for row in made) else float(np.mean([row[key] for row in made]))
        for key in made[0]
    }


def with_intervals(found: Row, resampled: Row) -> Row:
    """`found` with `low` and `high` ends of 95 % intervals for each entry of which `resampled` has an array."""
    made = dict(found)
    for key, values in resampled.items():
        ends = np.quantile(values, [_OUTSIDE, 1 - _OUTSIDE]).tolist() if np.isfinite(values).all() else [None, None]
        made[f"{key}_low"], made[f"{key}_high"] = ends
    return made


def resamples(group: npt.NDArray[np.int64], rng: np.random.Generator) -> FloatArray:
    """How often each row is drawn, (`RESAMPLES`, n), when its configurations, `group` (n,), are drawn with
    replacement: evaluations of one configuration are no independent evidence.
    """
    different, own = np.unique(group, return_inverse=True)
    count = len(different)
    return np.asarray(rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)[:, own], dtype=np.float64)


def resampled_scores(real: FloatArray, predicted: FloatArray, drawn: FloatArray, sparse: float = SPARSE) -> Row:
    """R2, RMSE, sparse Kendall's tau and Spearman's rho of resamples `drawn` (resamples, n), each an array
    (resamples,): the means over the partitions of predictions (partitions, n). Spearman's ranks are those of the whole.
    """
    from scipy.stats import rankdata

    total = drawn.sum(axis=1)

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(drawn @ values / total)

    def covariance(a: FloatArray, b: FloatArray) -> FloatArray:
        return np.asarray(mean(a * b) - mean(a) * mean(b))

    def pairs(signs: npt.NDArray[np.float32]) -> FloatArray:
        return np.asarray(np.einsum("bi,bi->b", few @ signs, few), dtype=np.float64)

    few, ranks, variance = drawn.astype(np.float32), rankdata(real), covariance(real, real)
    order = _signs(real)
    untied = pairs(np.abs(order))
    made: dict[str, list[FloatArray]] = {"r2": [], "rmse": [], "sparse_kendall": [], "spearman": []}
    # A resample of equal errors has no order and no variance; what is undefined there is not finite.
    with np.errstate(divide="ignore", invalid="ignore"):
        for one in predicted:
            squared = mean((real - one) ** 2)
            made["r2"].append(1 - squared / variance)
            made["rmse"].append(np.sqrt(squared))
            said, said_ranks = _signs(_sparse(one, sparse)), rankdata(one)
            made["sparse_kendall"].append(pairs(order * said) / np.sqrt(untied * pairs(np.abs(said))))
            both = np.sqrt(covariance(ranks, ranks) * covariance(said_ranks, said_ranks))
            made["spearman"].append(covariance(ranks, said_ranks) / both)
    return {key: np.mean(values, axis=0) for key, values in made.items()}


def _signs(values: FloatArray) -> npt.NDArray[np.float32]:
    """Which of two is larger, (n, n)."""
    return np.sign(values[:, None] - values).astype(np.float32)


def _sparse(predicted: FloatArray, sparse: float) -> FloatArray:
    return np.round(predicted / sparse) * sparse if sparse > 0 else predicted


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


def side_by_side(work: Callable[[T], U], items: Iterable[T], ended: Callable[[], object] = lambda: None) -> list[U]:
    """The results in order; fits leave Python's lock, and each has one thread, so they may run beside each other.

    `ended` is called here after each, in their order; what it raises ends the call, and what has not begun is not.
    """
    import os

    import scipy.linalg  # noqa: F401  # Its library of matrices must be there before it is told to keep to one thread.
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), passes_are_meant(), ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        results = []
        try:
            for result in threads.map(work, items):
                results.append(result)
                ended()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
        return results
