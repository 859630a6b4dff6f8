"""How far a training has come, and its learning curve."""

from dataclasses import dataclass, field

import numpy as np

from jointbench.data.evaluation import Curve

#: Validation passes that a learning curve has at most, evenly spaced over the budget.
CURVE_POINTS = 16
#: Passes before the last may cost this share of the training, counting a forward pass as a third of a step. All that
#: is beside the budget should cost less than 5 %: the last pass and the test are in that too.
CURVE_SHARE = 0.02


@dataclass
class Progress:
    """Read by the evaluation whether or not the training got to its end; plain numbers, so that it can be kept.

    `losses` are those since the last point of the curve. `batch_seconds`, `validation_seconds` and `test_seconds` are
    beside the budget: CPU seconds on a processor. `earlier_wall_seconds`, `earlier_peak_memory` and
    `earlier_evaluation_memory` (bytes) are of other processes, which the training was taken over from.
    """

    images: int = 0
    steps: int = 0
    evaluated_images: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    training_loss: list[float] = field(default_factory=list)
    validation_error: list[float] = field(default_factory=list)
    warmup_seconds: float = 0.0
    batch_seconds: float = 0.0
    validation_seconds: float = 0.0
    test_seconds: float = 0.0
    earlier_wall_seconds: float = 0.0
    earlier_peak_memory: int = 0
    earlier_evaluation_memory: int = 0

    def curve_point_due(self, share: float, validation_images: int) -> bool:
        """`share`: of the budget, spent. Costs are counted in images, not seconds, so that the same training has
        the same curve on any machine."""
        if share * CURVE_POINTS < len(self.seconds) + 1:
            return False
        return (self.evaluated_images + validation_images) / 3 <= CURVE_SHARE * self.images

    def add_point(self, seconds: float, epochs: float, validation_error: float, validation_images: int) -> None:
        self.seconds.append(seconds)
        self.epochs.append(epochs)
        self.training_loss.append(float(np.mean(self.losses)))
        self.validation_error.append(validation_error)
        self.evaluated_images += validation_images
        self.losses = []

    def curve(self) -> Curve:
        return Curve(tuple(self.seconds), tuple(self.epochs), tuple(self.training_loss), tuple(self.validation_error))
