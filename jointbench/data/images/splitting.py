"""The one split into training, validation and test part."""

import numpy as np
import numpy.typing as npt

from jointbench.data.images.facts import SPLIT_SEED, ImageFacts
from jointbench.data.images.image_data import ImageData, Part

#: The share of the training part that is validation (paper, appendix B).
VALIDATION_SHARE = 0.1


def permutation(count: int) -> npt.NDArray[np.int64]:
    """The one order (count,) of so many images."""
    # RandomState's streams are frozen for good by NumPy's policy; a Generator's may change.
    return np.random.RandomState(SPLIT_SEED).permutation(count)


def with_validation(facts: ImageFacts, training: Part, test: Part) -> ImageData:
    """The training part in an order drawn once, of which the first tenth is validation (paper, appendix B)."""
    order = permutation(len(training))
    held_out = round(VALIDATION_SHARE * len(training))
    parts = training.take(order[held_out:]), training.take(order[:held_out]), test
    return ImageData(facts.name, facts.classes, *parts, facts.augmentation)
