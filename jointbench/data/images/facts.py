"""What a log and a benchmark remember of their image data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from jointbench.data.errors import InputError
from jointbench.data.spaces.facts import ImageShape

#: Seed of every split into training, validation and test part.
SPLIT_SEED = 2018

#: More images, or pixels on a side, than these are in no data set that networks of these spaces are trained on.
_MOST_IMAGES, _LONGEST_SIDE = 2**31, 2**12


#: `pixels`: a CutOut square is rounded to whole pixels. `area`: its edges cut pixels, whose covered share becomes the
#: mean, as if it had been cut from an image of the paper's size that was then scaled down.
CutoutLaw = Literal["pixels", "area"]

#: `padded`: black margins, and a crop of the image's own size anywhere in it. `resized`: a crop of any size and nearly
#: any shape of an image that is kept larger than networks see it, scaled to what they see (Szegedy et al. 2015, as
#: torchvision's RandomResizedCrop); images that are evaluated are cropped in the middle.
CropLaw = Literal["padded", "resized"]

#: Mean and spread of the pixels, by which they are normalised: the training part's own, or ImageNet's.
Normalisation = Literal["own", "imagenet"]

#: The paper's images are so many pixels wide, and padded by so many (appendix B).
PAPER_SIDE, PAPER_PADDING = 32, 4


@dataclass(frozen=True)
class Augmentation:
    """What training images go through besides CutOut's and MixUp's strength, which are hyperparameters.

    It belongs to the data set, since what helps photographs harms others: mirrored digits are no digits, and a pixel
    of eight is a large part of an image. `flip`: half of the images are mirrored; `padding`: pixels on each side
    before the random crop, 0 for none of both, None for the paper's share of the side; `jitter`: brightness, contrast
    and saturation by up to 40 % and the hue by up to a fifth of the circle, in any order. The defaults are appendix
    B's. Raises InputError.
    """

    flip: bool = True
    padding: int | None = None
    cutout: CutoutLaw = "pixels"
    crop: CropLaw = "padded"
    jitter: bool = False
    normalisation: Normalisation = "own"

    def __post_init__(self) -> None:
        if type(self.flip) is not bool:
            raise InputError("images: flip", self.flip, "true or false")
        if self.padding is not None:
            _check("padding", self.padding, 0, _LONGEST_SIDE)
        if self.cutout not in get_args(CutoutLaw):
            raise InputError("images: cutout", self.cutout, "pixels or area")
        if self.crop not in get_args(CropLaw):
            raise InputError("images: crop", self.crop, "padded or resized")
        if type(self.jitter) is not bool:
            raise InputError("images: jitter", self.jitter, "true or false")
        if self.normalisation not in get_args(Normalisation):
            raise InputError("images: normalisation", self.normalisation, "own or imagenet")

    def padding_of(self, side: int) -> int:
        """Pixels, for images of this side: 4 for 32 where the data set says nothing else."""
        return max(1, round(PAPER_PADDING * side / PAPER_SIDE)) if self.padding is None else self.padding

    @property
    def words(self) -> str:
        crop = {None: "padded by an eighth of the side and cropped", 0: "not cropped"}
        padded = crop.get(self.padding, f"padded by {self.padding} and cropped")
        return ", ".join(
            (
                "flipped" if self.flip else "not flipped",
                padded if self.crop == "padded" else "crops of random size and shape",
                *(["colours jittered"] if self.jitter else []),
                "CutOut by whole pixels" if self.cutout == "pixels" else "CutOut by area",
                *(["ImageNet's mean and spread"] if self.normalisation == "imagenet" else []),
            )
        )

    def as_dict(self) -> dict[str, Any]:
        """What logs and benchmarks keep: what came later stands there only where it says something."""
        plain = Augmentation()
        later = {"crop", "jitter", "normalisation"}
        return {key: value for key, value in asdict(self).items() if key not in later or value != getattr(plain, key)}


#: Appendix B's.
PHOTOGRAPHS = Augmentation()

#: Of photographs of 224 pixels (Yang, Esperanca and Carlucci 2020).
LARGE_PHOTOGRAPHS = Augmentation(crop="resized", jitter=True, normalisation="imagenet")


@dataclass(frozen=True)
class ImageFacts:
    """Channels, height and width, counts of images, and how they are augmented.

    Raises InputError when one is no sensible number. Logs from before there was an augmentation have the default.
    """

    name: str
    shape: ImageShape
    classes: int
    training: int
    validation: int
    test: int
    split_seed: int = SPLIT_SEED
    augmentation: Augmentation = PHOTOGRAPHS

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
        return asdict(self) | {"augmentation": self.augmentation.as_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ImageFacts":
        channels, height, width = content["shape"]
        augmentation = Augmentation(**content.get("augmentation", {}))
        return cls(**{**content, "shape": (channels, height, width), "augmentation": augmentation})


def _check(field: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"images: {field}", value, f"a whole number from {least} to {most}")
