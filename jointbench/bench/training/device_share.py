"""Several trainings on one device, and one alone on it while its steps are timed."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jointbench.bench.training.devices.device import Device
from jointbench.data.errors import InputError


class DeviceShare:
    """This process's part in a device that processes of this user on this machine share.

    Two locks make a fair turnstile. A training holds the room together with the others and steps out of it, between
    two steps, as soon as somebody waits at the gate; who is alone holds the gate, so that nobody new comes in, and
    then the whole room. The system drops a lock whose process dies, however it dies.
    """

    def __init__(self, device: Device, folder: Path | None = None) -> None:
        folder = Path(tempfile.gettempdir()) if folder is None else folder
        stem = f"jointbench-{os.getuid()}-{device.identity}"
        self._gate, self._room = (_opened(folder / f"{stem}.{name}") for name in ("gate", "room"))
        _check_locks(self._room, folder)
        self._settle = device.synchronize

    @contextmanager
    def together(self) -> Iterator[None]:
        """Be one of those that use the device."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def give_way(self) -> None:
        """Let somebody who wants to be alone go first; costs two system calls when there is nobody."""
        try:
            fcntl.flock(self._gate, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            self._leave()
            self._enter()
        else:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """To be called inside `together`: wait until the others have stepped out, and keep them out."""
        self._leave()
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX)
        try:
            yield
            self._settle()
        finally:
            fcntl.flock(self._room, fcntl.LOCK_SH)
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _enter(self) -> None:
        fcntl.flock(self._gate, fcntl.LOCK_SH)
        fcntl.flock(self._room, fcntl.LOCK_SH)
        fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _leave(self) -> None:
        # What is still queued on the device would run while somebody else times it.
        self._settle()
        fcntl.flock(self._room, fcntl.LOCK_UN)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _check_locks(file: int, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        # Somebody is alone on the device.
        return
    except OSError as error:
        expected = f"one on a file system that can lock files ({error.strerror}); $TMPDIR names another"
        raise InputError("temporary folder", str(folder), expected) from None
    fcntl.flock(file, fcntl.LOCK_UN)
