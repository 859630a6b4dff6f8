"""An end for a call after so many minutes, wherever it is at work then."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jointbench.data.errors import InputError


class _TimeIsUp(BaseException):
    """The minutes that a person gave are over; no fault of whatever happens to be at work then, so no Exception."""


@dataclass
class Limit:
    """`reached`: whether the time has ended what was at work."""

    reached: bool = False


@contextmanager
def time_limit(minutes: float | None) -> Iterator[Limit]:
    """What is done inside ends after so many minutes, None: when it is done.

    Raises InputError in another thread than the main one, where no clock can interrupt.
    """
    limit = Limit()
    if minutes is None:
        yield limit
        return
    if threading.current_thread() is not threading.main_thread():
        raise InputError("stop after", minutes, "a call from the main thread, or no such end")

    def ring(number: int, frame: object) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes)
    try:
        yield limit
    except _TimeIsUp:
        limit.reached = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
