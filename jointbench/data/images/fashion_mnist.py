"""Zalando's Fashion-MNIST, whole and averaged down for processors."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from jointbench.data.errors import MissingDataError
from jointbench.data.images.facts import Augmentation, ImageFacts
from jointbench.data.images.image_data import ImageData, Part, Pixels
from jointbench.data.images.image_set import ImageSet
from jointbench.data.images.places import default_folder, through_torchvision
from jointbench.data.images.splitting import permutation, with_validation

_BY_AREA = Augmentation(cutout="area")
_WHOLE = ImageFacts("fashion-mnist", (1, 28, 28), 10, 54_000, 6_000, 10_000, augmentation=_BY_AREA)
_14 = ImageFacts("fashion-mnist-14", (1, 14, 14), 10, 4_000, 3_000, 5_000, augmentation=_BY_AREA)
_8 = ImageFacts("fashion-mnist-8", (1, 8, 8), 10, 4_000, 3_000, 5_000, augmentation=Augmentation(True, 0, "area"))

_IDX = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def _read_idx(path: Path, rank: int) -> Pixels:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        kind, dimensions = content[2], content[3]
        shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
        if (kind, dimensions) != (8, rank):
            raise ValueError
        return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape).copy()
    except (ValueError, IndexError, struct.error, OSError, EOFError, zlib.error):
        raise MissingDataError("image file", str(path), f"an IDX file of unsigned bytes, rank {rank}") from None


def _idx_part(images: Path, labels: Path) -> Part:
    pixels, answers = _read_idx(images, 3), _read_idx(labels, 1)
    if len(pixels) != len(answers):
        raise MissingDataError("image file", str(labels), f"{len(pixels)} labels, one an image")
    return Part(pixels[:, np.newaxis], answers.astype(np.int64))


def _find_idx(folder: Path, name: str) -> Path | None:
    places = (folder, folder / "FashionMNIST" / "raw")
    return next((p for place in places for p in (place / name, place / f"{name}.gz") if p.is_file()), None)


def _fashion_mnist_files(folder: Path | None) -> tuple[Part, Part]:
    """Zalando's 70,000 articles, 28x28 grey, from IDX files (gzipped or not): training and test part."""
    folders = [folder] if folder else [Path("/usr/share/datasets/fashion-mnist"), default_folder()]
    found: dict[str, Path] = {}
    for place in folders:
        paths = {key: _find_idx(place, name) for key, name in _IDX.items()}
        if all(paths.values()):
            found = {key: path for key, path in paths.items() if path}
            break
    if not found:
        place = folder or default_folder()
        through_torchvision("FashionMNIST", place, f"the files {', '.join(_IDX.values())} in {place}", train=True)
        found = {key: path for key, name in _IDX.items() if (path := _find_idx(place, name))}
    training = _idx_part(found["train_images"], found["train_labels"])
    return training, _idx_part(found["test_images"], found["test_labels"])


def _fashion_mnist(folder: Path | None) -> ImageData:
    return with_validation(_WHOLE, *_fashion_mnist_files(folder))


def _averaged(facts: ImageFacts, margin: int) -> ImageSet:
    """Articles with black margins of so many pixels, averaged down to the facts' side, and fewer of them: trainings
    that learn something in seconds of a processor.

    Of the 60,000 training images in an order drawn once, the first 3,000 are validation and the next 4,000 training;
    of the 10,000 test images in an order drawn once the first 5,000 are the test part.
    """

    side = facts.shape[1]

    def averaged(part: Part) -> Part:
        framed = np.pad(part.images, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
        step = framed.shape[-1] // side
        blocks = framed.reshape(len(framed), 1, side, step, side, step)
        return Part(np.rint(blocks.mean(axis=(3, 5))).astype(np.uint8), part.labels)

    def load(folder: Path | None) -> ImageData:
        training, test = _fashion_mnist_files(folder)
        drawn = permutation(len(training))[: facts.validation + facts.training]
        return ImageData(
            facts.name,
            facts.classes,
            averaged(training.take(drawn[facts.validation :])),
            averaged(training.take(drawn[: facts.validation])),
            averaged(test.take(permutation(len(test))[: facts.test])),
            facts.augmentation,
        )

    return ImageSet(facts, load)


FASHION_MNIST = ImageSet(_WHOLE, _fashion_mnist)
FASHION_MNIST_14 = _averaged(_14, 0)
FASHION_MNIST_8 = _averaged(_8, 2)
