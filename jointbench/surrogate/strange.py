"""Trainings that luck does not explain: far above what all others say of them. Who takes them for noise, as large as
their distance, does not believe that their neighbours are as bad."""

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.gaussian_process import GaussianProcess

#: So many standard deviations from what the others say is stranger than luck.
_FAR = 4.0
#: Steps of the search that goes on without them, and how often they are looked for.
_STEPS_AFTER, _TURNS = 10, 2


def apart_and_strange(
    process: GaussianProcess, parted: npt.NDArray[np.int64], counted: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """How far each observation is above what is said without its part (n, outputs), and whether in the first output
    that is stranger than luck (n,). `parted` (n,): the part; `counted` (n,): a variance that it has in any case."""
    apart, variance = process.apart(parted)
    return apart, apart[:, 0] ** 2 > _FAR**2 * (variance + counted)


def noise_of_strange(process: GaussianProcess, parted: npt.NDArray[np.int64], counted: FloatArray) -> FloatArray | None:
    """The variance of each observation (n,) where what is strange is noise; None where nothing is."""
    apart, strange = apart_and_strange(process, parted, counted)
    return np.where(strange, np.maximum(apart[:, 0] ** 2, counted), counted) if strange.any() else None


def tolerant(
    process: GaussianProcess, parted: npt.NDArray[np.int64], counted: FloatArray, few: npt.NDArray[np.int64]
) -> GaussianProcess:
    """A process that takes what is strange for noise, its kernel searched anew on `few` of the observations; the
    process itself where nothing is strange."""
    group = None if process.group is None else process.group[few]
    x, y, kind = process.x[few], process.observed[few], process.kind[few]
    for _ in range(_TURNS):
        known = noise_of_strange(process, parted, counted)
        if known is None:
            break
        process = process.again(process.kernel.search(x, y, kind, _STEPS_AFTER, known[few], group), known)
    return process
