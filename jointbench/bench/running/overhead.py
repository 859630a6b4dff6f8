"""An optimizer's overhead time, so that it can be charged to the simulated clock."""

import time
from collections.abc import Callable
from typing import Any

from jointbench.data.evaluation import Evaluation
from jointbench.optimizers.optimizer import Optimizer, Trial


class Timed(Optimizer):
    """The same optimizer, with a stopwatch on `ask` and `tell`."""

    def __init__(self, optimizer: Optimizer, clock: Callable[[], float] = time.perf_counter) -> None:
        self.optimizer, self.name = optimizer, optimizer.name
        self._clock, self._spent = clock, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.optimizer, name)

    def ask(self) -> Trial | None:
        start = self._clock()
        try:
            return self.optimizer.ask()
        finally:
            self._spent += self._clock() - start

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        start = self._clock()
        self.optimizer.tell(trial, evaluation)
        self._spent += self._clock() - start

    def take(self) -> float:
        """Seconds of overhead since this was last called."""
        spent, self._spent = self._spent, 0.0
        return spent
