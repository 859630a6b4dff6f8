"""A folder of images of one's own, laid out as torchvision's ImageFolder: a folder a class, images inside.

Where it has the folders `train` and `test`, the classes stand inside of each; where it has none, a sixth of the images
(CIFAR-10's share) is drawn as the test part. All images have one size; grey ones have one channel, all others three.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from jointbench.data.errors import MissingDataError, MissingExtraError
from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.image_data import ImageData, Part, Pixels
from jointbench.data.images.splitting import permutation, with_validation

#: What torchvision takes for images.
_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"))
_GREY = ("1", "L", "I;16")
_EXPECTED = "a folder with a folder of images for each of two or more classes, perhaps inside of train and test"


def load_folder(name: str, path: Path) -> ImageData:
    """Of this name. Raises MissingDataError for a folder that is laid out otherwise, and for an image that cannot be
    read or has another size than the first; MissingExtraError where Pillow is not installed."""
    if not path.is_dir():
        raise MissingDataError("image folder", str(path), "an existing folder")
    apart = (path / "train").is_dir() and (path / "test").is_dir()
    places = [path / "train", path / "test"] if apart else [path]
    classes = sorted({folder.name for place in places for folder in place.iterdir() if folder.is_dir()})
    if len(classes) < 2:
        raise MissingDataError("image folder", str(path), _EXPECTED)
    files = [list(image_files(place, classes)) for place in places]
    if not all(files):
        raise MissingDataError("image folder", str(path), _EXPECTED)
    grey = _is_grey(files[0][0][0])
    parts = [_part(some, grey, files[0][0][0]) for some in files]
    if not apart:
        (whole,) = parts
        order, tested = permutation(len(whole)), max(1, len(whole) // 6)
        parts = [whole.take(order[tested:]), whole.take(order[:tested])]
    training, test = parts
    channels, height, width = training.images.shape[1:]
    # Counts that are not known yet: what is split has them.
    facts = ImageFacts(name, (channels, height, width), len(classes), 1, 1, 1)
    return with_validation(facts, training, test)


def image_files(place: Path, classes: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """Images in the folders of the classes, in the order of their names, and their classes' places."""
    for label, name in enumerate(classes):
        found = (place / name).rglob("*") if (place / name).is_dir() else ()
        yield from ((file, label) for file in sorted(found) if file.suffix.lower() in _ENDINGS)


def _is_grey(file: Path) -> bool:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("Pillow is needed to read images: pip install 'jointbench[train]'") from None
    try:
        with Image.open(file) as image:
            return image.mode in _GREY
    except OSError:
        raise MissingDataError("image file", str(file), "an image") from None


def _part(files: list[tuple[Path, int]], grey: bool, first: Path) -> Part:
    from PIL import Image

    arrays: list[Pixels] = []
    for file, _ in files:
        try:
            with Image.open(file) as image:
                arrays.append(np.asarray(image.convert("L" if grey else "RGB"), dtype=np.uint8))
        except OSError:
            raise MissingDataError("image file", str(file), "an image") from None
        if arrays[-1].shape != arrays[0].shape:
            size, wanted = ("x".join(map(str, one.shape[:2])) for one in (arrays[-1], arrays[0]))
            expected = f"{wanted} pixels (height, width) as {first} has, not {size}"
            raise MissingDataError("image file", str(file), expected)
    images = np.stack(arrays)
    images = images[:, np.newaxis] if grey else np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return Part(images, np.array([label for _, label in files], dtype=np.int64))
