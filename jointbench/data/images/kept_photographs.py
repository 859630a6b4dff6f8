"""Photographs of any size as arrays: the middle square of each, 256 pixels wide, kept in one file beside others.

Files of photographs are slow to read, and theirs are many sizes. So they are read once, scaled so that the shorter side
has 256 pixels and cut to the square in the middle, as all do before evaluating at 224 pixels; the bytes go into a file
of $JOINTBENCH_DATA (else of a cache), 196,608 an image, which is mapped into memory and read where it is asked for.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jointbench.data.errors import MissingDataError, MissingExtraError
from jointbench.data.files import make_folder, write_whole
from jointbench.data.images.image_data import Pixels
from jointbench.data.images.places import default_folder

#: Pixels on a side: as kept, and as networks see them.
KEPT_SIDE, SIDE = 256, 224
#: Photographs that are read side by side.
_AT_ONCE = 256


def middle_square(file: Path) -> Pixels:
    """(3, 256, 256) of a photograph. Raises MissingDataError where it cannot be read."""
    from PIL import Image

    try:
        with Image.open(file) as opened:
            image = opened.convert("RGB")
    except OSError:
        raise MissingDataError("image file", str(file), "an image") from None
    width, height = image.size
    shorter = min(width, height)
    # As torchvision's Resize and CenterCrop round.
    width, height = (int(KEPT_SIDE * side / shorter) for side in (width, height))
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (round((side - KEPT_SIDE) / 2) for side in (width, height))
    cut = image.crop((left, top, left + KEPT_SIDE, top + KEPT_SIDE))
    return np.ascontiguousarray(np.asarray(cut, dtype=np.uint8).transpose(2, 0, 1))


def kept(name: str, files: Sequence[Path]) -> Pixels:
    """The photographs (n, 3, 256, 256) in this order, mapped from the file that keeps them, which is written where it
    is not there yet.

    Raises MissingDataError for one that cannot be read, MissingExtraError where Pillow is not installed and
    UnwritableError where the file cannot be written.
    """
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise MissingExtraError("Pillow is needed to read images: pip install 'jointbench[train]'") from None
    # Other files, or the same in another order, are other photographs.
    listed = "\n".join(f"{file} {file.stat().st_size}" for file in files)
    folder = default_folder() / "kept"
    path = folder / f"{name}-{KEPT_SIDE}-{hashlib.blake2b(listed.encode(), digest_size=6).hexdigest()}.npy"
    if not path.exists():
        make_folder(folder)
        write_whole(path, lambda file: _write(file, files), once=True)
    # Nobody writes into it, but torch takes no array that nobody may write into.
    mapped: Pixels = np.load(path, mmap_mode="c")
    return mapped


def _write(file: BinaryIO, files: Sequence[Path]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(files), 3, KEPT_SIDE, KEPT_SIDE)}
    np.lib.format.write_array_header_1_0(file, header)
    for square in _squares(files):
        file.write(square.tobytes())


def _squares(files: Sequence[Path]) -> Iterator[Pixels]:
    """In order; Pillow decodes beside other threads."""
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        for begin in range(0, len(files), _AT_ONCE):
            yield from readers.map(middle_square, files[begin : begin + _AT_ONCE])
