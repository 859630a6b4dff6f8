"""Real training as an objective."""

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

import jointbench
from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.calibration import Calibrations
from jointbench.bench.training.checkpoint import Checkpoint
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.registry import network
from jointbench.bench.training.step import Step
from jointbench.bench.training.trainer import train
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.images.facts import Augmentation
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space

#: Seconds between two checkpoints of a training, where nobody says otherwise.
CHECKPOINT_EVERY = 300.0


@dataclass(frozen=True)
class TrainingObjective:
    """Trains networks on image data; small enough to travel to a worker, which loads the data itself, once.

    `images` is a data set's name, `data_folder` where its files are (None: the default places), `augmentation` what
    its images go through (None: what the data set says; a benchmark from before it said so has its own). In `folder`,
    a log's, lie the calibrations, and the checkpoints (one every `checkpoint_every` seconds) of the trainings that
    are on their way; without it there are none.
    """

    space: Space
    ladder: Ladder
    images: str
    hardware: Hardware
    data_folder: str | None = None
    folder: Path | None = None
    checkpoint_every: float = CHECKPOINT_EVERY
    augmentation: Augmentation | None = None

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        return train(
            self.space,
            configuration,
            budget,
            seed,
            ladder=self.ladder,
            images=_on_device(self.space.name, self.images, self.data_folder, self.hardware, self.augmentation),
            hardware=self.hardware,
            calibrations=None if self.folder is None else Calibrations(self.folder / "calibrations"),
            checkpoint=self.checkpoint(configuration, budget, seed, architecture_seed),
            architecture_seed=architecture_seed,
        )

    def checkpoint(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Checkpoint | None:
        """Where the training of these arguments leaves its state."""
        if self.folder is None:
            return None
        row = self.space.row(configuration)
        what = (self.space.name, row, float(budget), seed, self.images, self.hardware, jointbench.__version__)
        # Names of before there was one stay.
        drawn = (architecture_seed,) if architecture_seed else ()
        name = hashlib.sha256(repr(what + drawn).encode()).hexdigest()[:24]
        return Checkpoint(self.folder / "checkpoints" / f"{name}.checkpoint", self.checkpoint_every)

    def discard(self, evaluation: Evaluation) -> None:
        """Remove the checkpoint of a training whose evaluation is safe: nobody will go on with it."""
        asked = evaluation.configuration, evaluation.budget, evaluation.seed, evaluation.architecture_seed
        checkpoint = self.checkpoint(*asked)
        if checkpoint is not None:
            checkpoint.remove()


@cache
def _on_device(
    space: str, images: str, data_folder: str | None, hardware: Hardware, augmentation: Augmentation | None
) -> DeviceImages:
    hardware.prepare()
    data = load_images(images, data_folder)
    loaded = DeviceImages(data if augmentation is None else replace(data, augmentation=augmentation), hardware.on)
    _first_step(get_space(space), loaded)
    return loaded


def _first_step(space: Space, images: DeviceImages) -> None:
    """Take one step of the smallest network, so that what a process pays once falls into no training."""
    configuration = space.active({h.name: h.value(h.low) for h in space.hyperparameters})
    with images.device:
        model = network(space, configuration, images.facts.shape, images.facts.classes)
    batch = Batches(images, 32, 0, 0.0, np.random.default_rng(0)).next()
    Step(model, space.recipe(configuration), Hardware(images.on.label), images.on.memory(None)).take(batch)
