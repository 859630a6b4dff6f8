"""One step of a training: forward, backward and optimizer; all that the budget pays for."""

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from jointbench.bench.training.augmentation import Batch
from jointbench.bench.training.checkpoint import State
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.hardware import Hardware, Precision
from jointbench.bench.training.memory import DeviceMemory
from jointbench.data.spaces.recipe import Recipe


def autocast(device: Device, precision: Precision) -> AbstractContextManager[None]:
    return device.autocast(torch.bfloat16, enabled=precision == "bf16")


class Step:
    """What a recipe makes of a batch; weight decay is on every parameter (appendix B and the authors' code)."""

    def __init__(self, model: nn.Module, recipe: Recipe, hardware: Hardware, memory: DeviceMemory) -> None:
        self._hardware, self._memory = hardware, memory
        self._forward: Any = torch.compile(model) if hardware.compile else model
        self._recipe, self._parameters = recipe, list(model.parameters())
        self.optimizer = _optimizer(recipe, self._parameters, fused=hardware.on.fused)

    def set_rate(self, factor: float) -> None:
        """factor: share of the initial learning rate."""
        self.optimizer.param_groups[0]["lr"] = self._recipe.learning_rate * factor

    def take(self, batch: Batch) -> Tensor:
        """The batch's loss before the step. Raises MemoryError when a CPU training goes above its limit."""
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self._hardware.on, self._hardware.precision):
            loss = batch.loss(self._forward(batch.images), self._recipe.label_smoothing)
        self._memory.check()
        loss.backward()
        if self._recipe.clipping is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._recipe.clipping)
        self.optimizer.step()
        return loss

    def forget(self) -> None:
        """Drop gradients and momentum, as if no step had been taken."""
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer.state.clear()

    def resume(self, optimizer: State) -> None:
        """Go on with the optimizer's state that another process left."""
        self.optimizer.load_state_dict(optimizer)


def _optimizer(recipe: Recipe, parameters: list[nn.Parameter], *, fused: bool) -> torch.optim.Optimizer:
    rates: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay, "fused": fused}
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, betas=(recipe.momentum, 0.999), **rates)
    # Nesterov's needs some momentum.
    nesterov = recipe.nesterov and recipe.momentum > 0
    return torch.optim.SGD(parameters, momentum=recipe.momentum, nesterov=nesterov, **rates)
