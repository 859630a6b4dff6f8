"""Trainings by a function of a person's own: where they run, and by what."""

from collections.abc import Callable

from jointbench.bench.calls.given import above_zero
from jointbench.bench.calls.workers import WorkerOptions, Workers
from jointbench.bench.collecting.collection import Trained
from jointbench.bench.running.function_objective import FunctionObjective
from jointbench.bench.running.own_function import Function, OwnFunction
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.log import EvaluationLog
from jointbench.data.task import Task


def own_trainings(
    objective: str | Function, task: Task, timeout: float | None, workers: WorkerOptions
) -> tuple[OwnFunction, Workplace, Callable[[EvaluationLog], Trained]]:
    """The function, which can be loaded, the place, and what trains into a log. Raises InputError."""
    how = Workers.of(**workers)
    place = how.for_function()
    seconds = None if timeout is None else above_zero("timeout", timeout)
    function = OwnFunction.of(objective)

    def on(log: EvaluationLog) -> Trained:
        return FunctionObjective(function, log.task, seconds, how.memory, log.path)

    FunctionObjective(function, task).check()
    return function, place, on
