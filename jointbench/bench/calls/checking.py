"""The contract of optimizers, run on a person's own: what holds and, in a sentence, what does not."""

import multiprocessing
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jointbench.bench.calls.given import above_zero, the_optimizer, whole
from jointbench.bench.calls.without_main import without_main
from jointbench.bench.running.child_process import end_with_the_parent, how_it_ended, signals_held
from jointbench.data.errors import InputError, JointBenchError
from jointbench.data.ladder import Ladder
from jointbench.data.option_words import option
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space
from jointbench.optimizers.contract import CHECKS, Check
from jointbench.optimizers.failure import happened
from jointbench.optimizers.optimizer import Optimizer

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: Trials of a check; more find more, and take longer.
TRIALS = 100

#: Seconds for each promise, before it is given up.
TIMEOUT = 600.0

#: On which it is tried: four rungs, as in the paper.
LADDER = Ladder(1.0, 27.0)


@dataclass(frozen=True)
class Checked:
    """A promise of the contract: its `name`, what it `asks`, and what `failed` in a sentence, empty where it holds."""

    name: str
    asks: str
    failed: str = ""

    @property
    def holds(self) -> bool:
        return not self.failed

    def __str__(self) -> str:
        return f"{self.name}: {self.failed or 'holds'}"


def check(
    optimizer: str | type[Optimizer], *, space: str | Space = "joint", trials: int = TRIALS, timeout: float = TIMEOUT
) -> list[Checked]:
    """Run the optimizer contract on a name (`mine.py:Greedy`) or a class of your own; nothing is trained.

    The outcomes that it is told follow a formula. It is tried in a process of its own, so that one that ends its
    process fails, and so does one that has not kept a promise after `timeout` seconds. Raises UnknownNameError,
    InputError and OptimizerError where no optimizer can be made there of what was given.
    """
    return list(checks(optimizer, space=space, trials=trials, timeout=timeout))


def checks(
    optimizer: str | type[Optimizer], *, space: str | Space, trials: int, timeout: float = TIMEOUT
) -> Iterator[Checked]:
    """As `check`, one after the other: in a process; the promise during which it ends, or takes too long, is not kept,
    and another tries those that are left."""
    at = get_space(space) if isinstance(space, str) else space
    whole("trials", trials, 1)
    patience = above_zero("timeout", timeout)
    context, done = multiprocessing.get_context("spawn"), 0
    name = optimizer if isinstance(optimizer, str) else getattr(optimizer, "__name__", repr(optimizer))
    packed = _packed(name, optimizer, at)
    while done < len(CHECKS):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(theirs, name, packed, trials, done))
        with signals_held(), without_main():
            process.start()
        # Its end is its own, so that ours says when it is gone.
        theirs.close()
        try:
            while done < len(CHECKS):
                if not ours.poll(patience):
                    raise TimeoutError
                message: Checked | JointBenchError = ours.recv()
                if isinstance(message, JointBenchError):
                    raise message
                done += 1
                yield message
        except TimeoutError:
            yield replace(_promise(CHECKS[done]), failed=f"given up after {patience:g} seconds ({option('timeout')})")
            done += 1
        except EOFError:
            process.join()
            assert process.exitcode is not None
            yield replace(_promise(CHECKS[done]), failed=how_it_ended(process.exitcode))
            done += 1
        finally:
            process.kill()
            process.join()
            ours.close()


def _packed(name: str, optimizer: str | type[Optimizer], space: Space) -> bytes:
    """Both, as they travel to another process: a class of a notebook or of a script by what it is made of."""
    # distributed brings it.
    import cloudpickle

    try:
        packed: bytes = cloudpickle.dumps((optimizer, space))
    except Exception as error:
        # A class may hold whatever it likes.
        raise InputError("optimizer", name, f"a class that can go to another process ({happened(error)})") from None
    return packed


def _work(
    theirs: "Connection[Checked | JointBenchError, Any]", name: str, packed: bytes, trials: int, first: int
) -> None:
    end_with_the_parent()
    try:
        try:
            optimizer, space = pickle.loads(packed)
        except (Exception, SystemExit) as error:
            raise InputError("optimizer", name, f"one that another process can load ({happened(error)})") from error
        for one in _tried(optimizer, space, trials, CHECKS[first:]):
            theirs.send(one)
    except JointBenchError as error:
        theirs.send(error)


def _tried(optimizer: str | type[Optimizer], space: Space, trials: int, wanted: Sequence[Check]) -> Iterator[Checked]:
    def make(seed: int) -> Optimizer:
        return the_optimizer(optimizer, space, LADDER, seed=seed, full_budgets=float(trials))

    # What is no optimizer at all is said once.
    make(0)
    for one in wanted:
        promise = _promise(one)
        try:
            one(make, trials=trials)
        except AssertionError as error:
            # Python's own assertions, in the optimizer, have no sentence.
            yield replace(promise, failed=" ".join(str(error).split()) or happened(error))
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            # What a person interrupts is the process that waits for this one.
            yield replace(promise, failed=happened(error))
        else:
            yield promise


def _promise(check: Check) -> Checked:
    name = check.__name__.removeprefix("check_").replace("_", " ")  # type: ignore[attr-defined]
    return Checked(name, " ".join((check.__doc__ or "").split()))
