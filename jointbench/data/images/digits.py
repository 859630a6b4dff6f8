"""scikit-learn's handwritten digits, which need no file."""

from pathlib import Path

import numpy as np

from jointbench.data.images.facts import Augmentation, ImageFacts
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.images.image_set import ImageSet
from jointbench.data.images.splitting import permutation, with_validation

_FACTS = ImageFacts("digits", (1, 8, 8), 10, 1_348, 150, 299, augmentation=Augmentation(False, 0, "area"))


def _load(folder: Path | None) -> ImageData:
    """scikit-learn's 1,797 digits, 8x8; it has no test part, so a sixth (CIFAR-10's share) is drawn as one."""
    from sklearn.datasets import load_digits

    source = load_digits()
    # 17 grey levels, 0 to 16, spread over a byte.
    images = np.rint(source.images * (255 / 16)).astype(np.uint8)[:, np.newaxis]
    whole = Part(images, source.target.astype(np.int64))
    order = permutation(len(whole))
    tested = len(whole) // 6
    return with_validation(_FACTS, whole.take(order[tested:]), whole.take(order[:tested]))


DIGITS = ImageSet(_FACTS, _load)
