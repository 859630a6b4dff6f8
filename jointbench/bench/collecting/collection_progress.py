"""How far a collection has come, and when it will end."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

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

    def ended(self) -> None:
        """All has been trained, and is in the log."""
        ...


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


#: What has happened last in a collection.
Event = Literal["resumed", "watchable", "started", "finished", "ended"]


class CollectionProgress:
    """Counts of a run, earlier starts of it included; the pace is that of this start alone. `hear` is called with it
    whenever something has happened: `event`, of which `resumed` is the first.

    `stage` is the run's name. `running`: trial number to what is trained and since when (seconds on `clock`).
    `last`: what has finished last, in this start. `dashboard`: where Dask's own pages are, if they were asked for.
    """

    def __init__(
        self,
        ladder: Ladder,
        full_budgets: float,
        clock: Callable[[], float] = time.monotonic,
        objective: Metric = VALIDATION_ERROR,
        *,
        stage: str = "",
        hear: "Callable[[CollectionProgress], None]" = lambda progress: None,
    ) -> None:
        self.ladder, self.full_budgets, self._clock = ladder, full_budgets, clock
        self.objective, self.stage, self._hear = objective, stage, hear
        self.event: Event = "resumed"
        self.last: Finished | None = None
        self.dashboard: str | None = None
        self.done_at: Counter[float] = Counter()
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
        self._tell("resumed")

    def watchable(self, address: str) -> None:
        self.dashboard = address
        self._tell("watchable")

    def started(self, started: Started) -> None:
        self.running[started.number] = started, self._clock()
        self._tell("started")

    def finished(self, finished: Finished) -> None:
        self.running.pop(finished.started.number, None)
        self._finished += 1
        self.last = finished
        self._count(finished.evaluation)
        self._tell("finished")

    def ended(self) -> None:
        self._tell("ended")

    def _tell(self, event: Event) -> None:
        self.event = event
        self._hear(self)

    def _count(self, evaluation: Evaluation) -> None:
        self.done_at[evaluation.budget] += 1
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
        return self.done_at.total()

    @property
    def spent(self) -> float:
        """Full budgets."""
        return self._spent / self.ladder.maximum

    @property
    def done(self) -> float:
        """Full budgets, of `total`."""
        return self.spent

    @property
    def total(self) -> float:
        return self.full_budgets

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
