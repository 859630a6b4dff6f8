"""A training function of a person's own as an objective."""

import math
import os
import platform
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointbench.bench.running.objective import OfTask
from jointbench.bench.running.own_function import OwnFunction
from jointbench.bench.running.training_child import Numbers, Reported, Returned
from jointbench.bench.running.training_process import TrainingProcess
from jointbench.bench.training import process_memory
from jointbench.bench.training.timeout import GRACE, TIMEOUT_BUDGETS
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration, Curve, Evaluation, Provenance, Status, failed
from jointbench.data.log import OUTPUT
from jointbench.data.metrics import METRICS, Metric
from jointbench.data.seeds import function_seed
from jointbench.data.task import Task

#: After the name of a metric that was not returned.
_OTHERS = " (the option metrics names others)"

#: Points of a learning curve that are kept, evenly spaced over what was reported.
CURVE_POINTS = 1000


@dataclass(frozen=True)
class FunctionObjective(OfTask):
    """Calls the function in a process of its own, one beside each worker; small enough to travel to a worker.

    A training is given up after `timeout` seconds (None: where the budget is counted in seconds, after ten budgets and
    a minute, as ours are) and where its process grows by more than `memory` bytes. In `folder`, a log's, lies what the
    function prints.

    It returns the metrics of the task by name; what else it returns is kept as extras. `wall_seconds`,
    `training_seconds` and `peak_memory` are measured where the task has them and the function does not return them.
    What it raises is a crash, MemoryError has run out of memory; an objective that is no finite number has diverged; a
    metric that is missing, or outside its bounds, is a crash that says so. What lacks the objective is no outcome of a
    training but a slip in the function, by which a whole budget would be spent on one crash.
    """

    function: OwnFunction
    task: Task
    timeout: float | None = None
    memory: int | None = None
    folder: Path | None = None

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        """The function hears of no `architecture_seed`; it is kept with what it returns. Raises InputError where the
        function cannot be loaded here, and where what it returns lacks the objective."""
        configuration = self.space.check(configuration)
        budget = self.ladder.rungs[self.ladder.rung_of(budget)]
        process = _process(self.function, self.folder)
        returned, reports = process.train(
            dict(configuration),
            int(budget) if budget.is_integer() else budget,
            function_seed(seed),
            timeout=self._seconds(budget),
            memory=self.memory,
        )
        status, reason, metrics, extras = self._outcome(returned)
        return Evaluation(
            space=self.space.name,
            configuration=configuration,
            budget=budget,
            seed=seed,
            architecture_seed=architecture_seed,
            status=status,
            metrics=metrics,
            extras=extras,
            reason=reason,
            finished_at=time.time(),
            curve=curve_of(reports, self.ladder.unit),
            provenance=Provenance(
                machine=f"{platform.system()} {platform.machine()}",
                device=process_memory.processor(),
                code_version=f"{self.function.name} {self.function.code}",
                clock="measured",
            ),
        )

    def discard(self, evaluation: Evaluation) -> None:
        """It leaves no checkpoints."""

    def check(self) -> None:
        """Raises InputError where the function cannot be loaded."""
        TrainingProcess(self.function).close()

    def close(self) -> None:
        """End the process that this process has for it."""
        _close()

    def _seconds(self, budget: float) -> float | None:
        if self.timeout is None and self.ladder.unit == "seconds":
            return TIMEOUT_BUDGETS * budget + GRACE
        return self.timeout

    def _outcome(self, returned: Returned) -> tuple[Status, str, Numbers, Numbers]:
        """Status, reason, metrics and extras."""
        seconds = {"wall_seconds": returned.seconds, "training_seconds": returned.seconds}
        measured: Numbers = {**seconds, "peak_memory": returned.peak_memory}
        known = {name: value for name, value in measured.items() if name in self.task.by_name}
        status, reason, metrics = returned.status, returned.reason, dict(returned.metrics)
        if returned.refused is not None:
            raise returned.refused
        if status is Status.OK:
            objective = self.task.objective.name
            if self.task.objective.default is None and objective not in {**metrics, **known}:
                expected = f"{objective} among them{_OTHERS}"
                raise InputError(f"returned by {self.function.name}", ", ".join(metrics), expected)
            try:
                found = {m.name: _checked(m, metrics, known) for m in self.task.metrics if _there(m, metrics, known)}
                extras = {name: float(value) for name, value in metrics.items() if name not in self.task.by_name}
                return status, "", found, extras
            except InputError as error:
                status, reason = Status.CRASHED, str(error)
            if not math.isfinite(metrics.get(objective, 0.0)):
                status, reason = Status.DIVERGED, f"{objective} is {metrics[objective]}"
        return status, reason, {**failed(self.task.metrics), **known}, {}


def _there(metric: Metric, returned: Numbers, measured: Numbers) -> bool:
    """Whether the function must have returned it: what has a default need not be there."""
    return metric.name in returned or metric.name in measured or metric.default is None


def _checked(metric: Metric, returned: Numbers, measured: Numbers) -> float | int:
    value = returned.get(metric.name, measured.get(metric.name))
    if value is None:
        raise InputError("returned", ", ".join(returned), f"{metric.name} among them{_OTHERS}")
    low, high = metric.bounds
    if not math.isfinite(value) or not low <= value <= high or (metric.whole and value != int(value)):
        raise InputError(f"{metric.name} that was returned", value, metric.range)
    return int(value) if metric.whole else float(value)


def curve_of(reports: Sequence[Reported], unit: str) -> Curve:
    """The learning curve of what was reported. `epochs` are those that a report names, or as many as its budget's unit
    says, else its number, from 1 on."""
    chosen = np.unique(np.linspace(0, len(reports) - 1, CURVE_POINTS).astype(int)).tolist() if reports else []
    kept = [(place + 1, reports[place].seconds, dict(reports[place].metrics)) for place in chosen]
    epochs = tuple(_spent(metrics, unit, number) for number, _, metrics in kept)
    names = dict.fromkeys(name for *_, metrics in kept for name in metrics)
    values = {name: tuple(float(metrics.get(name, math.nan)) for *_, metrics in kept) for name in names}
    known = {name: values.pop(name) for name in ("training_loss", "validation_error") if _fits(name, values)}
    return Curve(tuple(seconds for _, seconds, _ in kept), epochs, **known, metrics=values)


def _spent(metrics: Numbers, unit: str, number: int) -> float:
    said = metrics.pop(unit, metrics.pop("epochs", None))
    return float(number) if said is None or not 0 <= said < math.inf else float(said)


def _fits(name: str, values: dict[str, tuple[float, ...]]) -> bool:
    """Whether all values are such as the curve of a training of ours has."""
    low, high = METRICS[name].bounds if name in METRICS else (-math.inf, math.inf)
    return name in values and all(low <= value <= high for value in values[name])


#: The process of this worker, and what it was made for.
_KEPT: dict[tuple[OwnFunction, Path | None], TrainingProcess] = {}


def _process(function: OwnFunction, folder: Path | None) -> TrainingProcess:
    """The one that is there, or a new one where it has been ended."""
    made = _KEPT.get((function, folder))
    if made is not None and made.alive:
        return made
    _close()
    output = None if folder is None else folder / OUTPUT / f"{socket.gethostname()}-{os.getpid()}.txt"
    made = _KEPT[function, folder] = TrainingProcess(function, output)
    return made


def _close() -> None:
    for made in _KEPT.values():
        made.close()
    _KEPT.clear()
