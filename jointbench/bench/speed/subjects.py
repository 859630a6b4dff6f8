"""What the trainer's speed is measured on: networks, and images of CIFAR-10's shape."""

import numpy as np

from jointbench.data.evaluation import Configuration
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.images.registry import load_images
from jointbench.data.spaces.facts import ImageShape
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.registry import find_configuration

#: Of the networks that are timed.
SPACE = JOINT

#: Configurations drawn to find one of median size.
SAMPLE = 1001

#: FLOPs of a training step are three times those of its forward pass.
PASSES = 3

#: Images of the parts of CIFAR-10.
PARTS = (45_000, 5_000, 10_000)


def median_configuration() -> Configuration:
    """Of a sample of the joint space the one that has the median number of parameters; always the same one."""
    sample = SPACE.sample(np.random.default_rng(0), SAMPLE)
    parameters = SPACE.facts(SPACE.rows(sample)).parameters
    return sample[int(np.argsort(parameters)[SAMPLE // 2])]


def subjects() -> dict[str, Configuration]:
    """Configurations of the joint space by the names under which they are shown."""
    named = {
        "Table 3": "zela-2018",
        "Shake-Shake 26 2x32d": "shake-shake-26-2x32d",
        "Shake-Shake 26 2x96d": "shake-shake-26-2x96d",
    }
    found = {shown: find_configuration(name)[1] for shown, name in named.items()}
    return {**found, "median of a sample": median_configuration()}


def speed_images(name: str, data_folder: str | None = None, parts: tuple[int, int, int] = PARTS) -> ImageData:
    """A data set by name; `synthetic` is noise of CIFAR-10's shape, since speed does not depend on what is seen.

    `parts`: of the noise, how many images are for training, validation and test.
    """
    if name != "synthetic":
        return load_images(name, data_folder)
    rng = np.random.default_rng(0)

    def part(count: int) -> Part:
        return Part(rng.integers(0, 256, (count, 3, 32, 32), np.uint8), rng.integers(0, 10, count))

    training, validation, test = (part(count) for count in parts)
    return ImageData("synthetic", 10, training, validation, test)


def with_batch_of(step: float, configuration: Configuration, image_shape: ImageShape = (3, 32, 32)) -> Configuration:
    """With as many images a batch as need so many FLOPs for a step; at least two, and no more than there were."""
    fitting = round(step / (PASSES * SPACE.facts(configuration, image_shape).flops))
    return {**configuration, "batch_size": max(2, min(int(configuration["batch_size"]), fitting))}
