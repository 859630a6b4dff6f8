"""When a training is given up."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jointbench.data.ladder import Unit

if TYPE_CHECKING:
    from jointbench.bench.training.devices.device import Device

#: A training is given up after this many budgets and a minute more, in seconds.
TIMEOUT_BUDGETS, GRACE = 10.0, 60.0


class TimedOutError(Exception):
    """The training, with all that is not budgeted, takes too long."""


class Timeout:
    """Ends after TIMEOUT_BUDGETS budgets and GRACE seconds of training, counted as the budget is: CPU time of this
    thread on a CPU. Evaluating is not training and does not count.

    A ladder in epochs says nothing of seconds, nor does a number of steps that a reference clock gives, so there it
    never ends.
    """

    def __init__(self, device: "Device", budget: float, unit: Unit, *, endless: bool = False) -> None:
        self._now = device.now
        limited = unit == "seconds" and not endless
        self._end = self._now() + TIMEOUT_BUDGETS * budget + GRACE if limited else math.inf

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Time that does not count."""
        began = self._now()
        try:
            yield
        finally:
            self._end += self._now() - began

    def check(self) -> None:
        """Raises TimedOutError."""
        if self._now() > self._end:
            raise TimedOutError
