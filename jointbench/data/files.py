"""Files that appear whole or not at all, and whether there is a place for them."""

import errno
import hashlib
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from jointbench.data.errors import UnwritableError

#: How the name of a file ends that is being written, or whose writer died.
UNFINISHED = ".writing"

#: What a file shall hold: text (written as UTF-8), bytes, or what writes it.
Content = str | bytes | Callable[[BinaryIO], object]

#: What file systems say that know no second name for a file.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


def unfinished(path: Path) -> Path:
    """A name beside `path` for what is to become it, another one at each call, in any process on any machine.

    It is short, so that there is room for it wherever there is for the name of `path`.
    """
    return path.with_name(f".{_mark(path)}{uuid.uuid4().hex}{UNFINISHED}")


def remove_unfinished(path: Path) -> None:
    """What writers of `path` left that died; for a file that nobody writes any more."""
    for left in path.parent.glob(f".{_mark(path)}*{UNFINISHED}"):
        left.unlink(missing_ok=True)


def _mark(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]


def check_writable(place: Path, field: str = "out", *, folder: bool = False) -> None:
    """Whether a file can be put at `place`, in place of one that is there, or files into the folder that it names.

    Folders that are missing are taken to be made. For the beginning of any work that ends with writing; leaves nothing
    behind. `field` is how a person calls the place. Raises UnwritableError.
    """
    try:
        there = place if folder else place.parent
        while not os.path.lexists(there) and there != there.parent:
            there = there.parent
        # Only a try tells whether that is a folder, whose it is, and on what medium.
        probe = unfinished(there / "probe")
        probe.touch(exist_ok=False)
        probe.unlink()
        for path in (place, *(there / name for name in place.relative_to(there).parts)):
            # What is too long is refused when it is looked up, too.
            with suppress(FileNotFoundError):
                os.lstat(path)
        if not folder and place.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise UnwritableError.of(field, place, error) from None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing. Raises UnwritableError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError.of("folder", folder, error) from None


def write_whole(path: Path, content: Content, *, once: bool = False) -> None:
    """When this returns, the file is on the disk under its name; when it raises, what was there is there still.

    Of several writers at the same moment one wins: the last, or, with `once`, the first, whose file stays for good.
    Raises UnwritableError, which is an OSError too, and what a writer raises; nothing half-written is left then.
    """
    temporary = unfinished(path)
    try:
        with open(temporary, "xb") as file:
            if callable(content):
                content(file)
            else:
                # A name that is no UTF-8 itself (of a file, in a command) comes out as Python writes it.
                file.write(content.encode(errors="backslashreplace") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if once:
            _link(temporary, path)
        else:
            os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise UnwritableError.of("file", path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Two writers within these two lines are what remains to chance on such a file system.
        if not path.exists():
            os.replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    """So that the name is on the disk too, where the file system can do that."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(opened)
