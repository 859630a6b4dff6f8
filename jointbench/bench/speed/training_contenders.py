"""Who trains against whom: our trainer, the plain formulation, and what neither can beat.

Each contender is a network and its optimizer on one device; `steps(n)` takes n steps of it.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so
from torch.utils.data import DataLoader, Dataset

from jointbench.bench.speed.plain import PlainNetwork
from jointbench.bench.speed.subjects import SPACE
from jointbench.bench.training.augmentation import Batch, Batches, DeviceImages, cutout_side
from jointbench.bench.training.device_share import DeviceShare
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.registry import network
from jointbench.bench.training.progress import Progress
from jointbench.bench.training.recorded_step import step_on
from jointbench.bench.training.schedule import CosineRestarts
from jointbench.bench.training.timeout import Timeout
from jointbench.bench.training.training_loop import Training
from jointbench.data.evaluation import Configuration
from jointbench.data.images.image_data import Part

#: So low that a network stays as it was drawn, however long it is timed on one batch.
LEARNING_RATE = 1e-9


class Contender(Protocol):
    def steps(self, count: int) -> None:
        """Take so many steps; on a GPU they may still be queued afterwards."""
        ...


def training_of(
    configuration: Configuration, images: DeviceImages, hardware: Hardware, share: DeviceShare | None = None
) -> Training:
    """A training as the trainer makes it, of a budget that never ends; `share`: with whom, where not with nobody."""
    recipe, device = SPACE.recipe(configuration), images.on
    facts = SPACE.facts(configuration, images.facts.shape, images.facts.classes)
    memory = images.on.memory(hardware.memory)
    with device.torch:
        model = network(SPACE, configuration, images.facts.shape, images.facts.classes)
    rng = np.random.default_rng(0)
    return Training(
        model,
        step_on(model, recipe, hardware, memory),
        Batches(images, recipe.batch_size, recipe.cutout_length, recipe.mixup_alpha, rng),
        CosineRestarts(1e9, 0),
        images.on.clock(),
        Progress(),
        precision=hardware.precision,
        memory=memory,
        timeout=Timeout(device, math.inf, "seconds"),
        share=share or _alone(device),
        activations=facts.activations,
        parameters=facts.parameters,
        began=time.perf_counter(),
    )


def _alone(device: Device) -> DeviceShare:
    """What is only timed keeps no collection on this machine waiting."""
    with tempfile.TemporaryDirectory() as folder:
        return DeviceShare(device, Path(folder))


class Ours:
    """The trainer's own loop, as a budget is spent by it: batches, schedule, clock, step, and all checks."""

    def __init__(self, training: Training) -> None:
        self.training, self.spent = training, 0.0

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.spent = self.training.advance(self.spent, "seconds")


class Limit:
    """The same network and optimizer on one batch that lies ready: what is left when all else costs nothing."""

    def __init__(self, training: Training) -> None:
        self.step = training.step
        self.batch: Batch = training.batches.next()

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.step.take(self.batch)


def device_time(device: Device) -> Callable[[], float]:
    """CPU time of this process; on a GPU the time at which all that was queued has ended."""
    if not device.accelerator:
        return time.process_time

    def when_done() -> float:
        device.synchronize()
        return time.perf_counter()

    return when_done


class Pictures(Dataset[tuple[Tensor, int]]):
    """What torchvision's CIFAR10 is: arrays, one picture made of them at a time, and a chain of transforms."""

    def __init__(self, part: Part, transform: Callable[[Any], Tensor]) -> None:
        self.data = part.images.transpose(0, 2, 3, 1)
        self.targets, self.transform = part.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        pixels = np.ascontiguousarray(self.data[index])
        picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        return self.transform(picture), self.targets[index]


class CutOut:
    """One square an image, as DeVries and Taylor published it."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __call__(self, image: Tensor) -> Tensor:
        height, width = image.shape[1:]
        mask = np.ones((height, width), np.float32)
        y, x = np.random.randint(height), np.random.randint(width)  # noqa: NPY002 - as published
        top, bottom = np.clip([y - self.length // 2, y + self.length // 2], 0, height)
        left, right = np.clip([x - self.length // 2, x + self.length // 2], 0, width)
        mask[top:bottom, left:right] = 0.0
        return image * torch.from_numpy(mask).expand_as(image)


@contextmanager
def _torch_as_it_comes() -> Iterator[None]:
    """Convolutions in TF32 where the device has it: PyTorch's default, which `Hardware.prepare` turns off for ours."""
    torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = False


class Plain:
    """Branch after branch in fp32, fed by a DataLoader with torchvision's transforms, as such papers' code is written.

    `workers`: the loader's processes; with 0 it loads in the training's own.
    """

    def __init__(self, configuration: Configuration, part: Part, images: DeviceImages, workers: int) -> None:
        from torchvision import transforms

        at, shape = dict(configuration), images.facts.shape
        self.device, self.alpha = images.device, float(at["mixup_alpha"])
        chain = [
            *([transforms.RandomCrop(shape[1:], images.pad)] if images.pad else []),
            *([transforms.RandomHorizontalFlip()] if images.facts.augmentation.flip else []),
            transforms.ToTensor(),
            transforms.Normalize(images.mean.flatten().tolist(), images.std.flatten().tolist()),
        ]
        if (square := cutout_side(int(at["cutout_length"]), shape[1])) > 0:
            chain.append(CutOut(square))
        on_gpu = images.on.accelerator
        self.loader = DataLoader(
            Pictures(part, transforms.Compose(chain)),
            min(int(at["batch_size"]), len(part)),
            shuffle=True,
            num_workers=workers,
            pin_memory=on_gpu,
            drop_last=True,
            persistent_workers=workers > 0,
        )
        self.stored = workers * (self.loader.prefetch_factor or 0)
        self.batches = self._batches()
        self.model: nn.Module = PlainNetwork(configuration, shape, images.facts.classes).to(self.device)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=LEARNING_RATE,
            momentum=at["momentum"],
            nesterov=True,
            weight_decay=at["weight_decay"],
        )
        self.total_loss = 0.0

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from self.loader

    def use_up_the_store(self) -> None:
        """Train on what the loader's processes have put in store while others had their turn."""
        self.steps(self.stored)

    def steps(self, count: int) -> None:
        with _torch_as_it_comes():
            for _ in range(count):
                self._step()

    def _step(self) -> None:
        images, labels = (tensor.to(self.device, non_blocking=True) for tensor in next(self.batches))
        share, others = 1.0, labels
        if self.alpha > 0:
            share = float(np.random.beta(self.alpha, self.alpha))  # noqa: NPY002 - as published
            partner = torch.randperm(len(labels), device=self.device)
            images, others = share * images + (1 - share) * images[partner], labels[partner]
        self.optimizer.zero_grad()
        logits = self.model(images)
        loss = share * F.cross_entropy(logits, labels) + (1 - share) * F.cross_entropy(logits, others)
        loss.backward()
        self.optimizer.step()
        self.total_loss += loss.item()
