"""Photographs that networks see at 224 pixels: Flowers102, Sport8, MIT67 and ImageNet, as NAGO's authors used them.

Of the first three authors of the same group split all images anew, 40 % for training, 40 % for validation and 20 % for
testing (Yang, Esperanca and Carlucci 2020); theirs are lists of files. Ours have their counts of images, drawn once,
with each class's share in each part. ImageNet's official validation images are the test part here, as everywhere, and
a tenth of its training images is validation.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import MissingDataError
from jointbench.data.images.facts import LARGE_PHOTOGRAPHS, ImageFacts
from jointbench.data.images.image_data import ImageData, Labels, Part
from jointbench.data.images.image_folder import image_files
from jointbench.data.images.image_set import ImageSet
from jointbench.data.images.kept_photographs import SIDE, kept
from jointbench.data.images.places import default_folder, through_torchvision
from jointbench.data.images.splitting import VALIDATION_SHARE, permutation

#: A photograph's file and its class.
Files = Sequence[tuple[Path, int]]
#: Which photographs are of the training, the validation and the test part.
Split = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def stratified(labels: Labels, count: int, order: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which (n,) of images with these labels are `count` of them, of each class as nearly its share as may be: those
    that come first in an order (n,)."""
    sizes = np.bincount(labels)
    # In whole numbers, so that shares are the same everywhere.
    quotas, left = sizes * count // len(labels), sizes * count % len(labels)
    quotas[np.argsort(-left, kind="stable")[: count - quotas.sum()]] += 1
    chosen = np.zeros(len(labels), dtype=bool)
    for label, quota in enumerate(quotas.tolist()):
        chosen[order[labels[order] == label][:quota]] = True
    return chosen


def split_anew(facts: ImageFacts, labels: Labels) -> Split:
    """Into parts of the facts' sizes, or of the same shares where there are more or fewer images."""
    total = facts.training + facts.validation + facts.test
    tested, validated = (round(part * len(labels) / total) for part in (facts.test, facts.validation))
    order = permutation(len(labels))
    test = stratified(labels, tested, order)
    rest = order[~test[order]]
    # Of what is left, again by its order.
    validation = rest[stratified(labels[rest], validated, np.arange(len(rest)))]
    training = rest[~np.isin(rest, validation)]
    return training, validation, order[test[order]]


def _parts(facts: ImageFacts, files: Files, split: Split) -> ImageData:
    """The parts lie one after the other in the file that keeps them, so that each is one piece of it."""
    order = np.concatenate(split)
    pixels = kept(facts.name, [files[place][0] for place in order.tolist()])
    labels = np.array([label for _, label in files], dtype=np.int64)[order]
    ends = np.cumsum([len(part) for part in split])
    training, validation, test = (
        Part(pixels[end - len(part) : end], labels[end - len(part) : end])
        for part, end in zip(split, ends.tolist(), strict=True)
    )
    return ImageData(facts.name, facts.classes, training, validation, test, facts.augmentation, SIDE)


def _facts(name: str, classes: int, training: int, validation: int, test: int) -> ImageFacts:
    shape = (3, SIDE, SIDE)
    return ImageFacts(name, shape, classes, training, validation, test, augmentation=LARGE_PHOTOGRAPHS)


def _split_anew(facts: ImageFacts, files: Callable[[Path | None], Files]) -> ImageSet:
    def load(folder: Path | None) -> ImageData:
        found = files(folder)
        return _parts(facts, found, split_anew(facts, np.array([label for _, label in found])))

    return ImageSet(facts, load)


def _flowers(folder: Path | None) -> Files:
    """Through torchvision, whose own split (1,020, 1,020 and 6,149) is joined."""
    place = folder or default_folder()
    files = f"Flowers102's archive and lists in {place}"
    found: list[tuple[Path, int]] = []
    for part in ("train", "val", "test"):
        source = through_torchvision("Flowers102", place, files, split=part)
        found += zip(map(Path, source._image_files), source._labels, strict=True)
    return sorted(found)


def _folders(name: str, classes: int, source: str) -> Callable[[Path | None], Files]:
    """A folder of images for each class, in the data folder's `name` or in the folder that is named itself."""

    def files(folder: Path | None) -> Files:
        place = folder or default_folder()
        for inside in (place / name, place):
            known = sorted(one.name for one in inside.iterdir() if one.is_dir()) if inside.is_dir() else []
            if len(known) == classes and len(found := list(image_files(inside, known))) > 0:
                return found
        expected = f"{classes} folders of images, one a class, from {source}"
        raise MissingDataError("image folder", str(place / name), expected)

    return files


_IMAGENET = _facts("imagenet", 1000, 1_153_050, 128_117, 50_000)


def _imagenet(folder: Path | None) -> ImageData:
    place = folder or default_folder()
    files = f"the archives of 2012 (devkit, train and val), or the folders that torchvision makes of them, in {place}"
    training, test = (
        through_torchvision("ImageNet", place, files, downloads=False, split=part).samples for part in ("train", "val")
    )
    order = permutation(len(training))
    held_out = round(VALIDATION_SHARE * len(training))
    tested = len(training) + np.arange(len(test))
    both = [(Path(file), label) for file, label in (*training, *test)]
    return _parts(_IMAGENET, both, (order[held_out:], order[:held_out], tested))


FLOWERS102 = _split_anew(_facts("flowers102", 102, 3_254, 3_253, 1_682), _flowers)
SPORT8 = _split_anew(
    _facts("sport8", 8, 631, 630, 318),
    _folders("sport8", 8, "Li and Fei-Fei's event dataset (vision.stanford.edu/lijiali/event_dataset)"),
)
MIT67 = _split_anew(
    _facts("mit67", 67, 6_233, 6_233, 3_153),
    _folders("mit67", 67, "Quattoni and Torralba's indoor scenes (web.mit.edu/torralba/www/indoor.html)"),
)
IMAGENET = ImageSet(_IMAGENET, _imagenet)
