"""What the surrogate sees of an evaluation to be: the configuration, the budget and the exact facts."""

import math

import numpy as np
import numpy.typing as npt

from jointbench.data.evaluation import Configuration
from jointbench.data.images import ImageFacts
from jointbench.data.space import FloatArray, Space

Features = npt.NDArray[np.float32]


class FeatureMap:
    """Configuration and budget to a float32 row; `names` in its order.

    Beside the hyperparameters: the budget, widths, and logarithms of parameters, FLOPs and activations, and of
    what the budget buys: `log_epochs` (budget over FLOPs, up to a constant: passes over the data if the device
    had one speed) and `log_steps` (the same a batch). Trees cannot form such ratios themselves.
    """

    def __init__(self, space: Space, images: ImageFacts) -> None:
        self.space, self.images = space, images
        derived = "budget width_1 width_2 width_3 log_parameters log_flops log_activations log_epochs log_steps"
        self.names = (*space.names, *derived.split())

    def one(self, configuration: Configuration, budget: float) -> Features:
        """A row (features,), of a configuration that has been checked."""
        facts = self.space.facts(configuration, self.images.shape, self.images.classes)
        log_flops, log_budget = math.log(facts.flops), math.log(budget)
        return np.array(
            [
                *configuration.values(),
                budget,
                *facts.widths,
                math.log(facts.parameters),
                log_flops,
                math.log(facts.activations),
                log_budget - log_flops,
                log_budget - log_flops - math.log(configuration["batch_size"]),
            ],
            dtype=np.float32,
        )

    def many(self, rows: FloatArray, budgets: npt.ArrayLike) -> Features:
        """(n, hyperparameters) raw values and budgets (n,) or one for all, to (n, features); equal to `one`."""
        facts = self.space.facts(rows, self.images.shape, self.images.classes)
        budget = np.broadcast_to(np.asarray(budgets, dtype=np.float64), len(rows))
        log_flops, log_budget = np.log(facts.flops), np.log(budget)
        batch_size = rows[:, self.space.names.index("batch_size")]
        columns = [
            *rows.T,
            budget,
            *facts.widths,
            np.log(facts.parameters),
            log_flops,
            np.log(facts.activations),
            log_budget - log_flops,
            log_budget - log_flops - np.log(batch_size),
        ]
        return np.stack(columns, axis=1).astype(np.float32)
