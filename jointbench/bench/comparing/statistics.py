"""What may be said of a difference between optimizers: paired tests, ranks, resampled intervals."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray

#: Its two ends.
Interval = tuple[float, float]

#: Level of the tests, and one less the coverage of the intervals.
LEVEL = 0.05

#: Samples drawn with replacement for an interval.
RESAMPLES = 1000

#: Errors are counts of images over their number, so equal differences differ in the last bits of a float: 12 digits are
#: far below one image, and far above those bits.
_DIGITS = 12

#: Up to so many differences Wilcoxon's test is exact.
_EXACT = 100

#: Chance of finding a difference as large as the one seen, for which seeds are counted.
POWER = 0.8

#: Seeds beyond which nobody would go.
MOST_SEEDS = 1000


def mean_ranks(errors: FloatArray) -> FloatArray:
    """Ranks along the first axis (optimizers, seeds, ...), 1 the lowest error, ties shared, averaged over seeds."""
    from scipy.stats import rankdata

    ranks: FloatArray = rankdata(np.round(errors, _DIGITS), axis=0).mean(axis=1)
    return ranks


@dataclass(frozen=True)
class Omnibus:
    """Friedman's test of no difference among `optimizers` on the seeds that they share: the question before the pairs.

    `p`: of the statistic of Iman and Davenport 1980, after Demsar 2006 (section 3.2.2), since Friedman's chi-square is
    too cautious. `level` as of `Pair`.
    """

    optimizers: tuple[str, ...]
    seeds: int
    p: float
    level: float = LEVEL

    @property
    def significant(self) -> bool:
        return self.p < self.level


def omnibus(errors: Mapping[str, Mapping[int, float]], level: float = LEVEL) -> Omnibus | None:
    """Over the optimizers (name to seed to final error) that have the most seeds; None for fewer than three, or fewer
    than two seeds that they share."""
    most = max(map(len, errors.values()), default=0)
    names = tuple(name for name, own in errors.items() if len(own) == most)
    shared = sorted(set.intersection(*(set(errors[name]) for name in names))) if names else []
    if len(names) < 3 or len(shared) < 2:
        return None
    table = np.array([[errors[name][seed] for seed in shared] for name in names])
    return Omnibus(names, len(shared), friedman(table), level)


def friedman(errors: FloatArray) -> float:
    """p of Friedman's test, as `Omnibus` says, of (optimizers, seeds); 1 where all are equal."""
    from scipy.stats import f, rankdata

    ranks = rankdata(np.round(errors, _DIGITS), axis=0)
    groups, blocks = ranks.shape
    means = ranks.mean(axis=1)
    between = blocks * float(np.square(means - (groups + 1) / 2).sum())
    # Ties lessen what there is to explain.
    total = float(np.square(ranks - (groups + 1) / 2).sum())
    within = total - between
    if between <= 1e-12:
        return 1.0
    if within <= 1e-12:
        # All seeds have one order: of all the orders that each could have, one.
        return float(math.factorial(groups) ** -(blocks - 1))
    return float(f.sf((blocks - 1) * between / within, groups - 1, (groups - 1) * (blocks - 1)))


@dataclass(frozen=True)
class Pair:
    """Two optimizers' final errors on the `seeds` seeds that both have.

    `difference`: median over seeds of the first's error less the second's (a fraction); `p`: two-sided Wilcoxon
    signed-rank test; `corrected`: the same after Holm's correction over all pairs. `above`: the chance that the mean of
    two of the differences is above 0, ties half; below one half the first is the better one. `level`: what `corrected`
    must be below, which repeated looks lessen; `asked`: whether the omnibus test lets pairs be asked about.
    """

    first: str
    second: str
    seeds: int
    difference: float
    p: float
    corrected: float
    above: float = 0.5
    level: float = LEVEL
    asked: bool = True

    @property
    def significant(self) -> bool:
        return self.asked and self.corrected < self.level

    @property
    def better(self) -> str:
        """Which of the two has the lower errors."""
        return self.second if self.above > 0.5 else self.first

    def has(self, optimizer: str) -> bool:
        return optimizer in (self.first, self.second)

    def other(self, optimizer: str) -> str:
        return self.second if optimizer == self.first else self.first


def pairs(errors: Mapping[str, Mapping[int, float]], level: float = LEVEL) -> list[Pair]:
    """All pairs of optimizers (name to seed to final error), in the order of the names given.

    Where `omnibus` finds nothing, no pair of the optimizers that it is about is significant.
    """
    raw = []
    first_of_all = omnibus(errors, level)
    closed = () if first_of_all is None or first_of_all.significant else first_of_all.optimizers
    for first, second in combinations(errors, 2):
        shared = sorted(errors[first].keys() & errors[second].keys())
        difference = np.array([errors[first][seed] - errors[second][seed] for seed in shared])
        median = float(np.median(difference)) if shared else 0.0
        raw.append((first, second, len(shared), median, wilcoxon(difference), above(difference)))
    corrected = holm([one[-2] for one in raw])
    return [
        Pair(*one[:-1], p, one[-1], level, not (one[0] in closed and one[1] in closed))
        for one, p in zip(raw, corrected, strict=True)
    ]


def above(differences: FloatArray) -> float:
    """The share of pairs of differences (n,) whose mean is above 0, ties half; one half without any."""
    rounded = np.round(differences, _DIGITS)
    if len(rounded) < 2:
        return float(0.5 + 0.5 * np.sign(rounded).sum())
    i, j = np.triu_indices(len(rounded), 1)
    return float(0.5 + 0.5 * np.sign(np.round(rounded[i] + rounded[j], _DIGITS)).mean())


def wilcoxon(differences: FloatArray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test (n,), without the differences that are 0; 1 if all are.

    Exact for up to 100 differences, ties among them or not: the sums of ranks over all 2^n signs are counted rank by
    rank. Beyond that normal.
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    rounded = np.round(differences, _DIGITS)
    rounded = rounded[rounded != 0]
    if not len(rounded):
        return 1.0
    if len(rounded) > _EXACT:
        return float(signed_rank(rounded, method="approx").pvalue)
    # Ties share the mean of their ranks, which twice is whole.
    doubled = np.rint(2 * rankdata(np.abs(rounded))).astype(np.int64)
    chances = np.zeros(int(doubled.sum()) + 1)
    chances[0] = 1.0
    for rank in doubled:
        chances[rank:] = (chances[rank:] + chances[:-rank]) / 2
        chances[:rank] /= 2
    positive = int(doubled[rounded > 0].sum())
    smaller = min(positive, len(chances) - 1 - positive)
    return min(1.0, 2 * float(chances[: smaller + 1].sum()))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p values in the order given, each at most 1."""
    from statsmodels.stats.multitest import multipletests

    return [float(one) for one in multipletests(p, method="holm")[1]] if len(p) else []


def seeds_needed(tested: int, level: float = LEVEL) -> int:
    """The fewest seeds with which one of so many pairs can differ significantly.

    With n seeds Wilcoxon's p is at least 2 / 2^n, and Holm multiplies the least p by the number of pairs.
    """
    return next(n for n in count(1) if tested * 2 / 2**n < level)


def seeds_to_decide(pair: Pair, tested: int) -> int | None:
    """About how many seeds would tell a pair apart, one of so many pairs, if it differs as it was seen to: with a
    chance of `POWER`, at the level that Holm asks of the least p. None where that is more than anybody would run.

    By Noether 1987 (Sample size determination for some common nonparametric tests, section 4): the signed-rank test
    takes (z_level + z_power)^2 / (3 (above - 1/2)^2) differences.
    """
    from scipy.stats import norm

    apart = abs(pair.above - 0.5)
    if not apart:
        return None
    quantiles = float(norm.isf(pair.level / tested / 2) + norm.ppf(POWER))
    needed = max(math.ceil(quantiles**2 / (3 * apart**2)), seeds_needed(tested, pair.level))
    return needed if needed <= MOST_SEEDS else None


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
