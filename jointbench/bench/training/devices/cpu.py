"""One thread of a processor."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from jointbench.bench.training import process_memory
from jointbench.bench.training.clock import Clock
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.memory import BYTES_A_PARAMETER, BYTES_AN_ACTIVATION, DeviceMemory

#: What the allocator, oneDNN and the C++ library say when memory runs out.
_SYMPTOMS = ("can't allocate memory", "out of memory", "bad_alloc", "could not create a memory object")


class Processor(Device):
    """Time is this thread's, so that a busy machine does not shorten a training."""

    kind = "cpu"
    accelerator = False
    # What does not fit into its caches keeps it waiting.
    images_ahead = 1
    warm_up_steps = 1

    @classmethod
    def count(cls) -> int:
        return 1

    @property
    def name(self) -> str:
        return f"{process_memory.processor()}, 1 thread"

    @property
    def identity(self) -> str:
        return self.kind

    @property
    def total_memory(self) -> int:
        return process_memory.total()

    def now(self) -> float:
        return time.thread_time()

    def clock(self) -> Clock:
        return ProcessorClock()

    def memory(self, limit: int | None) -> DeviceMemory:
        return ProcessorMemory(limit)

    def synchronize(self) -> None:
        """Nothing is ever queued."""

    def prepare(self) -> None:
        torch.set_num_threads(1)

    def out_of_memory(self, error: BaseException) -> bool:
        if super().out_of_memory(error):
            return True
        return isinstance(error, RuntimeError) and any(symptom in str(error) for symptom in _SYMPTOMS)


class ProcessorClock:
    """CPU time of this thread."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._losses: list[Tensor] = []

    @contextmanager
    def lap(self) -> Iterator[None]:
        start = time.thread_time()
        yield
        self.elapsed += time.thread_time() - start

    def keep(self, loss: Tensor) -> None:
        self._losses.append(loss.detach())

    def losses(self) -> list[float]:
        kept, self._losses = self._losses, []
        return [loss.item() for loss in kept]

    def finish(self) -> None:
        pass

    @property
    def measured(self) -> float:
        return self.elapsed

    def resume(self, elapsed: float, measured: float) -> None:
        self.elapsed = elapsed


class ProcessorMemory(DeviceMemory):
    """A limit of the system's would strike the whole process, so the growth of the process is compared with it, after
    each forward pass and each step, and after each batch of an evaluation: what went above it counts as having run out.
    """

    # These pass through a processor's caches anyway.
    most_evaluation_bytes = 2**28

    def __init__(self, limit: int | None) -> None:
        # What the last training left in the heap would hide this one's growth.
        process_memory.trim()
        super().__init__(limit)
        self._before = process_memory.high_water()

    def since(self) -> int:
        return max(0, process_memory.high_water() - self._before)

    def begin_anew(self) -> None:
        process_memory.forget_high_water()

    def reserve(self, parameters: int, activations: int) -> None:
        """It must hold a batch's activations too for the backward pass: a system that runs out of memory would end the
        whole process before anybody could check."""
        super().reserve(parameters, activations)
        needed = parameters * BYTES_A_PARAMETER + activations * BYTES_AN_ACTIVATION
        if needed > (available := process_memory.available()):
            raise MemoryError(f"about {needed:,} bytes needed, {available:,} available")

    def free(self, parameters: int) -> float:
        """It follows from the limit alone, where there is one, so that an evaluation can be repeated exactly."""
        return process_memory.available() if self.limit is None else max(0, self.limit - parameters * BYTES_A_PARAMETER)

    def check(self) -> None:
        if self.limit is not None and (taken := self.since()) > self.limit:
            raise MemoryError(f"{taken:,} bytes taken, more than {self.limit:,}")
