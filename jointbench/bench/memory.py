"""Device memory: the peak that a training reaches, and a limit that makes running out of it an outcome."""

import ctypes
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import torch

_STATUS = Path("/proc/self/status")


def _status_bytes(field: str) -> int:
    """A field of Linux's process status in bytes, 0 where there is none."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def _give_back() -> None:
    """Return freed memory to the system, or what the last training left in the heap would hide this one's growth."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


class PeakMemory:
    """Peak memory since the object was made: allocated bytes on a GPU, growth of the process on a CPU."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            _give_back()
            with suppress(OSError):
                # Linux: sets the high-water mark back to what is resident now.
                Path("/proc/self/clear_refs").write_text("5")
            self._before = _status_bytes("VmRSS")

    @property
    def bytes(self) -> int:
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device))
        peak = _status_bytes("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return max(0, peak - self._before)


@cache
def _data_before_training() -> int:
    """Private bytes of the process when the first limit is set; later ones must not count the heap twice."""
    return _status_bytes("VmData")


@contextmanager
def memory_limit(device: torch.device, limit: int | None) -> Iterator[None]:
    """Let the process take at most `limit` more bytes of the device's memory inside; None: all there is."""
    if limit is None:
        yield
    elif device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total), device)
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0, device)
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_data_before_training() + limit, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


#: What the CPU's allocator, oneDNN and the C++ library say when memory runs out; a GPU has its own exception.
_SYMPTOMS = ("can't allocate memory", "out of memory", "bad_alloc", "could not create a memory object")


def ran_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(symptom in str(error) for symptom in _SYMPTOMS)
