"""An accelerator that is none: its tensors are the processor's, its clock counts, and it says what it was asked for."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from jointbench.bench.training.clock import Clock
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.memory import DeviceMemory

#: Seconds that a lap counts as.
A_LAP = 0.25


class CountingClock:
    """Each lap takes the same."""

    def __init__(self, asked: Counter[str]) -> None:
        self._asked, self.elapsed = asked, 0.0
        self._losses: list[Tensor] = []

    @property
    def measured(self) -> float:
        return self.elapsed

    @contextmanager
    def lap(self) -> Iterator[None]:
        yield
        self._asked["lap"] += 1
        self.elapsed += A_LAP

    def keep(self, loss: Tensor) -> None:
        self._losses.append(loss.detach())

    def losses(self) -> list[float]:
        kept, self._losses = self._losses, []
        return [loss.item() for loss in kept]

    def finish(self) -> None:
        self._asked["finish"] += 1

    def resume(self, elapsed: float, measured: float) -> None:
        self.elapsed = elapsed


class CountingMemory(DeviceMemory):
    """A megabyte of its own."""

    most_evaluation_bytes = 2**24

    def since(self) -> int:
        return 2**20

    def begin_anew(self) -> None:
        pass

    def free(self, parameters: int) -> float:
        return 2**30


class FakeAccelerator(Device):
    kind = "fake"
    images_ahead = 256

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.asked: Counter[str] = Counter()

    def _torch(self, label: str) -> torch.device:
        return torch.device("cpu")

    @classmethod
    def count(cls) -> int:
        return 1

    @property
    def name(self) -> str:
        return "a fake accelerator"

    @property
    def identity(self) -> str:
        return self.label.replace(":", "-")

    @property
    def total_memory(self) -> int:
        return 2**30

    def now(self) -> float:
        return 0.0

    def clock(self) -> Clock:
        self.asked["clock"] += 1
        return CountingClock(self.asked)

    def memory(self, limit: int | None) -> DeviceMemory:
        self.asked["memory"] += 1
        return CountingMemory(limit)

    def synchronize(self) -> None:
        self.asked["synchronize"] += 1

    def prepare(self) -> None:
        self.asked["prepare"] += 1


class FakeRecorder(FakeAccelerator):
    """What it records it does anew each time, on the same tensors."""

    kind = "recorder"
    records = True

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        self.asked["record"] += 1
        return work
