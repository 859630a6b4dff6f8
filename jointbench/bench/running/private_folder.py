"""Folders for what nobody else may read, gone when the process that made them is."""

import errno
import fcntl
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jointbench.data.errors import InputError

#: A file in each folder, which its maker holds a lock on as long as it lives, and which says who that is.
_LOCK = "lock"


@contextmanager
def private_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder of mode 0700 in `parent`, removed with all that is in it at the end; its path is absolute.

    Whoever is killed cannot remove its own: see `remove_abandoned`. Raises InputError where no such folder can be
    made, or where the file system keeps no permissions.
    """
    folder = parent.resolve() / f"{prefix}{uuid.uuid4().hex}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise InputError("folder", str(parent), f"one that can be written to ({error.strerror})") from None
    try:
        if folder.stat().st_mode & 0o077:
            raise InputError("folder", str(parent), "one on a file system that can keep others out of a folder in it")
        lock = _lock(folder)
        try:
            yield folder
        finally:
            os.close(lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove this user's private folders in `parent` whose makers are gone; those of living ones stay."""
    for folder in parent.glob(f"{prefix}*"):
        # Whatever cannot be looked into is another user's, or has just gone.
        with suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and folder.is_dir() and _abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> int:
    """The descriptor of the lock, which is there only once it is held."""
    new = folder / f"{_LOCK}.new"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, f"{socket.gethostname()} {os.getpid()}".encode())
    # Where the file system has no locks, the process number must do.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    new.rename(folder / _LOCK)
    return descriptor


def _abandoned(folder: Path) -> bool:
    with open(folder / _LOCK, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            host, _, process = file.read().decode().rpartition(" ")
            return host == socket.gethostname() and not _alive(int(process))
    return True


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
