"""How large luck is: learned from repeated trainings, and where there are none from how far predictions were off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.luck_shape import Repeated, clearly_likeliest
from jointbench.surrogate.noise import POWERS, Noise, error_scales, raised
from jointbench.surrogate.repeats import Repeats
from jointbench.surrogate.table import TrainingTable

#: Weights and variances depend on each other; they settle within a few turns.
_TURNS = 10
#: Repeated configurations at a rung below which its residuals are asked as well.
_FEWEST = 5
#: A variance below which it makes no difference.
_LEAST = 1e-12


@dataclass(frozen=True)
class _Seen:
    """What says how large luck is: the variances of repeats and, of rungs that have hardly any, of the evaluations
    `alone` (a mask) the squares of their residuals; `spread` and `freedom` (n,) of each, degrees of it."""

    repeats: Repeats
    alone: npt.NDArray[np.bool_]
    spread: FloatArray
    freedom: FloatArray

    @classmethod
    def of(cls, table: TrainingTable, spread: FloatArray) -> "_Seen":
        repeats, rung = Repeats.of(table), table.ladder.nearest(table.budgets)
        first = np.array([rows[0] for rows in repeats.rows], dtype=np.int64)
        repeated = np.bincount(rung[first], minlength=len(table.ladder.rungs)) >= _FEWEST
        alone = table.ok & ~repeated[rung]
        return cls(
            repeats,
            alone,
            np.array([*(spread[rows].mean() for rows in repeats.rows), *spread[alone]]),
            np.array([*(len(rows) - 1.0 for rows in repeats.rows), *np.ones(alone.sum())]),
        )

    def likelihood(self, variance: FloatArray, expected: FloatArray) -> float:
        """The logarithm of that of sample variances (n,) of normal numbers whose variances are `expected` (n,)."""
        expected = np.maximum(expected, _LEAST)
        return float(self.freedom @ -(np.log(expected) + variance / expected) / 2)


@dataclass(frozen=True)
class _Law:
    """The `terms` of a law, and the `likelihood` of the variances that were seen, a logarithm."""

    terms: FloatArray
    likelihood: float


def fit_noise(table: TrainingTable, spread: FloatArray, held_out: FloatArray) -> Noise:
    """From the variances between seeds, and the covariance of validation and test error, of `Repeats`.

    `spread` (n,) is what luck grows with, `held_out` (n, 2) the errors predicted for held-out configurations. Of rungs
    where hardly anything was repeated, the residuals stand in for the luck, which overstates it.
    """
    seen = _Seen.of(table, spread)
    return _counted(table, seen, held_out) if table.measures is None else _measured(table, seen, held_out)


def _counted(table: TrainingTable, seen: _Seen, held_out: FloatArray) -> Noise:
    """Of validation and test errors, which are counted on images."""
    from scipy.optimize import nnls

    repeats, residual = seen.repeats, (table.errors - held_out)[seen.alone]
    mean = np.concatenate([repeats.mean, held_out[seen.alone]])
    variance = np.concatenate([repeats.variance, residual**2])
    covariance = np.concatenate([repeats.covariance, residual.prod(axis=1)])
    scales = error_scales(table.trained_on)
    error = np.stack([np.clip(mean[:, k], s.half, 1 - s.half) for k, s in enumerate(scales)], axis=1)
    slope = np.stack([scale.slope(error[:, k]) for k, scale in enumerate(scales)], axis=1)
    binomial = error * (1 - error) / np.array([scale.images for scale in scales])
    n, nothing = len(mean), np.zeros(len(mean))
    measured = np.concatenate([variance[:, 0], variance[:, 1], covariance])
    binomials = np.concatenate([binomial[:, 0], binomial[:, 1], np.sqrt(binomial.prod(axis=1))])
    freedom = np.tile(seen.freedom, 3)

    def law(power: float) -> _Law:
        """Its terms are floor, slope and counting."""
        grown = raised(seen.spread, power)
        # One equation a row, linear in floor, slope and counting: two variances and a covariance.
        equations = []
        for first, second in ((0, 0), (1, 1), (0, 1)):
            luck = 1 / (slope[:, first] * slope[:, second])
            own = binomial[:, first] if first == second else nothing
            equations.append(np.stack([luck, luck * grown, own], axis=1))
        design, expected = np.concatenate(equations), binomials
        for _ in range(_TURNS):
            # A sample variance from k seeds is known to within sqrt(2 / (k - 1)) of itself.
            weight = np.sqrt(freedom) / np.maximum(expected, 1e-3 * binomials)
            terms, _ = nnls(design * weight[:, None], measured * weight)
            both = design @ terms
            expected = np.concatenate([both[: 2 * n], np.sqrt(both[:n] * both[n : 2 * n])])
        # Both errors have the same luck, but for what is counted.
        of_both = seen.likelihood(variance[:, 0], both[:n]), seen.likelihood(variance[:, 1], both[n : 2 * n])
        return _Law(terms, sum(of_both) / 2)

    power, made = _likeliest(law)
    floor, steepness, counting = made.terms.tolist()
    if not len(repeats):
        return Noise(floor, steepness, counting, power=power)
    plain, groups = Noise(floor, steepness, counting, power=power), len(repeats)
    repeated = Repeated(
        repeats.rows,
        np.stack([scale.to_logit(table.errors[:, k]) for k, scale in enumerate(scales)], axis=1),
        np.asarray(plain.deviation(seen.spread[:groups])),
        np.sqrt(counting * binomial[:groups]) * slope[:groups],
    )
    width, depth = repeated.shape()
    return Noise(width**2 * floor, width**2 * steepness, width**2 * counting, power=power, depth=depth)


def _measured(table: TrainingTable, seen: _Seen, held_out: FloatArray) -> Noise:
    """Of each metric from the variances of its logits."""
    from scipy.optimize import nnls

    variances = []
    for part, scale in enumerate(table.scales):
        said = scale.to_logit(held_out[:, part])
        logits = scale.to_logit(np.where(table.ok, table.errors[:, part], held_out[:, part]))
        between = [logits[rows].var(ddof=1) for rows in seen.repeats.rows]
        variances.append(np.array([*between, *(logits - said)[seen.alone] ** 2]))

    def law(power: float) -> _Law:
        """Its terms are floor and slope of each metric."""
        design = np.stack([np.ones(len(seen.spread)), raised(seen.spread, power)], axis=1)
        found, likelihood = [], 0.0
        for variance in variances:
            # A sample variance from k seeds is known to within sqrt(2 / (k - 1)) of itself, whatever else it is.
            least = 1e-3 * float(variance.mean()) + _LEAST
            expected = np.full(len(variance), float(variance.mean()) + _LEAST)
            for _ in range(_TURNS):
                weight = np.sqrt(seen.freedom) / np.maximum(expected, least)
                terms, _ = nnls(design * weight[:, None], variance * weight)
                expected = design @ terms
            found.append(terms)
            likelihood += seen.likelihood(variance, np.maximum(expected, least)) / len(variances)
        return _Law(np.array(found), likelihood)

    power, made = _likeliest(law)
    (floor, steepness), *others = made.terms.tolist()
    return Noise(floor, steepness, 0.0, tuple((floor, steepness) for floor, steepness in others), power)


def _likeliest(law: Callable[[float], _Law]) -> tuple[float, _Law]:
    """The power of the spread, and the law with it, that makes what was seen likeliest; the plainest where none gains
    much."""
    made = {power: law(power) for power in POWERS}
    chosen = clearly_likeliest({power: of.likelihood for power, of in made.items()}, POWERS[0])
    return chosen, made[chosen]
