"""The joint space of Zela et al. 2018, 10 architecture choices and 7 hyperparameters (Table 3), in two sizes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.facts import Convolution, Facts, ImageShape, Work
from jointbench.data.spaces.hyperparameters import Hyperparameter, Number
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.spaces.space import Space
from jointbench.data.spaces.training_hyperparameters import APPENDIX_B, TRAINING, recipe_of

MAIN_BLOCKS = (1, 2, 3)
#: Stride of the first residual block of each main block (authors' code).
STRIDES = (1, 2, 2)


def _per_block(name: str, low: float, high: float, log: bool, integer: bool) -> tuple[Hyperparameter, ...]:
    return tuple(Number(f"{name}_{block}", low, high, log, integer) for block in MAIN_BLOCKS)


def _hyperparameters(
    *, most_blocks: int, most_branches: int, filters: tuple[int, int], most_widening: float
) -> tuple[Hyperparameter, ...]:
    """The 17 hyperparameters of Table 3 in its order and on its scales; the architecture's upper ends vary."""
    return (
        *TRAINING,
        Number("death_rate", 0.0, 1.0),
        *_per_block("res_blocks", 1, most_blocks, log=True, integer=True),
        *_per_block("res_branches", 1, most_branches, log=False, integer=True),
        Number("filters", *filters, log=True, integer=True),
        *_per_block("widen_factor", 0.5, most_widening, log=True, integer=False),
    )


class JointSpace(Space):
    """Ranges and log scales as in Table 3; flat, without conditions (authors' code).

    The death rate acts only where a main block has one branch (paper, footnote 1); elsewhere it has no effect.
    """

    name = "joint"
    hyperparameters = _hyperparameters(most_blocks=16, most_branches=5, filters=(8, 32), most_widening=8.0)
    architecture = tuple(h.name for h in hyperparameters[7:])
    source = "Zela et al. 2018, Table 3"
    remarks = ("The death rate of ShakeDrop has no effect where no main block has exactly one branch.",)
    network = "joint"
    expert: Configuration = MappingProxyType({**APPENDIX_B, "death_rate": 0.0})

    def recipe(self, configuration: Configuration) -> Recipe:
        return recipe_of(configuration)

    def facts(
        self,
        configuration: Configuration | FloatArray,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> Facts:
        """Parameters, FLOPs and activations from section 3.3 and the layers in `bench/training/networks/joint.py`.

        For one configuration it is plain integer arithmetic (a few microseconds); for a batch the very same
        lines run on int64 arrays.
        """
        rounded: Callable[[Any], Any]
        at: dict[str, Any]
        if isinstance(configuration, np.ndarray):
            columns = zip(self.hyperparameters, configuration.T, strict=True)
            at = {h.name: column.astype(np.int64) if h.integer else column for h, column in columns}
            rounded = _round_all
        else:
            at, rounded = dict(configuration), round
        channels, height, width = image_shape
        before = at["filters"]
        pixels = height * width
        parameters = 9 * channels * before + 2 * before
        multiply_adds = pixels * 9 * channels * before
        activations = pixels * before
        # What the ReLUs put out that are not in place: one before each residual block, and the last.
        active = activations
        layers = 0
        widths = []
        for block, stride in zip(MAIN_BLOCKS, STRIDES, strict=True):
            blocks, branches = at[f"res_blocks_{block}"], at[f"res_branches_{block}"]
            after = rounded(at[f"widen_factor_{block}"] * before)
            # The fewest filters of the small space, 4, halved three times are none.
            after = after + (after < 1) * 1
            height, width = -(-height // stride), -(-width // stride)
            pixels = height * width
            entering, later = 9 * before * after, 9 * after * after
            weights = branches * (blocks * later + entering + (blocks - 1) * later)
            shortcut = ((before != after) | (stride != 1)) * 1
            parameters = parameters + weights + branches * blocks * 4 * after
            parameters = parameters + shortcut * (before * after + 2 * after)
            multiply_adds = multiply_adds + pixels * (weights + shortcut * before * after)
            activations = activations + pixels * after * (2 * branches * blocks + shortcut)
            active = active + blocks * pixels * after
            layers = layers + 2 * blocks
            widths.append(after)
            before = after
        parameters = parameters + before * classes + classes
        multiply_adds = multiply_adds + before * classes
        memory = 4 * (2 * activations + active)
        return Facts(tuple(widths), parameters, 2 * multiply_adds, activations, layers, memory)

    def features(self, at: Mapping[str, Any], budget: Any, work: Work | None) -> Mapping[str, Any]:
        """The exact facts, and products that trees cannot form themselves; none where no device is known.

        - `memory` (bytes), and `epochs` and `steps` that fit into the budget;
        - `step_size`, the learning rate over 1 - momentum, that of steady descent; `distance`, steps times step size;
          `step_noise`, step size over batch size (Smith and Le, 2018); `memories`, steps in units of momentum's memory;
        - `dropped`: residual blocks that ShakeDrop is expected to drop, nought where no main block has one branch.
        """
        if work is None:
            return {}
        facts = work.facts
        width_1, width_2, width_3 = facts.widths
        steps = work.images / at["batch_size"]
        step_size = at["learning_rate"] / (1 - at["momentum"])
        shaken = sum(at[f"res_blocks_{block}"] * (at[f"res_branches_{block}"] == 1) for block in MAIN_BLOCKS)
        return {
            "width_1": width_1,
            "width_2": width_2,
            "width_3": width_3,
            "parameters": facts.parameters,
            "flops": facts.flops,
            "activations": facts.activations,
            "memory": work.memory,
            "layers": facts.layers,
            "epochs": work.images / work.training,
            "steps": steps,
            "step_size": step_size,
            "distance": steps * step_size,
            "step_noise": step_size / at["batch_size"],
            "memories": steps * (1 - at["momentum"]),
            "dropped": shaken * at["death_rate"],
        }

    def inert(self, configuration: Configuration) -> Mapping[str, str]:
        if any(configuration[f"res_branches_{block}"] == 1 for block in MAIN_BLOCKS):
            return {}
        return {"death_rate": "no main block has one branch"}

    def convolutions(
        self,
        configuration: Configuration,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> tuple[Convolution, ...]:
        """As `bench/training/networks/joint.py` computes them: all branches of a residual block at once."""
        at: dict[str, Any] = dict(configuration)
        channels, height, width = image_shape
        before = at["filters"]
        made = [Convolution(3, channels, before, 1, height * width)]
        for block, stride, after in zip(
            MAIN_BLOCKS, STRIDES, self.facts(configuration, image_shape, classes).widths, strict=True
        ):
            blocks, branches = at[f"res_blocks_{block}"], at[f"res_branches_{block}"]
            height, width = -(-height // stride), -(-width // stride)
            pixels, wide = height * width, branches * after
            made.append(Convolution(3, before, wide, 1, pixels))
            if before != after or stride != 1:
                halves = [part for part in (after // 2, after - after // 2) if part]
                made += [Convolution(1, before, part, 1, pixels) for part in halves]
            made.append(Convolution(3, wide, wide, branches, pixels, blocks))
            if blocks > 1:
                made.append(Convolution(3, after, wide, 1, pixels, blocks - 1))
            before = after
        return tuple(made)


def _round_all(values: FloatArray) -> npt.NDArray[np.int64]:
    """Python's `round` for arrays: halves go to the even neighbour."""
    return np.rint(values).astype(np.int64)


class SmallJointSpace(JointSpace):
    """The same names, scales and networks with ranges for a processor: on small images half of its networks have fewer
    than 60,000 weights and cost less than 2 MFLOPs."""

    name = "joint-small"
    hyperparameters = _hyperparameters(most_blocks=4, most_branches=3, filters=(4, 16), most_widening=4.0)


JOINT = JointSpace()
JOINT_SMALL = SmallJointSpace()
