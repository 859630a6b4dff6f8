"""What the surrogate sees of an evaluation to be: configuration, budget, exact facts, what the budget buys."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.facts import Facts
from jointbench.data.spaces.joint import MAIN_BLOCKS, JointSpace
from jointbench.data.spaces.space import Space
from jointbench.surrogate.cost_model import CostModel, layers

Features = npt.NDArray[np.float32]

#: In the order of `FeatureMap.columns`, after the hyperparameters.
DERIVED = (
    *("budget", "width_1", "width_2", "width_3", "parameters", "flops", "activations", "memory", "layers"),
    *("epochs", "steps", "step_size", "distance", "step_noise", "memories", "dropped"),
)


class FeatureMap:
    """Configuration and budget to a float32 row; `names` in its order.

    Beside the hyperparameters and the exact facts (`layers`: convolutions in a row) there are products that trees
    cannot form themselves:

    - `memory` (bytes), and `epochs` and `steps` that fit into the budget, by the cost model;
    - `step_size`, the learning rate over 1 - momentum, that of steady descent; `distance`, steps times step size;
      `step_noise`, step size over batch size (Smith and Le, 2018); `memories`, steps in units of momentum's memory;
    - `dropped`: residual blocks that ShakeDrop is expected to drop, nought where no main block has one branch.

    No logarithms: trees do not need them, and without them a row's bits are the same on every machine.
    """

    def __init__(self, space: Space, images: ImageFacts, ladder: Ladder, cost_model: CostModel) -> None:
        """Raises UnknownNameError for a space without the main blocks of the joint space."""
        if not isinstance(space, JointSpace):
            raise UnknownNameError.of("space of a surrogate", space.name, [JointSpace.name])
        self.space, self.images, self.ladder, self.cost_model = space, images, ladder, cost_model
        self.names = (*space.names, *DERIVED)

    def one(self, configuration: Configuration, facts: Facts, budget: float) -> Features:
        """A row (features,), of a configuration that has been checked."""
        return np.array(self.columns(configuration, facts, budget), dtype=np.float32)

    def many(self, rows: FloatArray, facts: Facts, budgets: FloatArray) -> Features:
        """(n, hyperparameters) raw values and budgets (n,), to (n, features); equal to `one` bit for bit."""
        columns = self.columns(dict(zip(self.space.names, rows.T, strict=True)), facts, budgets)
        return np.stack(columns, axis=1).astype(np.float32)

    def columns(self, at: Mapping[str, Any], facts: Facts, budget: Any) -> tuple[Any, ...]:
        """The features as floats, or as float64 arrays."""
        images = budget * self.images.training
        if self.ladder.unit == "seconds":
            images = budget / self.cost_model.seconds_of_image(at, facts)
        steps = images / at["batch_size"]
        step_size = at["learning_rate"] / (1 - at["momentum"])
        shaken = sum(at[f"res_blocks_{block}"] * (at[f"res_branches_{block}"] == 1) for block in MAIN_BLOCKS)
        return (
            *at.values(),
            budget,
            *facts.widths,
            facts.parameters,
            facts.flops,
            facts.activations,
            self.cost_model.bytes_of_training(at, facts),
            layers(at),
            images / self.images.training,
            steps,
            step_size,
            steps * step_size,
            step_size / at["batch_size"],
            steps * (1 - at["momentum"]),
            shaken * at["death_rate"],
        )
