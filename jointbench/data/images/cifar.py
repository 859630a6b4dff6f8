"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009)."""

from pathlib import Path

import numpy as np

from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.images.image_set import ImageSet
from jointbench.data.images.places import default_folder, through_torchvision
from jointbench.data.images.splitting import with_validation


def _cifar(facts: ImageFacts, torchvision_name: str) -> ImageSet:
    """60,000 images of 32x32 through torchvision."""

    def load(folder: Path | None) -> ImageData:
        place = folder or default_folder()
        files = f"{torchvision_name}'s Python files in {place}"
        parts = []
        for train in (True, False):
            source = through_torchvision(torchvision_name, place, files, train=train)
            images = np.ascontiguousarray(source.data.transpose(0, 3, 1, 2))
            parts.append(Part(images, np.array(source.targets, dtype=np.int64)))
        return with_validation(facts, *parts)

    return ImageSet(facts, load)


CIFAR10 = _cifar(ImageFacts("cifar10", (3, 32, 32), 10, 45_000, 5_000, 10_000), "CIFAR10")
CIFAR100 = _cifar(ImageFacts("cifar100", (3, 32, 32), 100, 45_000, 5_000, 10_000), "CIFAR100")
