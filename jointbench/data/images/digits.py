"""scikit-learn's handwritten digits, which need no file."""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from jointbench.data.images.facts import Augmentation, ImageFacts
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.images.image_set import ImageSet
from jointbench.data.images.splitting import permutation, with_validation

_FACTS = ImageFacts("digits", (1, 8, 8), 10, 1_348, 150, 299, augmentation=Augmentation(False, 0, "area"))
_HALVES = ImageFacts("digits-halves", (1, 8, 8), 10, 719, 719, 359, augmentation=Augmentation(False, 0, "area"))


def _whole() -> Part:
    """scikit-learn's 1,797 digits, 8x8, from its file: importing scikit-learn takes every worker two seconds."""
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    with gzip.open(Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz", "rt", encoding="ascii") as file:
        # 64 pixels and the label.
        rows = np.loadtxt(file, delimiter=",")
    # 17 grey levels, 0 to 16, spread over a byte.
    images = np.rint(rows[:, :-1].reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    return Part(images, rows[:, -1].astype(np.int64))


def _load(folder: Path | None) -> ImageData:
    """It has no test part, so a sixth (CIFAR-10's share) is drawn as one."""
    whole = _whole()
    order = permutation(len(whole))
    tested = len(whole) // 6
    return with_validation(_FACTS, whole.take(order[tested:]), whole.take(order[:tested]))


def _load_halves(folder: Path | None) -> ImageData:
    """The same digits, as many for validation as for training: a fifth is the test part, and of the rest, in an order
    drawn once, the first half is validation (40, 40 and 20 per cent, as Yang et al. 2020 split small data sets). An
    error of 150 images comes in steps of 0.7 per cent, which is more than generators differ by."""
    whole = _whole()
    order = permutation(len(whole))
    tested, half = _HALVES.test, _HALVES.validation
    training, validation = whole.take(order[tested + half :]), whole.take(order[tested : tested + half])
    test = whole.take(order[:tested])
    return ImageData(_HALVES.name, _HALVES.classes, training, validation, test, _HALVES.augmentation)


DIGITS = ImageSet(_FACTS, _load)
DIGITS_HALVES = ImageSet(_HALVES, _load_halves)
