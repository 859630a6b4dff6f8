"""Real workers: processes of a Dask cluster, each evaluating one trial at a time."""

import queue
import time
import uuid
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from jointbench.bench.running.cluster import ATTEMPTS, Finished, Started
from jointbench.bench.running.credentials import remove_old_credentials
from jointbench.bench.running.objective import Objective, evaluated
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.evaluation import Evaluation, Provenance, Status, failed
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import SAMPLE_MEMORY


def _evaluate(objective: Objective, log: EvaluationLog, started: Started, optimizer: str, run: str) -> Evaluation:
    """On the worker: evaluate and put the outcome into the log before anybody hears of it."""
    evaluation = in_run(evaluated(objective, started.trial, started.seed), started, optimizer, run)
    # Dask is there on a worker, but need not be where this module is read.
    from jointbench.bench.running.worker_end import WRITING

    with WRITING:
        log.append([evaluation])
    return evaluation


def in_run(evaluation: Evaluation, started: Started, optimizer: str, run: str) -> Evaluation:
    """The evaluation as its run's n-th; a trial that is finished twice gets the same key both times."""
    provenance = replace(evaluation.provenance, optimizer=optimizer, run=run)
    return replace(evaluation, trial=started.number, key=f"{run}/{started.number}", provenance=provenance)


class DaskCluster:
    """Worker processes that write what they find into `log`; use as a context manager.

    They start with the first trial, or at once where their pages were asked for: a run of which nothing is left to do
    needs none. A worker that dies is replaced and its trial tried again, `ATTEMPTS` times in all; then it is recorded
    as crashed.
    """

    def __init__(
        self, objective: Objective, log: EvaluationLog, *, workplace: Workplace, optimizer: str, run: str
    ) -> None:
        self.objective, self.log, self.workplace, self.optimizer, self.run = objective, log, workplace, optimizer, run

    @property
    def workers(self) -> int:
        return self.workplace.workers

    @property
    def dashboard(self) -> str | None:
        """The address of Dask's own pages on this machine, where they were asked for."""
        return str(self._cluster.dashboard_link) if self.workplace.dashboard else None

    def __enter__(self) -> Self:
        remove_old_credentials(self.log.path)
        self._ended: queue.SimpleQueue[tuple[Started, Any]] = queue.SimpleQueue()
        self._opened = ExitStack()
        self._client: Any = None
        if self.workplace.dashboard:
            self._open()
        return self

    def _open(self) -> None:
        import dask
        from distributed import Client

        from jointbench.bench.running.worker_end import EndAtOnce

        settings = {
            "distributed.scheduler.allowed-failures": ATTEMPTS - 1,
            # A training may hold the interpreter for minutes; that is no sign of death.
            "distributed.admin.tick.limit": "1h",
            "distributed.scheduler.worker-ttl": None,
        }
        with ExitStack() as opened:
            opened.enter_context(dask.config.set(settings))
            self._cluster = opened.enter_context(self.workplace.open(self.log.path))
            client = opened.enter_context(Client(self._cluster))
            client.register_plugin(EndAtOnce())
            self._opened = opened.pop_all()
        self._client = client
        self._began = time.time()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.close()

    def start(self, started: Started) -> None:
        if self._client is None:
            self._open()
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
        started, future = self._next_ended()
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

    def _next_ended(self) -> tuple[Started, Any]:
        while True:
            # A signal that comes just before Python blocks is heard of only when it no longer does.
            with suppress(queue.Empty):
                return self._ended.get(timeout=1.0)

    def _killed(self, started: Started) -> Evaluation:
        trial = started.trial
        task = self.log.task
        metrics, images = failed(task.metrics), ""
        if task.images is not None:
            shape, classes = task.images.shape, task.images.classes
            facts = task.space.facts(trial.configuration, shape, classes, trial.architecture_seed)
            metrics |= {"parameters": facts.parameters, "flops": facts.flops}
            if SAMPLE_MEMORY in task.metrics:
                metrics[SAMPLE_MEMORY.name] = facts.memory
            images = task.images.name
        evaluation = in_run(
            Evaluation(
                space=task.space.name,
                configuration=trial.configuration,
                budget=trial.budget,
                seed=started.seed,
                architecture_seed=trial.architecture_seed,
                status=Status.CRASHED,
                metrics=metrics,
                reason=f"{ATTEMPTS} workers died",
                finished_at=time.time(),
                provenance=Provenance(images=images),
            ),
            started,
            self.optimizer,
            self.run,
        )
        self.log.append([evaluation])
        return evaluation
