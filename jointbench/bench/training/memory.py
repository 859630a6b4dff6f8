"""Device memory: the peak that a training reaches, and a limit that makes running out of it an outcome."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

#: Weights, gradients and momentum, in fp32: no network is trained in less.
BYTES_A_PARAMETER = 12

#: What a convolution puts out is kept for the backward pass.
BYTES_AN_ACTIVATION = 4

#: Evaluating may take this share of the memory that is left.
EVALUATION_SHARE = 0.5


class DeviceMemory(ABC):
    """Watches the memory of one training from when it is made; a device type says how.

    `limit` in bytes (None: what the device has to give). `training_peak` and `evaluation_peak`: bytes, of what has
    ended of each.
    """

    #: Evaluating takes no more than these: more are of no use.
    most_evaluation_bytes: ClassVar[int]

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.training_peak = self.evaluation_peak = 0
        self.begin_anew()

    @abstractmethod
    def since(self) -> int:
        """The peak since it was last begun anew, in bytes."""

    @abstractmethod
    def begin_anew(self) -> None:
        """Forget the peak so far."""

    @abstractmethod
    def free(self, parameters: int) -> float:
        """Bytes that can still be taken beside a network of so many parameters."""

    @property
    def peak(self) -> int:
        """Bytes that training, without what evaluates it, took at most: allocated on a GPU, the growth of the
        process on a CPU."""
        return max(self.training_peak, self.since())

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """What is taken meanwhile is evaluation's."""
        self.training_peak = self.peak
        self.begin_anew()
        try:
            yield
        finally:
            self.evaluation_peak = max(self.evaluation_peak, self.since())
            self.begin_anew()

    def reserve(self, parameters: int, activations: int) -> None:
        """Raises MemoryError when a network of so many parameters, with a batch's activations (numbers), cannot be
        trained within the limit."""
        if self.limit is not None and parameters * BYTES_A_PARAMETER > self.limit:
            raise MemoryError(f"{parameters:,} parameters need more than {self.limit:,} bytes")

    def images_at_once(self, activations: int, parameters: int) -> int:
        """How many images fit into an evaluation batch beside a network of so many parameters, which puts out so many
        numbers for one of them."""
        room = min(EVALUATION_SHARE * self.free(parameters), self.most_evaluation_bytes)
        return max(1, int(room) // (activations * BYTES_AN_ACTIVATION))

    def check(self) -> None:  # noqa: B027 - allocators keep limits by themselves
        """Raises MemoryError when a training, or what evaluates it, has gone above a limit that nobody else keeps."""
