"""The shape of luck, from trainings of one configuration: how wide its middle is, and how much better it can make one.

Luck is not normal: what works can hardly work better, and what collapses is worse by far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.noise import Noise

#: The intervals that are to hold what they say.
LEVELS = (0.5, 0.8, 0.95)

#: Depths that are tried, the last a normal law's.
_DEPTHS = (0.2, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, np.inf)
#: By how much, as a logarithm, what is not plain must make what was seen likelier.
_GAIN = 2.0
#: By how much deviations that come of a few large squares may be too wide or too narrow, the likeliest first.
_WIDTHS = np.exp(np.array(sorted(np.linspace(-0.5, 0.25, 76), key=abs)))
#: Of them those with which depths are compared.
_FEW = np.exp(np.linspace(-0.5, 0.25, 7))
#: Expected values of a configuration that are tried, within so many deviations of what was seen; draws of a difference.
_EXPECTED, _WITHIN, _DRAWS = 300, 8.0, 400
#: Differences beyond about these are passed over, evenly.
_PAIRS = 20_000
#: Deviations are at least this, as logits.
_LEAST = 1e-6


def clearly_likeliest(found: Mapping[float, float], plain: float) -> float:
    """That with the highest of the likelihoods, which are logarithms; the `plain` one where none gains much."""
    best = max(found, key=lambda one: found[one])
    return best if found[best] > found[plain] + _GAIN else plain


@dataclass(frozen=True)
class Repeated:
    """Configurations that were trained several times: `rows` of each in `logits` (n, errors), with the luck's
    `deviation` (groups,) and that of counting, `counted` (groups, errors), all as logits."""

    rows: Sequence[npt.NDArray[np.int64]]
    logits: FloatArray
    deviation: FloatArray
    counted: FloatArray

    def shape(self) -> tuple[float, float]:
        """By how much the deviations are to be multiplied, and the depth of `Noise`."""
        found = {depth: max(self._likelihood(width, depth) for width in _FEW) for depth in _DEPTHS}
        depth = clearly_likeliest(found, np.inf)
        return self._width(depth), float(depth)

    def _likelihood(self, width: float, depth: float) -> float:
        """The logarithm of that of the mean logits of both errors, whatever their expected value is."""
        # Counting has a share in their spread, which is small and counts as luck.
        own = np.sqrt((self.counted**2).mean(axis=1) / self.counted.shape[1])
        deviation = np.minimum(np.hypot(width * self.deviation, width * own), depth)
        found, order = 0.0, sorted(range(len(self.rows)), key=lambda group: len(self.rows[group]))
        for _, several in groupby(order, key=lambda group: len(self.rows[group])):
            groups = list(several)
            seen = self.logits[np.array([self.rows[group] for group in groups])].mean(axis=2)
            found += float(_log_likelihood(seen, deviation[groups], depth).sum())
        return found

    def _width(self, depth: float) -> float:
        """That with which the central intervals of differences between two seeds hold what they should, of each
        error."""
        pairs = [(group, *pair) for group, rows in enumerate(self.rows) for pair in combinations(rows.tolist(), 2)]
        which, first, second = np.array(pairs[:: 1 + len(pairs) // _PAIRS]).T
        # Each configuration counts once.
        weight = 1 / np.bincount(which)[which] / len(np.unique(which))
        real = np.abs(self.logits[first] - self.logits[second])
        normal = np.random.default_rng(0).standard_normal((2, 2, len(self.rows), _DRAWS))
        off = []
        for width in _WIDTHS:
            noise = Noise(0.0, width**2, 0.0, depth=depth)
            one, other = noise.luck(self.deviation[:, None] ** 2, normal[0])
            held = []
            for part in range(real.shape[1]):
                counted = width * self.counted[:, [part]]
                drawn = np.abs(one + counted * normal[1, 0] - other - counted * normal[1, 1])
                inside = (drawn[which] < real[:, [part]]).mean(axis=1)
                held.append([weight @ (inside <= level) for level in LEVELS])
            off.append(np.abs(np.array(held) - np.array(LEVELS)).max())
        return float(_WIDTHS[int(np.argmin(off))])


def _log_likelihood(seen: FloatArray, deviation: FloatArray, depth: float) -> FloatArray:
    """Of values (groups, k) that are what is expected and luck of a `deviation` (groups,) and `depth`, over all that
    may be expected, (groups,)."""
    s = np.maximum(deviation, _LEAST)[:, None]
    low, high = seen.min(axis=1, keepdims=True) - _WITHIN * s, seen.max(axis=1, keepdims=True) + _WITHIN * s
    if np.isfinite(depth):
        # Luck is nowhere below this.
        high = np.minimum(high, seen.min(axis=1, keepdims=True) + depth * np.exp((s / depth) ** 2 / 2))
    step = (high - low) / _EXPECTED
    expected = low + step * (np.arange(_EXPECTED) + 0.5)
    luck = seen[:, None, :] - expected[:, :, None]
    s = s[:, :, None]
    if np.isfinite(depth):
        stretched = np.maximum(luck / depth + np.exp((s / depth) ** 2 / 2), 1e-12)
        density = -((depth / s * np.log(stretched)) ** 2) / 2 - np.log(s * stretched)
    else:
        density = -((luck / s) ** 2) / 2 - np.log(s)
    of_all = density.sum(axis=2)
    most = of_all.max(axis=1, keepdims=True)
    return np.asarray(most[:, 0] + np.log(np.exp(of_all - most).sum(axis=1) * step[:, 0]))
