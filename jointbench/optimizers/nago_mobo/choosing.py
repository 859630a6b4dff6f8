"""Which candidates go into a batch: acquisitions, the cheap front, hard local penalisation."""

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import log, sqrt
from jointbench.data.pareto import non_dominated

#: Of the confidence bound (Srinivas et al. 2010): the chance to be wrong.
_DELTA = 0.05
#: What a Lipschitz constant counts as that is next to nothing (pybnn's successors do so too).
_FLAT, _LEAST_SLOPE = 10.0, 1e-7


def confidence(round_number: int, dimensions: int) -> float:
    """How many standard deviations the lower bound lies below the mean in a round, from 1 on: USeMO's beta."""
    power = (dimensions / 2 + 2) * log(float(round_number)) + log(np.pi**2 / (3 * _DELTA))
    return float(sqrt(float(power)))


def cheap_front(acquisitions: FloatArray, least: int) -> npt.NDArray[np.intp]:
    """Places of the candidates on the front of acquisitions (n, objectives), which are minimised; where these are fewer
    than `least`, those on the front of the rest too, and so on."""
    left, found = np.arange(len(acquisitions)), list[int]()
    while len(found) < least and len(left):
        stands = non_dominated(acquisitions[left])
        found += left[stands].tolist()
        left = left[~stands]
    return np.array(sorted(found), dtype=np.intp)


def lipschitz(slopes: FloatArray) -> float:
    """The largest norm of gradients (n, inputs)."""
    largest = float(sqrt(float(np.square(slopes).sum(axis=1).max())))
    return _FLAT if largest < _LEAST_SLOPE else largest


def penalty(
    points: FloatArray, chosen: FloatArray, slope: float, mean: float, deviation: float, best: float
) -> FloatArray:
    """Hard local penalisation (Alvi et al. 2019) at points (n, inputs) of one objective around a point that is chosen:
    from 0 there to 1 where the best value can lie; `mean` and `deviation`: what is predicted at it."""
    distances = np.sqrt(np.add.reduce(np.square(points - chosen).T, axis=0))
    return np.asarray(np.minimum(1.0, slope * distances / (abs(mean - best) + deviation)))


def improvements(front: FloatArray, reference: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """By how much points (first, second), arrays of one shape, raise the hypervolume of a front (n, 2) of what is
    minimised, below a reference."""
    ordered = front[np.lexsort((front[:, 1], front[:, 0]))]
    edges = np.concatenate([[-np.inf], ordered[:, 0], [reference[0]]])
    heights = np.concatenate([[reference[1]], np.minimum.accumulate(np.append(reference[1], ordered[:, 1]))[1:]])
    gained = np.zeros_like(first)
    for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
        width = np.maximum(np.minimum(right, reference[0]) - np.maximum(first, left), 0.0)
        gained += width * np.maximum(height - second, 0.0)
    return gained
