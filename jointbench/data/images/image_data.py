"""A data set of images as arrays, in its three parts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.data.images.facts import PHOTOGRAPHS, Augmentation, ImageFacts

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Images (n, channels, height, width) and their labels (n,)."""

    images: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: npt.NDArray[np.int64]) -> "Part":
        return Part(self.images[indices], self.labels[indices])


@dataclass(frozen=True)
class ImageData:
    """A data set in its three parts, and how its training images are augmented; `side`: what networks see of images
    that are kept larger, in pixels."""

    name: str
    classes: int
    training: Part
    validation: Part
    test: Part
    augmentation: Augmentation = PHOTOGRAPHS
    side: int | None = None

    @property
    def facts(self) -> ImageFacts:
        channels, height, width = self.training.images.shape[1:]
        counts = len(self.training), len(self.validation), len(self.test)
        shape = (channels, self.side or height, self.side or width)
        return ImageFacts(self.name, shape, self.classes, *counts, augmentation=self.augmentation)
