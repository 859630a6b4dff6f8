"""One network's way through its budget."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Literal

import torch
from torch import nn

from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.checkpoint import Checkpoint, State
from jointbench.bench.training.clock import Clock
from jointbench.bench.training.device_share import DeviceShare
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.hardware import Precision
from jointbench.bench.training.image_parts import DevicePart, StreamedPart
from jointbench.bench.training.memory import DeviceMemory
from jointbench.bench.training.progress import Progress
from jointbench.bench.training.schedule import Schedule
from jointbench.bench.training.step import Step, autocast
from jointbench.bench.training.timeout import Timeout
from jointbench.data.ladder import Unit


class DivergedError(Exception):
    """The loss is not finite."""


class Training:
    """A network, its data, its clock, and all else that a step changes.

    `activations`: numbers that the layers put out for one image, which with the number of `parameters` decide how
    many images are evaluated at once; `began`: when this process began with it (time.perf_counter).
    """

    def __init__(
        self,
        model: nn.Module,
        step: Step,
        batches: Batches,
        schedule: Schedule,
        clock: Clock,
        progress: Progress,
        *,
        precision: Precision,
        memory: DeviceMemory,
        timeout: Timeout,
        share: DeviceShare,
        activations: int,
        parameters: int,
        began: float,
    ) -> None:
        self.model, self.step, self.batches, self.schedule, self.clock = model, step, batches, schedule, clock
        self.precision, self.memory, self.timeout, self.share = precision, memory, timeout, share
        self.progress, self.activations, self.parameters, self.began = progress, activations, parameters, began
        self.images: DeviceImages = batches.images
        self._now = self.images.on.now

    def spend(self, budget: float, unit: Unit, checkpoint: Checkpoint | None) -> None:
        """Train until the budget is spent; the first step that reaches it is the last.

        Raises DivergedError, TimedOutError and whatever running out of memory raises.
        """
        progress, clock = self.progress, self.clock
        spent, saved = self._spent(unit), time.monotonic()
        while spent < budget:
            spent = self.advance(spent, unit)
            over = spent >= budget
            if over:
                clock.finish()
                self._note_losses()
            if over or progress.curve_point_due(spent / budget, len(self.images.validation)):
                with self._beside("validation_seconds"):
                    error = self.error_of(self.images.validation)
                progress.add_point(clock.elapsed, self.epochs, error, len(self.images.validation))
            if checkpoint is not None and not over and time.monotonic() - saved >= checkpoint.every:
                clock.finish()
                self._note_losses()
                checkpoint.save(self.state())
                saved = time.monotonic()

    def test(self) -> float:
        """The error on the test part, once the budget is spent. Raises what running out of memory raises."""
        with self._beside("test_seconds"):
            return self.error_of(self.images.test)

    @contextmanager
    def _beside(self, what: Literal["batch_seconds", "validation_seconds", "test_seconds"]) -> Iterator[None]:
        """What is done beside the budget, whose time is added up."""
        began = self._now()
        try:
            yield
        finally:
            setattr(self.progress, what, getattr(self.progress, what) + self._now() - began)

    def advance(self, spent: float, unit: Unit) -> float:
        """Take one step and return what is spent of the budget after it; `spent` is what it was before.

        Raises what `spend` raises.
        """
        with self._beside("batch_seconds"):
            batch = self.batches.next()
        self.step.set_rate(self.schedule.factor)
        with self.clock.lap():
            self.clock.keep(self.step.take(batch))
        self.memory.check()
        self.timeout.check()
        self.share.give_way()
        self.progress.steps += 1
        self.progress.images += len(batch.labels)
        after = self._spent(unit)
        self.schedule.advance(after - spent)
        self._note_losses()
        return after

    @property
    def epochs(self) -> float:
        return self.progress.images / len(self.images.training)

    def _spent(self, unit: Unit) -> float:
        return self.clock.elapsed if unit == "seconds" else self.epochs

    def _note_losses(self) -> None:
        losses = self.clock.losses()
        if not all(math.isfinite(loss) for loss in losses):
            raise DivergedError
        self.progress.losses += losses

    def error_of(self, part: DevicePart | StreamedPart) -> float:
        """Fraction of clean images of `part` that the network in evaluation mode gets wrong.

        Batches are as large as memory allows, and smaller still where others have taken what was free.
        """
        size = min(len(part), self.memory.images_at_once(self.activations, self.parameters))
        with self.timeout.standing(), self.memory.evaluating():
            while True:
                try:
                    return self._wrong(part, size) / len(part)
                except torch.OutOfMemoryError:
                    if size == 1:
                        raise
                self.images.on.release()
                size = math.ceil(size / 2)

    def _wrong(self, part: DevicePart | StreamedPart, size: int) -> float:
        self.model.eval()
        wrong = torch.zeros((), device=self.images.device)
        with torch.inference_mode(), autocast(self.images.on, self.precision), self.images.on.first_kernels():
            for chunk, labels in part.chunks(size):
                wrong += (self.model(self.images.clean(chunk)).argmax(dim=1) != labels).sum()
                self.memory.check()
                self.share.give_way()
        self.model.train()
        return wrong.item()

    def state(self) -> State:
        """All that the rest of the training depends on, between two steps."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.step.optimizer.state_dict(),
            "schedule": vars(self.schedule),
            "batches": self.batches.state(),
            "clock": self.clock.elapsed,
            "measured": self.clock.measured,
            "progress": asdict(self.progress)
            | {
                "earlier_wall_seconds": self.progress.earlier_wall_seconds + time.perf_counter() - self.began,
                "earlier_peak_memory": max(self.progress.earlier_peak_memory, self.memory.peak),
                "earlier_evaluation_memory": max(self.progress.earlier_evaluation_memory, self.memory.evaluation_peak),
            },
            "random": _random_state(self.images.on),
        }

    def resume(self, state: State) -> None:
        """Go on where another process stood."""
        self.model.load_state_dict(state["model"])
        self.step.resume(state["optimizer"])
        vars(self.schedule).update(state["schedule"])
        self.batches.resume(state["batches"])
        self.clock.resume(state["clock"], state["measured"])
        vars(self.progress).update(state["progress"])
        _set_random_state(self.images.on, state["random"])


def _random_state(device: Device) -> State:
    return {"cpu": torch.get_rng_state(), "device": device.random_state()}


def _set_random_state(device: Device, state: State) -> None:
    torch.set_rng_state(state["cpu"])
    # Before there were others, that of a GPU went by its type.
    device.set_random_state(state["device"] if "device" in state else state["cuda"])
