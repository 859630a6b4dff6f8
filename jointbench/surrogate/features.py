"""What the surrogate sees of an evaluation to be: configuration, budget, and what the space tells of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.facts import Facts, Work
from jointbench.data.spaces.space import Space
from jointbench.surrogate.cost_model import CostModel

Features = npt.NDArray[np.float32]


class FeatureMap:
    """Configuration and budget to a float32 row; `names` in its order: the hyperparameters, the budget, and what
    `Space.features` tells.

    A hyperparameter that is inactive is a number below its range, as far as the range is long: a tree tells it from all
    others by one threshold. No logarithms: trees do not need them, and without them a row's bits are the same on every
    machine.

    `cost_model`: None where no device is known; then there is no `Work` either.
    """

    def __init__(
        self, space: Space, images: ImageFacts | None, ladder: Ladder, cost_model: CostModel | None = None
    ) -> None:
        self.space, self.images, self.ladder, self.cost_model = space, images, ladder, cost_model
        #: What each hyperparameter is to models where it is inactive.
        self.absent = [h.low - max(h.high - h.low, 1.0) for h in space.hyperparameters]
        usual = space.active(space.usual)
        told = space.features(self.at(usual), ladder.minimum, self._work(usual, self.facts(usual), ladder.minimum))
        self.names = (*space.names, "budget", *told)

    def facts(self, configuration: Configuration | FloatArray) -> Facts | None:
        """Of one that has been checked, or of a batch (n, hyperparameters); None where none are known of images."""
        return self.space.facts_on(self.images, configuration)

    def at(self, configuration: Configuration) -> Mapping[str, Any]:
        """The numbers of a configuration that has been checked, NaN for what is inactive."""
        if self.space.all_numbers:
            return configuration
        return dict(zip(self.space.names, map(float, self.space.row(configuration)), strict=True))

    def numbers(self, at: Mapping[str, Any]) -> list[Any]:
        """Those of the hyperparameters as models see them."""
        if self.space.all_numbers:
            return list(at.values())
        return [_filled(number, absent) for number, absent in zip(at.values(), self.absent, strict=True)]

    def one(self, at: Mapping[str, Any], facts: Facts | None, budget: float) -> Features:
        """A row (features,), of a configuration's numbers."""
        return np.array(self.columns(at, facts, budget), dtype=np.float32)

    def many(self, rows: FloatArray, facts: Facts | None, budgets: FloatArray) -> Features:
        """(n, hyperparameters) numbers and budgets (n,), to (n, features); equal to `one` bit for bit."""
        columns = self.columns(dict(zip(self.space.names, rows.T, strict=True)), facts, budgets)
        return np.stack([np.broadcast_to(column, len(rows)) for column in columns], axis=1).astype(np.float32)

    def columns(self, at: Mapping[str, Any], facts: Facts | None, budget: Any) -> tuple[Any, ...]:
        """The features as floats, or as float64 arrays."""
        told = self.space.features(at, budget, self._work(at, facts, budget))
        return (*self.numbers(at), budget, *told.values())

    def _work(self, at: Mapping[str, Any], facts: Facts | None, budget: Any) -> Work | None:
        if facts is None or self.images is None or self.cost_model is None:
            return None
        images = budget * self.images.training
        if self.ladder.unit == "seconds":
            images = budget / self.cost_model.seconds_of_image(at, facts)
        return Work(facts, images, self.images.training, self.cost_model.bytes_of_training(at, facts))


def _filled(number: Any, absent: float) -> Any:
    if isinstance(number, float):
        # What is no number differs from itself.
        return absent if number != number else number
    return np.where(np.isnan(number), absent, number)
