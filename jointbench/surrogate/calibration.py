"""Noise and odds of failure, set right on held-out configurations and on repeated trainings."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.noise import Noise, error_scales
from jointbench.surrogate.table import TrainingTable

#: Weights and variances depend on each other; they settle within a few turns.
_TURNS = 10
#: The intervals that are to hold what they say, and the widths of luck that are tried for it, the likeliest first.
_LEVELS = (0.5, 0.8, 0.95)
_WIDTHS = np.exp(np.array(sorted(np.linspace(-0.25, 0.25, 101), key=abs)))


@dataclass(frozen=True)
class Repeats:
    """The configurations that ended ok with several seeds at a budget, each field (groups,) or (groups, 2).

    `rows` lists the table's rows of each, one a seed; `mean` and `variance` are of validation and test error,
    `covariance` between the two. Trainings that share a seed share their luck (two optimizers may propose the same):
    they tell nothing of it, and the first of them stands for all.
    """

    rows: list[npt.NDArray[np.int64]]
    mean: FloatArray
    variance: FloatArray
    covariance: FloatArray

    @classmethod
    def of(cls, table: TrainingTable) -> "Repeats":
        ok = np.flatnonzero(table.ok)
        keys = np.stack([table.group[ok], table.budgets[ok], table.seed[ok]], axis=1)
        # Seeds are integers of 64 bits: as numbers of their own they stay apart in a column of floats.
        keys[:, 2] = np.unique(table.seed[ok], return_inverse=True)[1]
        _, first = np.unique(keys, axis=0, return_index=True)
        ok = ok[np.sort(first)]
        _, own = np.unique(np.stack([table.group[ok], table.budgets[ok]], axis=1), axis=0, return_inverse=True)
        which = np.full(len(table), -1)
        which[ok] = own.reshape(-1)
        counts = np.bincount(which[ok])
        rows = [np.flatnonzero(which == group) for group in np.flatnonzero(counts > 1)]
        errors = [table.errors[chosen] for chosen in rows]
        return cls(
            rows,
            np.array([e.mean(axis=0) for e in errors]).reshape(-1, table.errors.shape[1]),
            np.array([e.var(axis=0, ddof=1) for e in errors]).reshape(-1, table.errors.shape[1]),
            np.array([np.cov(e.T)[0, 1] if e.shape[1] > 1 else 0.0 for e in errors]),
        )

    def __len__(self) -> int:
        return len(self.rows)


def fit_noise(table: TrainingTable, spread: FloatArray, held_out: FloatArray) -> Noise:
    """From the variances between seeds, and the covariance of validation and test error, of `Repeats`.

    `spread` (n,) is the variance between members, `held_out` (n, 2) the errors predicted for held-out
    configurations. Where nothing was repeated, the residuals stand in for the luck, which overstates it.
    """
    from scipy.optimize import nnls

    if table.measures is not None:
        return _metric_noise(table, spread, held_out)
    scales = error_scales(table.trained_on)
    repeats = Repeats.of(table)
    if not len(repeats):
        residuals = scales[1].to_logit(table.errors[table.ok, 1]) - scales[1].to_logit(held_out[table.ok, 1])
        return Noise(float(np.mean(residuals**2)), 0.0, 1.0)
    spreads = np.array([spread[rows].mean() for rows in repeats.rows])
    error = np.stack([np.clip(repeats.mean[:, k], s.half, 1 - s.half) for k, s in enumerate(scales)], axis=1)
    slope = np.stack([scale.slope(error[:, k]) for k, scale in enumerate(scales)], axis=1)
    binomial = error * (1 - error) / np.array([scale.images for scale in scales])
    nothing = np.zeros(len(repeats))
    # One equation a row, linear in floor, slope and counting: two variances and a covariance.
    equations, measured = [], []
    for first, second in ((0, 0), (1, 1), (0, 1)):
        luck = 1 / (slope[:, first] * slope[:, second])
        own = binomial[:, first] if first == second else nothing
        equations.append(np.stack([luck, luck * spreads, own], axis=1))
        measured.append(repeats.variance[:, first] if first == second else repeats.covariance)
    design, variances = np.concatenate(equations), np.concatenate(measured)
    seeds = np.tile([len(rows) for rows in repeats.rows], 3)
    binomials = np.concatenate([binomial[:, 0], binomial[:, 1], np.sqrt(binomial.prod(axis=1))])
    expected = binomials
    for _ in range(_TURNS):
        # A sample variance from k seeds is known to within sqrt(2 / (k - 1)) of itself.
        weight = np.sqrt(seeds - 1) / np.maximum(expected, 1e-3 * binomials)
        (floor, steepness, counting), _ = nnls(design * weight[:, None], variances * weight)
        both = design @ np.array([floor, steepness, counting])
        own = np.sqrt(both[: len(repeats)] * both[len(repeats) : 2 * len(repeats)])
        expected = np.concatenate([both[: 2 * len(repeats)], own])
    width = _width(repeats, table.errors, np.maximum(expected[: 2 * len(repeats)], 1e-12).reshape(2, -1).T)
    floor, steepness, counting = (float(width**2 * part) for part in (floor, steepness, counting))
    return Noise(floor, steepness, counting)


def _width(repeats: Repeats, errors: FloatArray, variance: FloatArray) -> float:
    """By how much luck of so much `variance` (groups, errors) is to be wider for the central intervals of differences
    between two seeds to hold the shares that they should: a mean of squares hangs on the few largest, and the law of
    luck has longer tails than a normal one."""
    from scipy.stats import norm

    pairs = [(group, *pair) for group, rows in enumerate(repeats.rows) for pair in combinations(rows.tolist(), 2)]
    which, first, second = np.array(pairs).T
    sizes = np.abs(errors[first] - errors[second]) / np.sqrt(2 * variance[which])
    # Each configuration counts once.
    weight = 1 / np.bincount(which)[which] / len(repeats)
    bounds = norm.ppf(0.5 + np.array(_LEVELS) / 2)
    held = np.array([[weight @ (sizes <= width * bound) for bound in bounds] for width in _WIDTHS])
    off = np.abs(held - np.array(_LEVELS)[:, None]).sum(axis=(1, 2))
    return float(_WIDTHS[int(off.argmin())])


def _metric_noise(table: TrainingTable, spread: FloatArray, held_out: FloatArray) -> Noise:
    """Of each metric from the variances of its logits between the seeds of `Repeats`, or the residuals."""
    from scipy.optimize import nnls

    repeats = Repeats.of(table)
    found: list[tuple[float, float]] = []
    for part, scale in enumerate(table.scales):
        logits = scale.to_logit(np.where(table.ok, table.errors[:, part], held_out[:, part]))
        if not len(repeats):
            residuals = logits - scale.to_logit(held_out[:, part])
            found.append((float(np.mean(residuals[table.ok] ** 2)), 0.0))
            continue
        spreads = np.array([spread[rows].mean() for rows in repeats.rows])
        variances = np.array([logits[rows].var(ddof=1) for rows in repeats.rows])
        design = np.stack([np.ones(len(repeats)), spreads], axis=1)
        # A sample variance from k seeds is known to within sqrt(2 / (k - 1)) of itself, whatever else it is.
        least, expected = 1e-3 * float(variances.mean()) + 1e-12, np.full(len(repeats), float(variances.mean()) + 1e-12)
        for _ in range(_TURNS):
            weight = np.sqrt([len(rows) - 1 for rows in repeats.rows]) / np.maximum(expected, least)
            (floor, steepness), _ = nnls(design * weight[:, None], variances * weight)
            expected = design @ np.array([floor, steepness])
        found.append((float(floor), float(steepness)))
    return Noise(*found[0], 0.0, tuple(found[1:]))


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
