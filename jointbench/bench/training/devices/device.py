"""What a training runs on: its clock, its memory and how running out of it shows, its random numbers, its name.

A device type is a class of these in a file of its own, and a line in `registry`; nobody else asks what type one is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar

import torch
from torch import Tensor

from jointbench.bench.training.clock import Clock
from jointbench.bench.training.memory import DeviceMemory


class Device(ABC):
    """One device; `label` is what it was asked for by, such as `cuda:1`, and `torch` what tensors lie on."""

    #: Its type, as labels begin with.
    kind: ClassVar[str]
    #: Whether a machine may have several, of which each worker gets one or a part of one.
    accelerator: ClassVar[bool] = True
    #: Images that are made at once, as whole batches.
    images_ahead: ClassVar[int] = 1024
    #: Steps that pay what is paid once: kernel search, compilation, memory of the gradients and the momentum.
    warm_up_steps: ClassVar[int] = 2
    #: Whether torch has fused optimizers there.
    fused: ClassVar[bool] = True
    #: Whether it can record what it is asked to do.
    records: ClassVar[bool] = False

    def __init__(self, label: str) -> None:
        self.label, self.torch = label, self._torch(label)

    def _torch(self, label: str) -> torch.device:
        return torch.device(label)

    def __repr__(self) -> str:
        return f"<device {self.label}>"

    @classmethod
    @abstractmethod
    def count(cls) -> int:
        """How many of the type this process sees."""

    @classmethod
    def visible_by(cls) -> str | None:
        """The environment variable that names those of the type which a process sees, separated by commas, set before
        torch is imported; None where there is no such variable, and every process sees all."""
        return None

    @property
    @abstractmethod
    def name(self) -> str:
        """The model's name, as a log keeps it."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """The same for all processes of this machine that share the device, and good as a part of a file's name."""

    @property
    @abstractmethod
    def total_memory(self) -> int:
        """Bytes that it has."""

    @abstractmethod
    def now(self) -> float:
        """Seconds as what is beside the budget is counted, from some point in the past on."""

    @abstractmethod
    def clock(self) -> Clock:
        """A fresh one, which measures what its laps take on the device."""

    @abstractmethod
    def memory(self, limit: int | None) -> DeviceMemory:
        """Watches a training's memory from now on, and keeps it below so many bytes; None: what there is."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until all that was asked of it is done."""

    @abstractmethod
    def prepare(self) -> None:
        """Set torch up for it; once in a process, before anything is trained."""

    def release(self) -> None:  # noqa: B027 - not all keep any
        """Give memory back that is kept without being used."""

    def out_of_memory(self, error: BaseException) -> bool:
        """Whether this is how running out of memory shows."""
        return isinstance(error, (torch.OutOfMemoryError, MemoryError))

    def to_device(self, host: Tensor) -> Tensor:
        """A tensor of the host's on the device; who asks need not wait until it is there."""
        return host.to(self.torch, non_blocking=True)

    def holds(self, size: int) -> bool:
        """Whether a data set of so many bytes may lie there beside what is trained."""
        return True

    def host_bytes(self, shape: tuple[int, ...]) -> Tensor:
        """Room for uint8 numbers of the host's, from where they reach the device quickest."""
        return torch.empty(shape, dtype=torch.uint8)

    def autocast(self, kind: torch.dtype, *, enabled: bool) -> AbstractContextManager[None]:
        return torch.autocast(self.torch.type, kind, enabled=enabled)

    @contextmanager
    def first_kernels(self) -> Iterator[None]:
        """Takes the first kernels that will do, for few batches of a shape."""
        yield

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Note what `work` asks of the device, without doing it; the result does it all, whenever it is called. For
        those that can record."""
        raise NotImplementedError(f"{self} records nothing")

    def beside_recordings(self, work: Callable[[], Tensor]) -> Tensor:
        """What `work` gives, done so that the same can be recorded afterwards."""
        return work()

    def random_state(self) -> Tensor | None:
        """The state of random numbers that are drawn on it; None where they are the host's."""
        return None

    def set_random_state(self, state: Tensor | None) -> None:  # noqa: B027 - not all have one
        """What `random_state` gave."""
