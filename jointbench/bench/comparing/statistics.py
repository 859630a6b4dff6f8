"""What may be said of a difference between optimizers: paired tests, ranks, resampled intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Its two ends.
Interval = tuple[float, float]

#: Level of the tests, and one less the coverage of the intervals.
LEVEL = 0.05

#: Samples drawn with replacement for an interval.
RESAMPLES = 1000


def mean_ranks(errors: FloatArray) -> FloatArray:
    """Ranks along the first axis (optimizers, seeds, ...), 1 the lowest error, ties shared, averaged over seeds."""
    from scipy.stats import rankdata

    ranks: FloatArray = rankdata(errors, axis=0).mean(axis=1)
    return ranks


@dataclass(frozen=True)
class Pair:
    """Two optimizers' final errors on the `seeds` seeds that both have.

    `difference`: median over seeds of the first's error less the second's (a fraction); `p`: two-sided Wilcoxon
    signed-rank test; `corrected`: the same after Holm's correction over all pairs.
    """

    first: str
    second: str
    seeds: int
    difference: float
    p: float
    corrected: float

    @property
    def significant(self) -> bool:
        return self.corrected < LEVEL

    def has(self, optimizer: str) -> bool:
        return optimizer in (self.first, self.second)

    def other(self, optimizer: str) -> str:
        return self.second if optimizer == self.first else self.first


def pairs(errors: Mapping[str, Mapping[int, float]]) -> list[Pair]:
    """All pairs of optimizers (name to seed to final error), in the order of the names given."""
    raw = []
    for first, second in combinations(errors, 2):
        shared = sorted(errors[first].keys() & errors[second].keys())
        difference = np.array([errors[first][seed] - errors[second][seed] for seed in shared])
        raw.append((first, second, len(shared), float(np.median(difference)) if shared else 0.0, wilcoxon(difference)))
    corrected = holm([one[-1] for one in raw])
    return [Pair(*one, p) for one, p in zip(raw, corrected, strict=True)]


def wilcoxon(differences: FloatArray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test (n,): exact for small samples without ties, 1 if all are 0."""
    from scipy.stats import wilcoxon as signed_rank

    if not np.any(differences):
        return 1.0
    return float(signed_rank(differences).pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p values in the order given, each at most 1."""
    from statsmodels.stats.multitest import multipletests

    return [float(one) for one in multipletests(p, method="holm")[1]] if len(p) else []


def seeds_needed(tested: int) -> int:
    """The fewest seeds with which one of so many pairs can differ significantly.

    With n seeds Wilcoxon's p is at least 2 / 2^n, and Holm multiplies the least p by the number of pairs.
    """
    return next(n for n in count(1) if tested * 2 / 2**n < LEVEL)


def groups(ranked: Sequence[str], tested: Sequence[Pair]) -> list[tuple[str, ...]]:
    """Neighbours by rank within which no pair differs significantly: the bars of a critical-difference diagram.

    Only the longest are given: none lies within another.
    """
    apart = {frozenset((pair.first, pair.second)) for pair in tested if pair.significant}
    found: list[tuple[int, int]] = []
    for start in range(len(ranked)):
        end = start + 1
        while end < len(ranked) and not any(frozenset((ranked[end], other)) in apart for other in ranked[start:end]):
            end += 1
        if end - start > 1 and not any(end <= other for _, other in found):
            found.append((start, end))
    return [tuple(ranked[start:end]) for start, end in found]


def bootstrap(
    statistic: Callable[[Sequence[npt.NDArray[np.intp]]], FloatArray], sizes: Sequence[int], resamples: int = RESAMPLES
) -> Interval | None:
    """Percentile interval (95 %) of a statistic of several samples, each resampled on its own with replacement.

    `statistic` gets an index array (resamples, size) a sample and answers with (resamples,) numbers. None where a
    sample has one member only.
    """
    from scipy.stats import bootstrap as resampled

    if min(sizes) < 2:
        return None
    indices = [np.arange(size) for size in sizes]
    found = resampled(
        indices,
        lambda *drawn, axis: statistic(drawn),
        confidence_level=1 - LEVEL,
        n_resamples=resamples,
        vectorized=True,
        method="percentile",
        rng=0,
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
