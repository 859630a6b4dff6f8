"""What all accelerators have in common, as far as `torch.accelerator` and `torch.Event` say it for any of them."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from jointbench.bench.training.clock import Clock
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.memory import DeviceMemory

#: A data set may take this share of the memory that is free before anything is trained.
IMAGES_SHARE = 0.5


class Accelerator(Device):
    """Of torch's accelerator on this machine; a type of it says what is its own (`cuda`)."""

    @classmethod
    def count(cls) -> int:
        here = torch.accelerator.current_accelerator(check_available=True)
        return torch.accelerator.device_count() if here is not None and here.type == cls.kind else 0

    @classmethod
    def visible_by(cls) -> str | None:
        # As CUDA_VISIBLE_DEVICES, after which others have been named.
        return f"{cls.kind.upper()}_VISIBLE_DEVICES"

    @property
    def index(self) -> int:
        return torch.accelerator.current_device_index() if self.torch.index is None else self.torch.index

    @property
    def name(self) -> str:
        return f"{self.kind} accelerator"

    @property
    def identity(self) -> str:
        return f"{self.kind}-{self.index}"

    @property
    def total_memory(self) -> int:
        return torch.accelerator.get_memory_info(self.index)[1]

    def now(self) -> float:
        return time.perf_counter()

    def clock(self) -> Clock:
        return EventClock(self)

    def event(self) -> Any:
        return torch.Event(self.torch, enable_timing=True)

    def memory(self, limit: int | None) -> DeviceMemory:
        return AcceleratorMemory(self, limit)

    def synchronize(self) -> None:
        torch.accelerator.synchronize(self.index)

    def prepare(self) -> None:
        if self.torch.index is not None:
            # Events and waiting are of the current device.
            torch.accelerator.set_device_index(self.torch.index)

    def release(self) -> None:
        torch.accelerator.empty_cache()

    def to_device(self, host: Tensor) -> Tensor:
        # From pinned memory, so that nobody waits until the device has got this far.
        return super().to_device(host.pin_memory())

    def holds(self, size: int) -> bool:
        return size <= IMAGES_SHARE * torch.accelerator.get_memory_info(self.index)[0]

    def host_bytes(self, shape: tuple[int, ...]) -> Tensor:
        # Pinned, and given to nobody else before what was copied from it has arrived.
        return torch.empty(shape, dtype=torch.uint8, pin_memory=True)

    def random_state(self) -> Tensor | None:
        state: Tensor = torch.get_device_module(self.torch).get_rng_state(self.torch)
        return state

    def set_random_state(self, state: Tensor | None) -> None:
        if state is not None:
            torch.get_device_module(self.torch).set_rng_state(state, self.torch)


class EventClock:
    """Events around each lap, read when the device has passed them, so that measuring never stalls it.

    `elapsed` counts laps still queued at the length of the last one that ended.
    """

    def __init__(self, device: Accelerator) -> None:
        self._device = device
        self._done = 0.0
        self._last = 0.0
        self._queued: deque[tuple[Any, Any, Tensor]] = deque()
        self._ended: list[float] = []
        self._loss: Tensor | None = None

    @contextmanager
    def lap(self) -> Iterator[None]:
        start, end = self._device.event(), self._device.event()
        start.record()
        yield
        assert self._loss is not None
        end.record()
        self._queued.append((start, end, self._loss))

    def keep(self, loss: Tensor) -> None:
        self._loss = loss.detach().to("cpu", non_blocking=True)

    def _collect(self) -> None:
        while self._queued and self._queued[0][1].query():
            start, end, loss = self._queued.popleft()
            self._last = start.elapsed_time(end) / 1000
            self._done += self._last
            self._ended.append(loss.item())

    @property
    def elapsed(self) -> float:
        self._collect()
        if self._last == 0.0 and self._queued:
            self._queued[0][1].synchronize()
            self._collect()
        return self._done + len(self._queued) * self._last

    def losses(self) -> list[float]:
        self._collect()
        ended, self._ended = self._ended, []
        return ended

    @property
    def measured(self) -> float:
        return self.elapsed

    def finish(self) -> None:
        self._device.synchronize()
        self._collect()

    def resume(self, elapsed: float, measured: float) -> None:
        self._done = elapsed


class AcceleratorMemory(DeviceMemory):
    """What its allocator says; a limit is enforced by the allocator, where there is a way to tell it."""

    # These fill any GPU.
    most_evaluation_bytes = 2**32

    def __init__(self, device: Accelerator, limit: int | None) -> None:
        self.device = device
        # What an earlier training left in the allocator's pieces would let this one run out sooner.
        device.release()
        super().__init__(limit)

    def since(self) -> int:
        return int(torch.accelerator.max_memory_allocated(self.device.index))

    def begin_anew(self) -> None:
        torch.accelerator.reset_peak_memory_stats(self.device.index)

    def free(self, parameters: int) -> float:
        on_device, total = torch.accelerator.get_memory_info(self.device.index)
        taken = torch.accelerator.memory_allocated(self.device.index)
        # What the allocator holds without using it is there for the next who asks.
        kept = torch.accelerator.memory_reserved(self.device.index) - taken
        return max(0, min(on_device + kept, (total if self.limit is None else self.limit) - taken))
