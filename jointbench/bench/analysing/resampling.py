"""Intervals by resampling, and of counted fractions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray

#: One less the coverage of all intervals.
LEVEL = 0.05

#: Resamples behind an interval.
RESAMPLES = 400


def spearman(first: FloatArray, second: FloatArray) -> float:
    """Spearman's rank correlation of two samples (n,), ties sharing their mean rank; NaN where one is constant."""
    return pearson(ranks(places(first)), ranks(places(second)))


def spearman_interval(first: FloatArray, second: FloatArray, *, resamples: int = RESAMPLES) -> tuple[float, float]:
    """`bootstrap` of `spearman`. What is sorted once is counted in each resample."""
    return bootstrap(lambda a, b: pearson(ranks(a), ranks(b)), places(first), places(second), resamples=resamples)


def places(values: FloatArray) -> npt.NDArray[np.intp]:
    """The place of each value (n,) among the different ones, from 0."""
    return np.asarray(np.unique(values, return_inverse=True)[1])


def ranks(of: npt.NDArray[np.intp]) -> FloatArray:
    """Of values given by their `places` (n,), from 1, ties sharing their mean rank; places may be empty."""
    counts = np.bincount(of)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[of])


def pearson(first: FloatArray, second: FloatArray) -> float:
    a, b = first - first.mean(), second - second.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else float("nan")


def bootstrap(
    statistic: Callable[..., float], *samples: npt.NDArray[Any], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The percentile interval (95 %) of a statistic of samples (n,) whose members are drawn together, with
    replacement; both ends NaN where fewer than half of the resamples have a value.
    """
    rng, count = np.random.default_rng(seed), len(samples[0])
    drawn = (rng.integers(count, size=count) for _ in range(resamples))
    return ends([statistic(*(sample[chosen] for sample in samples)) for chosen in drawn])


def ends(values: "list[float] | FloatArray") -> tuple[float, float]:
    """Where the middle 95 % of the values that are numbers lie; both NaN where fewer than half are."""
    array = np.asarray(values, dtype=np.float64)
    found = array[np.isfinite(array)]
    if 2 * len(found) < len(array) or not len(found):
        return float("nan"), float("nan")
    low, high = np.quantile(found, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def mean_interval(values: FloatArray) -> tuple[float, float]:
    """Student's interval (95 %) of the mean of a sample (n,); both ends NaN of fewer than two. For the few runs of a
    comparison, of which resamples would be too sure."""
    from scipy.stats import t

    if len(values) < 2:
        return float("nan"), float("nan")
    half = float(t.ppf(1 - LEVEL / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval (95 %) of a share that was counted on so many (Wilson 1927)."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(share * count, count, alpha=LEVEL, method="wilson")
    return float(low), float(high)
