"""An objective in closed form, for tests of the machinery around objectives."""

import math

from jointbench.data.evaluation import Configuration, Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT


class Analytic:
    """Error falls with the budget and with the distance of the learning rate from 0.05; wall time is irregular.

    One training in `failing` ends by divergence, none if it is 0.
    """

    space = JOINT

    def __init__(self, ladder: Ladder, failing: int = 0) -> None:
        self.ladder, self.failing = ladder, failing

    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
        failed = self.failing > 0 and seed % self.failing == 0
        error = 0.1 + 0.2 * abs(math.log10(configuration["learning_rate"] / 0.05)) / (1 + math.log(budget))
        # Irregular, yet with ties: whole tenths of the budget.
        wall = budget * (1 + (seed * 7919 + configuration["batch_size"]) % 7 / 10)
        return Evaluation(
            space=JOINT.name,
            configuration=configuration,
            budget=budget,
            seed=seed,
            status=Status.DIVERGED if failed else Status.OK,
            metrics={
                "validation_error": 0.9 if failed else error,
                "test_error": 0.9 if failed else error + 0.01,
                "training_seconds": budget,
                "wall_seconds": wall,
            },
        )
