"""A process beside ours for code that may end it: how it is started, how it ended, and that it does not outlive us."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def signals_held() -> Iterator[None]:
    """No process is left half-started by a signal, which is heard of afterwards; and what is started inside never hears
    of Ctrl-C, which a terminal sends to all: its parent ends it."""
    # Python starts it with the first process and lets interrupts through again.
    resource_tracker.ensure_running()
    held: list[int] = []
    # Only the main thread hears of signals, whichever it is that they reach.
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    handlers = {number: signal.getsignal(number) for number in numbers}
    heard_by_python = [number for number, handler in handlers.items() if callable(handler)]
    for number in heard_by_python:
        signal.signal(number, lambda number, frame: held.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number in heard_by_python:
            signal.signal(number, handlers[number])
        for caught in held:
            signal.raise_signal(caught)


def hears_ctrl_c() -> bool:
    """Whether an interrupt may be a person's: what is started under `signals_held` never hears of one."""
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def how_it_ended(code: int) -> str:
    """Such as "its process ended with exit code 0", of what `multiprocessing` calls its exit code."""
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"its process {how}"


def end_with_the_parent() -> None:
    """From now on this process ends when its parent has, however that ended: nobody waits for it any more."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
