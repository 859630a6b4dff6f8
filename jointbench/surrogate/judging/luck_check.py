"""Whether drawn luck is as large as real luck: coverage of intervals, and CRPS against a noise the same for all.

What a query draws is compared on pairs of trainings of one configuration, whose difference is luck alone.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.scores import Row
from jointbench.surrogate.luck_shape import LEVELS
from jointbench.surrogate.repeats import Repeats
from jointbench.surrogate.scales import Scale

#: Draws a pair from which its predicted distribution is read; a coverage is then known to within 0.02.
DRAWS = 500


def luck_check(held_out: HeldOut, seed: int) -> list[Row]:
    """Two rows, for validation and test error, over all pairs of trainings of one configuration at one budget.

    `real` and `drawn` are the root mean square differences of two trainings and of two draws (fractions);
    `coverage_50` and so on the share of real differences inside the central interval of the drawn ones; `crps` the
    mean continuous ranked probability score (a fraction, lower is better) of the drawn differences, and
    `crps_constant` of normal ones that are as wide for every configuration as real differences are on average.
    Each configuration counts once. Empty where nothing was repeated.
    """
    table = held_out.table
    repeats = Repeats.of(table)
    if not len(repeats):
        return []
    rng, rows = np.random.default_rng(seed), []
    pairs = [(k, *pair) for k, group in enumerate(repeats.rows) for pair in combinations(group.tolist(), 2)]
    which = np.array([k for k, _, _ in pairs])
    weight = 1 / np.bincount(which)[which] / len(repeats)
    spreads = np.array([held_out.spread[group].mean() for group in repeats.rows])
    scales = table.scales
    for part, (error, scale) in enumerate(zip(table.error_names, scales, strict=True)):
        real = np.array([table.errors[i, part] - table.errors[j, part] for _, i, j in pairs])

        def draw(part: int = part, scale: Scale = scale) -> FloatArray:
            logit = scale.to_logit(repeats.mean[which, part])[:, None]
            normal = rng.standard_normal((2, len(which), DRAWS))
            moved = scale.from_logit(logit + held_out.noise.luck(spreads[which][:, None], normal[0], part))
            return np.asarray(scale.counted(held_out.noise, moved, normal[1]))

        drawn = draw() - draw()
        wide = float(np.sqrt(weight @ real**2))
        row: Row = {
            "error": error,
            "n": len(repeats),
            "real": wide,
            "drawn": float(np.sqrt(weight @ (drawn**2).mean(axis=1))),
            "crps": float(weight @ crps(drawn, real)),
            "crps_constant": float(weight @ crps(wide * rng.standard_normal(drawn.shape), real)),
        }
        inside = _share_nearer(np.abs(drawn), np.abs(real), rng.random)
        for level in LEVELS:
            row[f"coverage_{100 * level:.0f}"] = float(weight @ (inside <= level))
        rows.append(row)
    return rows


def _share_nearer(drawn: FloatArray, real: FloatArray, uniform: Callable[[int], npt.NDArray[np.float64]]) -> FloatArray:
    """The share (n,) of drawn sizes (n, draws) below the real one; ties, which counted images bring, fall by lot."""
    step = 1e-9
    below = (drawn < real[:, None] - step).mean(axis=1)
    equal = (np.abs(drawn - real[:, None]) <= step).mean(axis=1)
    return np.asarray(below + uniform(len(real)) * equal)


def crps(drawn: FloatArray, real: FloatArray) -> FloatArray:
    """Of samples (n, draws) against what came (n,): E|X - x| - E|X - X'| / 2 (Gneiting and Raftery, 2007)."""
    count = drawn.shape[1]
    ranked = np.sort(drawn, axis=1)
    apart = 2 * (ranked @ (2 * np.arange(1, count + 1) - count - 1)) / (count * (count - 1))
    return np.asarray(np.abs(drawn - real[:, None]).mean(axis=1) - apart / 2)
