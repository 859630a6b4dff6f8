"""Real training as an objective."""

from dataclasses import dataclass
from functools import cache

import torch

from jointbench.bench.augmentation import DeviceImages
from jointbench.bench.trainer import Hardware, train, warm_up
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.images import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.space import Space
from jointbench.data.spaces import get_space


@dataclass(frozen=True)
class TrainingObjective:
    """Trains networks on image data; small enough to travel to a worker, which loads the data itself, once.

    `images` is a data set's name, `data_folder` where its files are (None: the default places).
    """

    space: Space
    ladder: Ladder
    images: str
    hardware: Hardware
    data_folder: str | None = None

    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
        images = _on_device(self.space.name, self.images, self.data_folder, self.hardware)
        return train(self.space, configuration, budget, seed, ladder=self.ladder, images=images, hardware=self.hardware)


@cache
def _on_device(space: str, images: str, data_folder: str | None, hardware: Hardware) -> DeviceImages:
    device = torch.device(hardware.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    loaded = DeviceImages(load_images(images, data_folder), device)
    warm_up(get_space(space), loaded, hardware)
    return loaded
