"""Runs in processes of their own, side by side: one that dies takes no other with it, and none outlives its parent."""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnContext

from jointbench.bench.comparing.comparison_folder import labels
from jointbench.bench.comparing.comparison_run import Job, run_job
from jointbench.bench.comparing.failures import Failure
from jointbench.data.errors import OptimizerError

#: Seconds between two looks at the runs, and between two reports of one.
LOOK = 0.2

#: Seconds in which a process that has nothing to do any more ends by itself.
_TIMEOUT = 5


@dataclass(frozen=True)
class Progress:
    """Of a run: evaluations so far, and the share of its budgets that they have spent."""

    evaluations: int
    share: float


@dataclass(frozen=True)
class Ended:
    """A run's end: `failure` where its optimizer failed, `error` where anything else did."""

    failure: Failure | None = None
    error: Exception | None = None


def run_side_by_side(
    jobs: Sequence[Job],
    processes: int,
    *,
    heard: Callable[[int, Progress], None],
    ended: Callable[[int, Failure | None], None],
    looked: Callable[[], None],
) -> None:
    """Make the runs in the order of `jobs`, so many at a time.

    `heard` and `ended` are told of a job by its index, `looked` is called several times a second. A run whose optimizer
    fails, or whose process ends, is a Failure; any other error is raised here and ends the rest.
    """
    context = multiprocessing.get_context("spawn")
    waiting = deque(range(len(jobs)))
    busy: dict[_RunProcess, int] = {}
    idle: list[_RunProcess] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < processes:
                process = idle.pop() if idle else _RunProcess(context)
                busy[process] = waiting.popleft()
                process.begin(jobs[busy[process]])
            connection.wait([process.connection for process in busy], timeout=LOOK)
            for process, index in list(busy.items()):
                for message in process.messages():
                    if isinstance(message, Progress):
                        heard(index, message)
                        continue
                    if message.error is not None:
                        raise message.error
                    del busy[process]
                    if process.alive:
                        idle.append(process)
                    ended(index, message.failure)
            looked()
        for process in idle:
            process.end()
    finally:
        for process in (*busy, *idle):
            process.kill()
        for process in (*busy, *idle):
            process.clear()


class _RunProcess:
    """A process that makes one run after the other."""

    def __init__(self, context: SpawnContext) -> None:
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,))
        with _signals_held():
            self._process.start()
        # Its end is its own, so that ours says when it is gone.
        theirs.close()
        self._job: Job | None = None

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def begin(self, job: Job) -> None:
        self._job = job
        try:
            self.connection.send(job)
        except OSError:
            # It has died meanwhile, which `messages` says.
            self._process.join()

    def messages(self) -> Iterator[Progress | Ended]:
        """What there is to hear of the run; its end is the last."""
        alive = self.alive
        try:
            while self.connection.poll():
                message: Progress | Ended = self.connection.recv()
                yield message
                if isinstance(message, Ended):
                    return
        except (EOFError, OSError):
            alive = False
        if not alive:
            self._process.join()
            yield Ended(self._death())

    def _death(self) -> Failure:
        job, code = self._job, self._process.exitcode
        assert job is not None
        assert code is not None
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        called = labels([job.optimizer])[job.optimizer]
        return Failure(job.optimizer, job.seed, f"{called}, seed {job.seed}: its process {how}")

    def end(self) -> None:
        """Let a process that has nothing to do end by itself."""
        self.connection.close()
        self._process.join(_TIMEOUT)

    def kill(self) -> None:
        self._process.kill()

    def clear(self) -> None:
        """After its end."""
        self._process.join()
        self.connection.close()


@contextmanager
def _signals_held() -> Iterator[None]:
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


def _work(theirs: "connection.Connection[Progress | Ended, Job]") -> None:
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    while True:
        try:
            theirs.send(_made(theirs.recv(), theirs))
        except (EOFError, OSError):
            # The parent is gone: killed, it leaves what it was told unread.
            return


def _made(job: Job, theirs: "connection.Connection[Progress | Ended, Job]") -> Ended:
    last = 0.0

    def report(evaluations: int, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if share == 1 or now - last >= LOOK:
            last = now
            theirs.send(Progress(evaluations, share))

    try:
        run_job(job, report)
    except OptimizerError as error:
        return Ended(Failure(job.optimizer, job.seed, str(error), traceback.format_exc()))
    except Exception as error:
        # Where it was raised is not pickled with it.
        error.add_note(traceback.format_exc())
        return Ended(error=error)
    return Ended()


def _end_with_the_parent() -> None:
    """However the parent ends: nobody waits for the run any more."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
