"""What a log and a benchmark remember of their image data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.space import ImageShape

#: Seed of every split into training, validation and test part.
SPLIT_SEED = 2018

#: More images, or pixels on a side, than these are in no data set that networks of these spaces are trained on.
_MOST_IMAGES, _LONGEST_SIDE = 2**31, 2**12


@dataclass(frozen=True)
class ImageFacts:
    """Channels, height and width, and counts of images. Raises InputError when one is no sensible number."""

    name: str
    shape: ImageShape
    classes: int
    training: int
    validation: int
    test: int
    split_seed: int = SPLIT_SEED

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InputError("images: name", self.name, "a text")
        for side in self.shape:
            _check("shape", side, 1, _LONGEST_SIDE)
        _check("classes", self.classes, 2, _MOST_IMAGES)
        for part in ("training", "validation", "test"):
            _check(part, getattr(self, part), 1, _MOST_IMAGES)
        _check("split_seed", self.split_seed, 0, 2**63)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ImageFacts":
        channels, height, width = content["shape"]
        return cls(**{**content, "shape": (channels, height, width)})


def _check(field: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"images: {field}", value, f"a whole number from {least} to {most}")


#: What the data sets are, for who plans before having them.
_KNOWN = {
    "digits": ImageFacts("digits", (1, 8, 8), 10, 1_348, 150, 299),
    "fashion-mnist": ImageFacts("fashion-mnist", (1, 28, 28), 10, 54_000, 6_000, 10_000),
    "cifar10": ImageFacts("cifar10", (3, 32, 32), 10, 45_000, 5_000, 10_000),
    "cifar100": ImageFacts("cifar100", (3, 32, 32), 100, 45_000, 5_000, 10_000),
}


def known_facts(name: str) -> ImageFacts:
    """The facts of a data set that need not be on this machine. Raises UnknownNameError."""
    if name not in _KNOWN:
        raise UnknownNameError.of("images", name, _KNOWN)
    return _KNOWN[name]
