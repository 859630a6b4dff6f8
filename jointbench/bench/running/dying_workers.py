"""Workers that die, in simulation: what is lost is time, and now and then a trial."""

import math
import random
from dataclasses import replace

from jointbench.bench.running.cluster import ATTEMPTS
from jointbench.bench.running.objective import Objective, evaluated
from jointbench.data.evaluation import Configuration, Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Trial


class DyingWorkers:
    """An objective whose workers die while they evaluate, `rate` times an hour of a worker's work on average.

    As on the Dask cluster a dead worker is replaced and its trial begun again, `ATTEMPTS` times in all; then it has
    crashed. `wall_seconds` is the duration of all attempts together, whatever clock counted that of one. Deaths follow
    from the seed of the training.
    """

    def __init__(self, objective: Objective, rate: float) -> None:
        self.objective, self.rate = objective, rate

    @property
    def space(self) -> Space:
        return self.objective.space

    @property
    def ladder(self) -> Ladder:
        return self.objective.ladder

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        trial = Trial(configuration, budget, architecture_seed=architecture_seed)
        evaluation = evaluated(self.objective, trial, seed)
        luck = random.Random(seed)
        lost = 0.0
        for _ in range(ATTEMPTS):
            # A memoryless worker: exponential time to its death.
            alive = -math.log(1 - luck.random()) * 3600 / self.rate
            if alive >= evaluation.duration:
                return _lasting(evaluation, lost + evaluation.duration)
            lost += alive
        return _lasting(evaluation, lost).failing(Status.CRASHED, f"{ATTEMPTS} workers died")


def _lasting(evaluation: Evaluation, seconds: float) -> Evaluation:
    """Its wall seconds are its duration: a reference clock knows of one attempt only."""
    return replace(evaluation.measuring(wall_seconds=seconds), provenance=replace(evaluation.provenance, clock=""))
