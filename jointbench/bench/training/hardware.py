"""What a training runs on, and how its budget is counted there."""

from dataclasses import dataclass
from typing import Literal

from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.devices.registry import device_of
from jointbench.data.errors import InputError
from jointbench.data.evaluation import REFERENCE_CLOCK
from jointbench.data.reference_clock import ReferenceClock, reference_clock

Precision = Literal["fp32", "bf16"]

#: `measured`: the seconds that forward, backward and step really took (the paper's). `calibrated`: the steps that
#: they would take on an idle device, so that trainings may share one and can be repeated exactly. `reference:NAME`:
#: the steps that a named device would take by its law (data/reference_clock.py), the same on every machine.
CLOCKS = ("measured", "calibrated", f"{REFERENCE_CLOCK}NAME")


@dataclass(frozen=True)
class Hardware:
    """`device` is the label of a device (`devices/registry.py`), as torch has it; `memory` in bytes (None: all there
    is); a CPU training uses one thread.

    fp32 is true fp32, without TF32. `compile`: through torch.compile, whose time is outside the budget.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    memory: int | None = None
    clock: str = "measured"
    compile: bool = False

    def __post_init__(self) -> None:
        """Raises InputError for a clock of no known kind, UnknownNameError for a reference clock that is not there."""
        if self.clock.startswith(REFERENCE_CLOCK):
            reference_clock(self.clock)
        elif self.clock not in ("measured", "calibrated"):
            raise InputError("clock", self.clock, f"one of {', '.join(CLOCKS)}")

    @property
    def reference(self) -> ReferenceClock | None:
        """The law that counts the seconds, where a reference clock does."""
        return reference_clock(self.clock) if self.clock.startswith(REFERENCE_CLOCK) else None

    @property
    def on(self) -> Device:
        """Raises UnknownNameError for a type of device that is not known."""
        return device_of(self.device)

    @property
    def description(self) -> str:
        limit = "" if self.memory is None else f", {self.memory / 2**30:g} GiB"
        return self.on.name + limit + (", compiled" if self.compile else "")

    @property
    def request(self) -> str:
        """What was asked for, in words that are the same on whatever machine they are read."""
        limit = "all memory" if self.memory is None else f"{self.memory / 2**30:g} GiB"
        return f"{self.device}, {self.precision}, {self.clock} clock, {limit}" + (", compiled" if self.compile else "")

    def prepare(self) -> None:
        """Set torch up for it; to be called once in a process, before anything is trained."""
        self.on.prepare()
