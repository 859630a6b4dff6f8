"""Runs in processes of their own, side by side: one that dies takes no other with it, and none outlives its parent."""

import multiprocessing
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import SpawnContext

from jointbench.bench.comparing.comparison_folder import labels
from jointbench.bench.comparing.comparison_run import Job, run_job
from jointbench.bench.comparing.failures import Failure
from jointbench.bench.running.child_process import end_with_the_parent, how_it_ended, signals_held
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
        with signals_held():
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
        called = labels([job.optimizer])[job.optimizer]
        return Failure(job.optimizer, job.seed, f"{called}, seed {job.seed}: {how_it_ended(code)}")

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


def _work(theirs: "connection.Connection[Progress | Ended, Job]") -> None:
    end_with_the_parent()
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
