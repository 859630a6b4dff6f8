"""How far a collection has come, and when it will end."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from jointbench.bench.running.cluster import Cluster, Finished, Started
from jointbench.data.evaluation import Evaluation
from jointbench.data.incumbent import Incumbents
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import VALIDATION_ERROR, Metric


class Watcher(Protocol):
    """Hears of everything that happens in a collection."""

    def watchable(self, address: str) -> None:
        """Where Dask's own pages are; called where they were asked for."""
        ...

    def resumed(self, evaluations: Iterable[Evaluation]) -> None:
        """What earlier starts of the run have evaluated; called once, first."""
        ...

    def started(self, started: Started) -> None: ...

    def finished(self, finished: Finished) -> None: ...


@dataclass(frozen=True)
class WatchedCluster:
    """A cluster whose starts a watcher hears of."""

    cluster: Cluster
    watcher: Watcher

    @property
    def workers(self) -> int:
        return self.cluster.workers

    def start(self, started: Started) -> None:
        self.watcher.started(started)
        self.cluster.start(started)

    def wait(self) -> Finished:
        return self.cluster.wait()


class CollectionProgress:
    """Counts of a run, earlier starts of it included; the pace is that of this start alone.

    `running`: trial number to what is trained and since when (seconds on `clock`).
    """

    def __init__(
        self,
        ladder: Ladder,
        full_budgets: float,
        clock: Callable[[], float] = time.monotonic,
        objective: Metric = VALIDATION_ERROR,
    ) -> None:
        self.ladder, self.full_budgets, self._clock = ladder, full_budgets, clock
        self.done: Counter[float] = Counter()
        self.failures: Counter[str] = Counter()
        self._incumbents = Incumbents((objective,), "largest-budget")
        self.running: dict[int, tuple[Started, float]] = {}
        self._spent = self._spent_before = 0.0
        self._finished = 0
        self._began = clock()

    def resumed(self, evaluations: Iterable[Evaluation]) -> None:
        for evaluation in evaluations:
            self._count(evaluation)
        self._spent_before = self._spent
        self._began = self._clock()

    def started(self, started: Started) -> None:
        self.running[started.number] = started, self._clock()

    def finished(self, finished: Finished) -> None:
        self.running.pop(finished.started.number, None)
        self._finished += 1
        self._count(finished.evaluation)

    def _count(self, evaluation: Evaluation) -> None:
        self.done[evaluation.budget] += 1
        self._spent += evaluation.budget
        if not evaluation.ok:
            self.failures[evaluation.status.value] += 1
            return
        self._incumbents.hear(evaluation)

    @property
    def incumbent(self) -> Evaluation | None:
        """The best at the largest budget seen so far."""
        return self._incumbents.best

    @property
    def evaluations(self) -> int:
        return self.done.total()

    @property
    def spent(self) -> float:
        """Full budgets."""
        return self._spent / self.ladder.maximum

    @property
    def seconds(self) -> float:
        """Since this start."""
        return self._clock() - self._began

    @property
    def evaluations_an_hour(self) -> float | None:
        """None before the first has ended."""
        return self._finished / self.seconds * 3600 if self._finished and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """At the pace of this start; None before anything has ended."""
        spent = self._spent - self._spent_before
        if spent == 0:
            return None
        return max(0.0, self.full_budgets * self.ladder.maximum - self._spent) * self.seconds / spent

    def running_for(self, number: int) -> float:
        """Seconds."""
        return self._clock() - self.running[number][1]
