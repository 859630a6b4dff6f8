"""SIGTERM, as `kill`, a service manager or a batch system sends it: the end of a command, but an orderly one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """Raised where the command stands, as Ctrl-C is, so that what it has opened is closed."""


@contextmanager
def terminated_in_order() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated`; in another thread than the main one it cannot, and nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(number: int, frame: object) -> None:
    raise Terminated
