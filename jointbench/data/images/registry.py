"""Image data sets: uint8 images, labels, and the one split into training, validation and test part."""

import gzip
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import MissingDataError, MissingExtraError, UnknownNameError
from jointbench.data.images.facts import SPLIT_SEED, known_facts
from jointbench.data.images.image_data import ImageData, Part, Pixels

#: The share of the training part that is validation (paper, appendix B).
VALIDATION_SHARE = 0.1

#: Where image data is looked for when no folder is given.
DATA_FOLDER_VARIABLE = "JOINTBENCH_DATA"


def _permutation(count: int) -> npt.NDArray[np.int64]:
    # RandomState's streams are frozen for good by NumPy's policy; a Generator's may change.
    return np.random.RandomState(SPLIT_SEED).permutation(count)


def _with_validation(name: str, classes: int, training: Part, test: Part) -> ImageData:
    order = _permutation(len(training))
    held_out = round(VALIDATION_SHARE * len(training))
    parts = training.take(order[held_out:]), training.take(order[:held_out]), test
    return ImageData(name, classes, *parts, known_facts(name).augmentation)


def _digits(folder: Path | None) -> ImageData:
    """scikit-learn's 1,797 digits, 8x8; it has no test part, so a sixth (CIFAR-10's share) is drawn as one."""
    from sklearn.datasets import load_digits

    source = load_digits()
    # 17 grey levels, 0 to 16, spread over a byte.
    images = np.rint(source.images * (255 / 16)).astype(np.uint8)[:, np.newaxis]
    whole = Part(images, source.target.astype(np.int64))
    order = _permutation(len(whole))
    tested = len(whole) // 6
    return _with_validation("digits", 10, whole.take(order[tested:]), whole.take(order[:tested]))


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
    folders = [folder] if folder else [Path("/usr/share/datasets/fashion-mnist"), _default_folder()]
    found: dict[str, Path] = {}
    for place in folders:
        paths = {key: _find_idx(place, name) for key, name in _IDX.items()}
        if all(paths.values()):
            found = {key: path for key, path in paths.items() if path}
            break
    if not found:
        place = folder or _default_folder()
        _download("FashionMNIST", place, f"the files {', '.join(_IDX.values())} in {place}")
        found = {key: path for key, name in _IDX.items() if (path := _find_idx(place, name))}
    training = _idx_part(found["train_images"], found["train_labels"])
    return training, _idx_part(found["test_images"], found["test_labels"])


def _fashion_mnist(folder: Path | None) -> ImageData:
    return _with_validation("fashion-mnist", 10, *_fashion_mnist_files(folder))


def _fashion_mnist_averaged(side: int, margin: int) -> Callable[[Path | None], ImageData]:
    """Articles with black margins of so many pixels, averaged down to side x side, and fewer of them: trainings that
    learn something in seconds of a processor.

    Of the 60,000 training images in an order drawn once, the first 3,000 are validation and the next 4,000 training;
    of the 10,000 test images in an order drawn once the first 5,000 are the test part.
    """

    def averaged(part: Part) -> Part:
        framed = np.pad(part.images, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
        step = framed.shape[-1] // side
        blocks = framed.reshape(len(framed), 1, side, step, side, step)
        return Part(np.rint(blocks.mean(axis=(3, 5))).astype(np.uint8), part.labels)

    def load(folder: Path | None) -> ImageData:
        facts = known_facts(f"fashion-mnist-{side}")
        training, test = _fashion_mnist_files(folder)
        drawn = _permutation(len(training))[: facts.validation + facts.training]
        return ImageData(
            facts.name,
            facts.classes,
            averaged(training.take(drawn[facts.validation :])),
            averaged(training.take(drawn[: facts.validation])),
            averaged(test.take(_permutation(len(test))[: facts.test])),
            facts.augmentation,
        )

    return load


def _cifar(name: str, torchvision_name: str, classes: int) -> Callable[[Path | None], ImageData]:
    def load(folder: Path | None) -> ImageData:
        place = folder or _default_folder()
        files = f"{torchvision_name}'s Python files in {place}"
        parts = []
        for train in (True, False):
            source = _torchvision(torchvision_name, place, train, files)
            images = np.ascontiguousarray(source.data.transpose(0, 3, 1, 2))
            parts.append(Part(images, np.array(source.targets, dtype=np.int64)))
        return _with_validation(name, classes, *parts)

    load.__doc__ = f"{torchvision_name} through torchvision, 60,000 images of 32x32, {classes} classes."
    return load


def _default_folder() -> Path:
    return Path(os.environ.get(DATA_FOLDER_VARIABLE, Path.home() / ".cache" / "jointbench"))


def _torchvision(dataset: str, folder: Path, train: bool, files: str) -> Any:
    try:
        from torchvision import datasets
    except ImportError:
        raise MissingExtraError("torchvision is needed to read image data: pip install 'jointbench[train]'") from None
    kind = getattr(datasets, dataset)
    try:
        return kind(str(folder), train=train, download=False)
    except RuntimeError:
        pass  # not there, or damaged: a download mends both
    try:
        return kind(str(folder), train=train, download=True)
    except (OSError, RuntimeError) as error:
        raise MissingDataError(
            "image data",
            dataset,
            f"{files}; the download failed ({type(error).__name__}), so put them there by hand or name their "
            f"folder with --data or ${DATA_FOLDER_VARIABLE}",
        ) from None


def _download(dataset: str, folder: Path, files: str) -> None:
    _torchvision(dataset, folder, True, files)


#: Loaders by name; each takes the folder to look in (None: the default places).
IMAGES: Mapping[str, Callable[[Path | None], ImageData]] = {
    "digits": _digits,
    "fashion-mnist": _fashion_mnist,
    "fashion-mnist-14": _fashion_mnist_averaged(14, 0),
    "fashion-mnist-8": _fashion_mnist_averaged(8, 2),
    "cifar10": _cifar("cifar10", "CIFAR10", 10),
    "cifar100": _cifar("cifar100", "CIFAR100", 100),
}


def load_images(name: str, folder: str | Path | None = None) -> ImageData:
    """The data set of this name, from `folder`, $JOINTBENCH_DATA, ~/.cache/jointbench or a download.

    Raises UnknownNameError, or MissingDataError, which says how to get the data.
    """
    if name not in IMAGES:
        raise UnknownNameError.of("images", name, IMAGES)
    if folder is not None and not Path(folder).is_dir():
        raise MissingDataError("data folder", str(folder), "an existing folder")
    return IMAGES[name](Path(folder) if folder is not None else None)
