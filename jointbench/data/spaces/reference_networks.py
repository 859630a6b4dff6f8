"""The published networks beside the joint space that the paper's Table 2 and appendix B train in the same way."""

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.facts import Facts, ImageShape
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.spaces.space import Space
from jointbench.data.spaces.training_hyperparameters import APPENDIX_B, TRAINING, recipe_of


class ReferenceSpace(Space):
    """A fixed network of pre-activated basic blocks (He et al., *Identity Mappings in Deep Residual Networks*, 2016),
    of which only the training can be chosen; no ShakeDrop, hence no death rate.

    The one named configuration has the space's name and appendix B's values; L2 of 5e-4 is for "2-branch
    networks": a shortcut beside one residual branch, counted as Gastaldi 2017 counts.
    """

    hyperparameters = TRAINING
    network = "reference"
    expert = APPENDIX_B

    def recipe(self, configuration: Configuration) -> Recipe:
        return recipe_of(configuration)

    #: Channels of the first convolution and of each stage; stride of each stage's first block; blocks a stage.
    stem: int
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    blocks: int

    def facts(
        self,
        configuration: Configuration | FloatArray,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> Facts:
        """The same for every configuration, from the layers in `bench/training/networks/reference_networks.py`."""
        channels, height, width = image_shape
        before, pixels = self.stem, height * width
        parameters = 9 * channels * before
        multiply_adds, activations = pixels * parameters, pixels * before
        for after, first_stride in zip(self.widths, self.strides, strict=True):
            for stride in (first_stride, *[1] * (self.blocks - 1)):
                height, width = -(-height // stride), -(-width // stride)
                pixels = height * width
                shortcut = before != after or stride != 1
                weights = 9 * before * after + 9 * after * after + shortcut * before * after
                parameters += weights + 2 * before + 2 * after
                multiply_adds += pixels * weights
                activations += pixels * after * (2 + shortcut)
                before = after
        parameters += 2 * before + before * classes + classes
        multiply_adds += before * classes
        each = np.ones(len(configuration), dtype=np.int64) if isinstance(configuration, np.ndarray) else 1
        widths = tuple(after * each for after in self.widths)
        return Facts(widths, parameters * each, 2 * multiply_adds * each, activations * each)


class PreActResNet18(ReferenceSpace):
    """He et al. 2016 with the ResNet-18 of their first paper, its stem a 3x3 convolution for 32x32 images."""

    name = "preact-resnet-18"
    stem, widths, strides, blocks = 64, (64, 128, 256, 512), (1, 2, 2, 2), 2


class WideResNet2810(ReferenceSpace):
    """Zagoruyko and Komodakis, *Wide Residual Networks*, 2016: depth 28, ten times as wide, without dropout."""

    name = "wideresnet-28-10"
    stem, widths, strides, blocks = 16, (160, 320, 640), (1, 2, 2), 4


PREACT_RESNET_18 = PreActResNet18()
WIDERESNET_28_10 = WideResNet2810()
