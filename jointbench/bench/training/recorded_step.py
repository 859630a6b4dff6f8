"""A step that is recorded once and launched as one: small networks wait for launches, not for arithmetic."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from jointbench.bench.training.augmentation import Batch
from jointbench.bench.training.checkpoint import State
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.memory import DeviceMemory
from jointbench.bench.training.step import Step
from jointbench.data.spaces.recipe import Recipe


class RecordedStep(Step):
    """The same arithmetic as `Step`, on a device that can record. The first step is taken plainly, since it makes the
    momentum; the second is recorded, and repeated from then on."""

    def __init__(self, model: nn.Module, recipe: Recipe, hardware: Hardware, memory: DeviceMemory) -> None:
        super().__init__(model, recipe, hardware, memory)
        self._rate = torch.tensor(recipe.learning_rate, device=hardware.on.torch)
        self._read_rate_from_device()
        self._taken_plainly = False
        self._replay: Callable[[], None] | None = None

    def set_rate(self, factor: float) -> None:
        self._rate.fill_(self._recipe.learning_rate * factor)

    def take(self, batch: Batch) -> Tensor:
        """The batch's loss before the step, which the next step overwrites."""
        if not self._taken_plainly:
            self._taken_plainly = True
            return self._hardware.on.beside_recordings(lambda: super(RecordedStep, self).take(batch))
        if self._replay is None:
            self._record(batch)
        self._give(batch)
        assert self._replay is not None
        self._replay()
        return self._loss

    def forget(self) -> None:
        # In place, for the recording: the next step is the first, since what it adds to is zero.
        for kept in self.optimizer.state.values():
            for tensor in kept.values():
                tensor.zero_()

    def resume(self, optimizer: State) -> None:
        super().resume(optimizer)
        # The rate and the momentum that it has brought are other tensors.
        self._read_rate_from_device()
        self._taken_plainly, self._replay = True, None

    def _read_rate_from_device(self) -> None:
        group = self.optimizer.param_groups[0]
        group["lr"] = self._rate
        if "capturable" in group:
            group["capturable"] = True

    def _record(self, batch: Batch) -> None:
        # A batch of a training that mixes may happen to be unmixed.
        share = torch.tensor(batch.share, device=self._rate.device) if self._recipe.mixup_alpha > 0 else batch.share
        # Channels stay last.
        self._given = replace(
            batch,
            images=batch.images.clone(memory_format=torch.preserve_format),
            labels=batch.labels.clone(),
            other_labels=batch.other_labels.clone(),
            share=share,
        )
        self.optimizer.zero_grad(set_to_none=True)

        def work() -> None:
            self._loss = super(RecordedStep, self).take(self._given).detach()

        self._replay = self._hardware.on.record(work)

    def _give(self, batch: Batch) -> None:
        given = self._given
        given.images.copy_(batch.images)
        given.labels.copy_(batch.labels)
        if isinstance(given.share, Tensor):
            given.other_labels.copy_(batch.other_labels)
            given.share.fill_(batch.share)


def step_on(model: nn.Module, recipe: Recipe, hardware: Hardware, memory: DeviceMemory) -> Step:
    """The quickest that the device has."""
    # What is compiled decides by itself how it is launched.
    kind = RecordedStep if hardware.on.records and not hardware.compile else Step
    return kind(model, recipe, hardware, memory)
