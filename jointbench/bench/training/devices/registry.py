"""Devices by name."""

from functools import cache

import torch

from jointbench.bench.training.devices.cpu import Processor
from jointbench.bench.training.devices.cuda import Cuda
from jointbench.bench.training.devices.device import Device
from jointbench.data.registry import Registry

#: Types by the words that labels begin with; an entry point of the group brings a package's.
DEVICES: Registry[type[Device]] = Registry(
    "device", "jointbench.devices", {kind.kind: kind for kind in (Processor, Cuda)}
)


def device_of(given: "str | torch.device | Device") -> Device:
    """The device of a label, such as `cuda:1`, or of torch's. Raises UnknownNameError for a type that is not known."""
    return given if isinstance(given, Device) else _made(str(given))


@cache
def _made(label: str) -> Device:
    return DEVICES[label.partition(":")[0]](label)


def kinds_here() -> list[str]:
    """The types of which this process sees any, accelerators first."""
    here = [kind for kind, made in DEVICES.items() if made.count()]
    return sorted(here, key=lambda kind: not DEVICES[kind].accelerator)
