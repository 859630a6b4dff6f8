"""A process of its own for a person's function, kept from one training to the next, and ended where it must be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import psutil

from jointbench.bench.running.own_function import OwnFunction
from jointbench.bench.running.training_child import Ready, Reported, Returned
from jointbench.data.evaluation import Status

#: Seconds between two looks at the memory and the clock.
LOOK = 0.1


class TrainingProcess:
    """Runs `function`; what it prints goes to the end of the file `output`, nowhere without one.

    The first training pays for what is loaded before it, outside its seconds. Raises InputError where the function
    cannot be loaded.
    """

    def __init__(self, function: OwnFunction, output: Path | None = None) -> None:
        self.function, self.output = function, output
        self._open = ExitStack()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        ours, theirs = Pipe()
        self._connection: Connection[Any, Any] = self._open.enter_context(closing(ours))
        # The process ends when the only one who holds the other end of this pipe is gone.
        life, held = os.pipe()
        self._open.callback(os.close, held)
        code = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            "from multiprocessing.connection import Connection\n"
            "from jointbench.bench.running.training_child import main\n"
            f"main(Connection({theirs.fileno()}), {life})"
        )
        with ExitStack() as begun:
            begun.enter_context(closing(theirs))
            begun.callback(os.close, life)
            written = begun.enter_context(_appended(self.output))
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(), life),
                # A group of its own, so that what it starts ends with it.
                start_new_session=True,
            )
        self._connection.send(self.function)
        ready = self._connection.recv()
        assert isinstance(ready, Ready)
        if ready.refused is not None:
            raise ready.refused

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def train(
        self,
        configuration: dict[str, Any],
        budget: float,
        seed: int,
        *,
        timeout: float | None = None,
        memory: int | None = None,
    ) -> tuple[Returned, list[Reported]]:
        """What came of a training, and its learning curve. It is ended after `timeout` seconds, and where the process
        and what it has started grow by more than `memory` bytes."""
        before = self._resident()
        began = time.perf_counter()
        self._connection.send((configuration, budget, seed))
        curve: list[Reported] = []
        peak = 0
        while True:
            try:
                while self._connection.poll(LOOK if timeout is None else min(LOOK, timeout)):
                    message = self._connection.recv()
                    if isinstance(message, Returned):
                        return _within(message, memory), curve
                    curve.append(message)
                    if self._late(began, timeout):
                        break
            except (EOFError, OSError):
                return self._ended(*self._how_it_died(), began, peak), curve
            peak = max(peak, self._resident() - before)
            if self._late(began, timeout):
                return self._ended(Status.TIMEOUT, f"longer than {timeout:g} s", began, peak), curve
            if memory is not None and peak > memory:
                return self._ended(Status.OUT_OF_MEMORY, _too_much(peak, memory), began, peak), curve

    def close(self) -> None:
        """End it at once, with all that it has started."""
        if hasattr(self, "_process"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._open.close()

    def _late(self, began: float, timeout: float | None) -> bool:
        return timeout is not None and time.perf_counter() - began > timeout

    def _ended(self, status: Status, reason: str, began: float, peak: int) -> Returned:
        seconds = time.perf_counter() - began
        self.close()
        return Returned(status, reason, {}, seconds, max(0, peak))

    def _how_it_died(self) -> tuple[Status, str]:
        code = self._process.wait()
        if code >= 0:
            return Status.CRASHED, f"its process ended with exit code {code}"
        killed = signal.Signals(-code).name
        more = ", as a system does that runs out of memory" if killed == "SIGKILL" else ""
        return Status.CRASHED, f"its process was ended by {killed}{more}"

    def _resident(self) -> int:
        """Bytes of the process and of what it has started."""
        bytes_ = 0
        with suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            for one in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    bytes_ += one.memory_info().rss
        return bytes_


def _within(returned: Returned, memory: int | None) -> Returned:
    """It has ended between two looks, and the process knows what it took."""
    if memory is None or returned.peak_memory <= memory or returned.status is not Status.OK:
        return returned
    reason = _too_much(returned.peak_memory, memory)
    return Returned(Status.OUT_OF_MEMORY, reason, {}, returned.seconds, returned.peak_memory)


def _too_much(taken: int, memory: int) -> str:
    return f"{taken:,} bytes taken, more than {memory:,}"


@contextmanager
def _appended(output: Path | None) -> Iterator[Any]:
    if output is None:
        yield subprocess.DEVNULL
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output, "ab") as file:
        yield file
