"""Image data sets by name: uint8 images, labels, and the one split into training, validation and test part."""

from functools import lru_cache
from pathlib import Path

from jointbench.data.errors import MissingDataError, UnknownNameError
from jointbench.data.images.cifar import CIFAR10, CIFAR100
from jointbench.data.images.digits import DIGITS, DIGITS_HALVES
from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.fashion_mnist import FASHION_MNIST, FASHION_MNIST_8, FASHION_MNIST_14
from jointbench.data.images.image_data import ImageData
from jointbench.data.images.image_folder import load_folder
from jointbench.data.images.image_set import ImageSet
from jointbench.data.images.joined import JOINED, joined, joined_facts, name_inside
from jointbench.data.images.photographs import FLOWERS102, IMAGENET, MIT67, SPORT8
from jointbench.data.registry import Registry

#: By name; an entry point of the group brings a package's.
IMAGES: Registry[ImageSet] = Registry(
    "images",
    "jointbench.images",
    {
        one.facts.name: one
        for one in (
            *(DIGITS, DIGITS_HALVES, FASHION_MNIST, FASHION_MNIST_14, FASHION_MNIST_8, CIFAR10, CIFAR100),
            *(FLOWERS102, SPORT8, MIT67, IMAGENET),
        )
    },
)

#: How a folder of images is named: `folder:PATH`.
FOLDER = "folder:"


def load_images(name: str, folder: str | Path | None = None) -> ImageData:
    """The data set of this name, from `folder`, $JOINTBENCH_DATA, ~/.cache/jointbench or a download; or the images in
    `folder:PATH`; after `joined:` the same with the validation images among the training images.

    Raises UnknownNameError, InputError for `joined:` twice, or MissingDataError, which says how to get the data.
    """
    if name.startswith(JOINED):
        return joined(load_images(name_inside(name), folder))
    if name.startswith(FOLDER):
        return load_folder(name, Path(name.removeprefix(FOLDER)))
    found = _image_set(name)
    if folder is not None and not Path(folder).is_dir():
        raise MissingDataError("data folder", str(folder), "an existing folder")
    return found.load(Path(folder) if folder is not None else None)


def known_facts(name: str) -> ImageFacts:
    """The facts of a data set that need not be on this machine, or of `folder:PATH`; either may stand after `joined:`.

    Raises UnknownNameError, InputError for `joined:` twice, MissingDataError for a folder that is none of images.
    """
    if name.startswith(JOINED):
        return joined_facts(known_facts(name_inside(name)))
    return _folder_facts(name) if name.startswith(FOLDER) else _image_set(name).facts


@lru_cache(maxsize=16)
def _folder_facts(name: str) -> ImageFacts:
    return load_images(name).facts


def _image_set(name: str) -> ImageSet:
    if name not in IMAGES:
        raise UnknownNameError.of("images", name, IMAGES, hint=f", or {FOLDER}PATH, or {JOINED} before one of them")
    return IMAGES[name]
