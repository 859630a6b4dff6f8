"""The memory of a process and of its machine, and the name of its processor; without torch."""

import ctypes
import math
import platform
import resource
from contextlib import suppress
from pathlib import Path


def high_water() -> int:
    """Most bytes resident since `forget_high_water`; since the process began where it cannot be forgotten."""
    return _linux("/proc/self/status", "VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_high_water() -> None:
    """Linux: sets the mark back to what is resident now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def trim() -> None:
    """Give back to the system what the heap holds and does not use: it would hide what grows next."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def available() -> float:
    """Bytes that the system can still give; infinite where it does not say."""
    return _linux("/proc/meminfo", "MemAvailable") or math.inf


def total() -> int:
    """Bytes of the machine; 0 where it does not say."""
    return _linux("/proc/meminfo", "MemTotal")


def processor() -> str:
    """The model's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _linux(file: str, field: str) -> int:
    """A field of a file of Linux's in bytes, 0 where there is none."""
    with suppress(OSError):
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0
