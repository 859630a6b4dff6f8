"""Real workers: processes of a Dask cluster, each evaluating one trial at a time."""

import queue
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jointbench.bench.running.cluster import ATTEMPTS, Finished, Started
from jointbench.bench.running.objective import Objective
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.evaluation import FAILURE_ERROR, Evaluation, Provenance, Status
from jointbench.data.log import EvaluationLog


def _evaluate(objective: Objective, log: EvaluationLog, started: Started, optimizer: str, run: str) -> Evaluation:
    """On the worker: evaluate and put the outcome into the log before anybody hears of it."""
    trial = started.trial
    evaluation = objective(trial.configuration, trial.budget, started.seed)
    evaluation = in_run(evaluation, started, optimizer, run)
    log.append([evaluation])
    return evaluation


def in_run(evaluation: Evaluation, started: Started, optimizer: str, run: str) -> Evaluation:
    """The evaluation as its run's n-th; a trial that is finished twice gets the same key both times."""
    provenance = replace(evaluation.provenance, optimizer=optimizer, run=run)
    return replace(evaluation, trial=started.number, key=f"{run}/{started.number}", provenance=provenance)


class DaskCluster:
    """Worker processes that write what they find into `log`; use as a context manager.

    A worker that dies is replaced and its trial tried again, `ATTEMPTS` times in all; then it is recorded as
    crashed.
    """

    def __init__(
        self, objective: Objective, log: EvaluationLog, *, workplace: Workplace, optimizer: str, run: str
    ) -> None:
        self.objective, self.log, self.workplace, self.optimizer, self.run = objective, log, workplace, optimizer, run

    @property
    def workers(self) -> int:
        return self.workplace.workers

    def __enter__(self) -> Self:
        import dask
        from distributed import Client

        self._folder = tempfile.TemporaryDirectory(prefix="jointbench-")
        dask.config.set(
            {
                "distributed.scheduler.allowed-failures": ATTEMPTS - 1,
                # A training may hold the interpreter for minutes; that is no sign of death.
                "distributed.admin.tick.limit": "1h",
                "distributed.scheduler.worker-ttl": None,
            }
        )
        self._cluster = self.workplace.open(Path(self._folder.name))
        self._client = Client(self._cluster)
        self._ended: queue.SimpleQueue[tuple[Started, Any]] = queue.SimpleQueue()
        self._began = time.time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()
        self._cluster.close()
        self._folder.cleanup()

    def start(self, started: Started) -> None:
        future = self._client.submit(
            _evaluate,
            self.objective,
            self.log,
            started,
            self.optimizer,
            self.run,
            key=f"{self.run}-{started.number}-{uuid.uuid4().hex}",
            pure=False,
        )
        future.add_done_callback(lambda done: self._ended.put((started, done)))

    def wait(self) -> Finished:
        started, future = self._ended.get()
        now = time.time()
        error = future.exception()
        if error is None:
            evaluation: Evaluation = future.result()
        elif type(error).__name__ == "KilledWorker":
            evaluation = self._killed(started)
        else:
            raise error
        return Finished(
            started, evaluation, evaluation.finished_at - evaluation.wall_seconds - self._began, now - self._began
        )

    def _killed(self, started: Started) -> Evaluation:
        trial = started.trial
        facts = self.log.space.facts(trial.configuration, self.log.images.shape, self.log.images.classes)
        evaluation = in_run(
            Evaluation(
                space=self.log.space.name,
                configuration=trial.configuration,
                budget=trial.budget,
                seed=started.seed,
                status=Status.CRASHED,
                validation_error=FAILURE_ERROR,
                test_error=FAILURE_ERROR,
                parameters=facts.parameters,
                flops=facts.flops,
                reason=f"{ATTEMPTS} workers died",
                finished_at=time.time(),
                provenance=Provenance(images=self.log.images.name),
            ),
            started,
            self.optimizer,
            self.run,
        )
        self.log.append([evaluation])
        return evaluation
