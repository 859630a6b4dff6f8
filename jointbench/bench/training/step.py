"""One step of a training: forward, backward and optimizer; all that the budget pays for."""

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from jointbench.bench.training.augmentation import Batch
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.hardware import Hardware, Precision
from jointbench.bench.training.memory import DeviceMemory
from jointbench.data.evaluation import Configuration


def autocast(device: Device, precision: Precision) -> AbstractContextManager[None]:
    return device.autocast(torch.bfloat16, enabled=precision == "bf16")


class Step:
    """SGD with Nesterov momentum and weight decay on every parameter (appendix B and the authors' code)."""

    def __init__(
        self, model: nn.Module, configuration: Configuration, hardware: Hardware, memory: DeviceMemory
    ) -> None:
        self._hardware, self._memory = hardware, memory
        self._forward: Any = torch.compile(model) if hardware.compile else model
        self._learning_rate = configuration["learning_rate"]
        self.optimizer = torch.optim.SGD(
            model.parameters(),
            lr=self._learning_rate,
            momentum=configuration["momentum"],
            nesterov=True,
            weight_decay=configuration["weight_decay"],
            fused=hardware.on.fused,
        )

    def set_rate(self, factor: float) -> None:
        """factor: share of the initial learning rate."""
        self.optimizer.param_groups[0]["lr"] = self._learning_rate * factor

    def take(self, batch: Batch) -> Tensor:
        """The batch's loss before the step. Raises MemoryError when a CPU training goes above its limit."""
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self._hardware.on, self._hardware.precision):
            loss = batch.loss(self._forward(batch.images))
        self._memory.check()
        loss.backward()
        self.optimizer.step()
        return loss

    def forget(self) -> None:
        """Drop gradients and momentum, as if no step had been taken."""
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer.state.clear()
