"""What trials run on: the contract of a cluster, and the simulated one."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from jointbench.bench.running.objective import Objective, evaluated
from jointbench.data.evaluation import Evaluation
from jointbench.optimizers.optimizer import Trial

#: Workers that may die over one trial before it is recorded as crashed.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Started:
    """A trial on its way: its position in the run, and the seed of its training."""

    number: int
    # An object of its own in every run; two runs are the same by their evaluations.
    trial: Trial = field(compare=False)
    seed: int


class Finished(NamedTuple):
    """A trial's end; `start` and `end` in seconds on the cluster's clock, which begins at 0 with the run."""

    started: Started
    evaluation: Evaluation
    start: float
    end: float


class Cluster(Protocol):
    """Runs trials on `workers` workers, one each at a time."""

    @property
    def workers(self) -> int: ...

    def start(self, started: Started) -> None:
        """Put a trial on a free worker; the caller never starts more than there are workers."""
        ...

    def wait(self) -> Finished:
        """The next trial to end; called only while one is running."""
        ...


class SimulatedCluster:
    """Discrete events on a virtual clock: a trial occupies its worker for its evaluation's wall seconds.

    Trials that end at the same instant end in the order in which they started, so that one seed gives one run
    on any machine. `overhead` says at each start how many seconds the optimizer has spent on it; it works on one
    trial at a time.
    """

    def __init__(self, objective: Objective, workers: int, overhead: Callable[[], float] = lambda: 0.0) -> None:
        self.objective, self.workers, self.overhead = objective, workers, overhead
        self.now = self._busy_until = 0.0
        self._running: list[tuple[float, int, Finished]] = []

    def start(self, started: Started) -> None:
        evaluation = evaluated(self.objective, started.trial, started.seed)
        begin = self._busy_until = max(self.now, self._busy_until) + self.overhead()
        end = begin + evaluation.duration
        heapq.heappush(self._running, (end, started.number, Finished(started, evaluation, begin, end)))

    def wait(self) -> Finished:
        self.now, _, finished = heapq.heappop(self._running)
        return finished
