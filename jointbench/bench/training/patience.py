"""When a training is given up."""

import math
import time

import torch

from jointbench.data.ladder import Unit

#: A training and its evaluation are given up after this many budgets and a minute more, in seconds: on a processor
#: the validation of a large network can take hours, however short its training.
PATIENCE, GRACE = 10.0, 60.0


class OutOfPatienceError(Exception):
    """The training, with all that is not budgeted, takes too long."""


class Patience:
    """Ends after PATIENCE budgets and GRACE seconds, counted as the budget is: CPU time of this thread on a CPU.

    A ladder in epochs says nothing of seconds, so there it never ends.
    """

    def __init__(self, device: torch.device, budget: float, unit: Unit) -> None:
        self._now = time.thread_time if device.type == "cpu" else time.perf_counter
        self._end = self._now() + PATIENCE * budget + GRACE if unit == "seconds" else math.inf

    def check(self) -> None:
        """Raises OutOfPatienceError."""
        if self._now() > self._end:
            raise OutOfPatienceError
