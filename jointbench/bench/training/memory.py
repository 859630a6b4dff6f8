"""Device memory: the peak that a training reaches, and a limit that makes running out of it an outcome."""

import ctypes
import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

#: Weights, gradients and momentum, in fp32: no network is trained in less.
BYTES_A_PARAMETER = 12

#: What a convolution puts out is kept for the backward pass.
BYTES_AN_ACTIVATION = 4

#: Evaluating may take this share of the memory that is left, and no more bytes than these, which fill any GPU and
#: pass through a processor's caches anyway.
EVALUATION_SHARE = 0.5
EVALUATION_BYTES = {"cuda": 2**32, "cpu": 2**28}

#: What the CPU's allocator, oneDNN and the C++ library say when memory runs out; a GPU has its own exception.
_SYMPTOMS = ("can't allocate memory", "out of memory", "bad_alloc", "could not create a memory object")


class DeviceMemory:
    """Watches the memory of one training from when it is made.

    `limit` in bytes (None: what the device has to give). A GPU's allocator enforces it. On a CPU a limit of the
    system's would strike the whole process, so the growth of the process is compared with it, after each forward
    pass and each step, and after each batch of an evaluation: what went above it counts as having run out.
    `training_peak` and `evaluation_peak`: bytes, of what has ended of each.
    """

    def __init__(self, device: torch.device, limit: int | None) -> None:
        self.device, self.limit = device, limit
        self.training_peak = self.evaluation_peak = 0
        if device.type == "cuda":
            share = 1.0 if limit is None else limit / torch.cuda.get_device_properties(device).total_memory
            # What an earlier training left in the allocator's pieces would let this one run out sooner.
            torch.cuda.empty_cache()
            # Of all these functions this one alone refuses a device without a number.
            number = torch.cuda.current_device() if device.index is None else device.index
            torch.cuda.set_per_process_memory_fraction(min(1.0, share), number)
        else:
            with suppress(OSError, AttributeError):
                # What the last training left in the heap would hide this one's growth.
                ctypes.CDLL("libc.so.6").malloc_trim(0)
        self._begin_anew()
        self._before = 0 if device.type == "cuda" else _high_water()

    @property
    def peak(self) -> int:
        """Bytes that training, without what evaluates it, took at most: allocated on a GPU, the growth of the
        process on a CPU."""
        return max(self.training_peak, self._since())

    def _since(self) -> int:
        """The peak since it was last begun anew."""
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device))
        return max(0, _high_water() - self._before)

    def _begin_anew(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            with suppress(OSError):
                # Linux: sets the high-water mark back to what is resident now.
                Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """What is taken meanwhile is evaluation's."""
        self.training_peak = self.peak
        self._begin_anew()
        try:
            yield
        finally:
            self.evaluation_peak = max(self.evaluation_peak, self._since())
            self._begin_anew()

    def reserve(self, parameters: int, activations: int) -> None:
        """Raises MemoryError when a network of so many parameters cannot be trained within the limit.

        A CPU must also hold a batch's `activations` (numbers) for the backward pass: a system that runs out of
        memory would end the whole process before anybody could check.
        """
        if self.limit is not None and parameters * BYTES_A_PARAMETER > self.limit:
            raise MemoryError(f"{parameters:,} parameters need more than {self.limit:,} bytes")
        needed = parameters * BYTES_A_PARAMETER + activations * BYTES_AN_ACTIVATION
        if self.device.type == "cpu" and needed > (available := _available()):
            raise MemoryError(f"about {needed:,} bytes needed, {available:,} available")

    def images_at_once(self, activations: int, parameters: int) -> int:
        """How many images fit into an evaluation batch beside a network of so many parameters, which puts out so many
        numbers for one of them.

        On a CPU it follows from the limit alone, where there is one, so that an evaluation can be repeated exactly.
        """
        if self.device.type == "cuda":
            free: float = _free(self.device, self.limit)
        else:
            free = _available() if self.limit is None else max(0, self.limit - parameters * BYTES_A_PARAMETER)
        room = min(EVALUATION_SHARE * free, EVALUATION_BYTES[self.device.type])
        return max(1, int(room) // (activations * BYTES_AN_ACTIVATION))

    def check(self) -> None:
        """Raises MemoryError when a CPU training, or what evaluates it, has gone above its limit."""
        if self.limit is not None and self.device.type == "cpu" and (taken := self._since()) > self.limit:
            raise MemoryError(f"{taken:,} bytes taken, more than {self.limit:,}")


def _free(device: torch.device, limit: int | None) -> int:
    """Bytes that this process can still take of a GPU."""
    on_device, total = torch.cuda.mem_get_info(device)
    taken = torch.cuda.memory_allocated(device)
    # What the allocator holds without using it is there for the next who asks.
    kept = torch.cuda.memory_reserved(device) - taken
    return max(0, min(on_device + kept, (total if limit is None else limit) - taken))


def _high_water() -> int:
    """Most bytes resident since the mark was set back; since the process began where it cannot be."""
    return _linux("/proc/self/status", "VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _available() -> float:
    """Bytes that the system can still give; infinite where it does not say."""
    return _linux("/proc/meminfo", "MemAvailable") or math.inf


def _linux(file: str, field: str) -> int:
    """A field of a file of Linux's in bytes, 0 where there is none."""
    with suppress(OSError):
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def ran_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(symptom in str(error) for symptom in _SYMPTOMS)
