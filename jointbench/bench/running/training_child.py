"""The process in which a person's own function trains: what it does there harms nobody else, and it can be ended.

Started by `training_process.py`, with which it speaks over a pair of sockets.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from jointbench.bench.running.own_function import Function, OwnFunction
from jointbench.bench.training import process_memory
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Status
from jointbench.data.numbers import plain_number
from jointbench.optimizers.failure import happened

Numbers = dict[str, float | int]


@dataclass(frozen=True)
class Ready:
    """The function is loaded; `refused`: why it could not be."""

    refused: InputError | None = None


@dataclass(frozen=True)
class Reported:
    """A point of the learning curve, `seconds` after the training began."""

    seconds: float
    metrics: Numbers


@dataclass(frozen=True)
class Returned:
    """A training has ended; `peak_memory`: bytes by which the process grew; `refused`: why what the function returned
    is nothing that any training could."""

    status: Status
    reason: str
    metrics: Numbers
    seconds: float
    peak_memory: int
    refused: InputError | None = None


def main(connection: Connection, life: int) -> None:
    """Train what is asked for until nobody asks any more; `life`: a pipe whose other end the asker holds."""
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    function: OwnFunction = connection.recv()
    try:
        call = function.load()
    except InputError as error:
        traceback.print_exc()
        connection.send(Ready(error))
        return
    connection.send(Ready())
    while True:
        try:
            configuration, budget, seed = connection.recv()
        except EOFError:
            return
        connection.send(_trained(call, function.name, connection, configuration, budget, seed))


def _end_with(life: int) -> None:
    """Whoever asked is gone, killed perhaps: end, and with us what the function has started."""
    os.read(life, 1)
    os.killpg(0, signal.SIGKILL)


def _trained(
    call: Function, name: str, connection: Connection, configuration: dict[str, Any], budget: float, seed: int
) -> Returned:
    print(f"--- {name}, budget {budget:g}, seed {seed}: {configuration}", flush=True)  # noqa: T201
    process_memory.trim()
    process_memory.forget_high_water()
    before, began = process_memory.high_water(), time.perf_counter()
    sending = threading.Lock()

    def report(metrics: Mapping[str, float]) -> None:
        """Log a point of the learning curve: numbers by name. Raises TypeError for anything else."""
        point = Reported(time.perf_counter() - began, numbers("report", metrics))
        with sending:
            connection.send(point)

    status, reason, metrics = Status.OK, "", dict[str, float | int]()
    refused: InputError | None = None
    try:
        returned = call(configuration, budget, seed, report)
        if not isinstance(returned, Mapping):
            refused = InputError(f"returned by {name}", type(returned).__name__, "a dict of numbers by name")
        else:
            metrics = numbers("returned", returned)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        status, reason = _how(error), happened(error)
    sys.stdout.flush()
    sys.stderr.flush()
    seconds = time.perf_counter() - began
    return Returned(status, reason, metrics, seconds, max(0, process_memory.high_water() - before), refused)


def _how(error: BaseException) -> Status:
    # torch's is called so, and so are those of other libraries that hold a device's memory.
    memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return Status.OUT_OF_MEMORY if memory else Status.CRASHED


def numbers(said: str, given: Any) -> Numbers:
    """Plain numbers by name. Raises TypeError for what are none; `said` is what a person did with them."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{said}: {type(given).__name__} given, expected a dict of numbers by name")
    found: Numbers = {}
    for name, value in given.items():
        try:
            found[str(name)] = plain_number(value)
        except (TypeError, OverflowError, ValueError):
            raise TypeError(f"{said}: {name!r} is {type(value).__name__}, expected a number") from None
    return found
