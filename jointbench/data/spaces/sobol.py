"""Configurations that lie evenly in a space."""

import numpy as np

from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.space import Space


def sobol(space: Space, count: int, seed: int) -> list[Configuration]:
    """The first `count` of a scrambled Sobol sequence, which is balanced at powers of two."""
    from scipy.stats import qmc

    points = qmc.Sobol(len(space.names), rng=seed).random_base2(max(1, count - 1).bit_length())[:count]
    return [space.at(point) for point in np.clip(points, 0.0, 1.0)]
