"""What a comparison searches for: the task's own objective, or metrics of the task by their names."""

from collections.abc import Mapping, Sequence

import numpy as np

from jointbench.bench.running.with_facts import Expecting, WithFacts, exact_metrics
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.metrics import METRICS, Metric

#: Configurations that are asked for what metrics there are.
_ASKED = 8


def metrics_there(objective: Expecting) -> Mapping[str, Metric]:
    """Those that the objective's evaluations have, and those that arithmetic knows, by name in the task's order."""
    task, told = objective.task, _told(objective)
    names = [*(name for name in task.by_name if name in told), *exact_metrics(task)]
    return {name: task.by_name.get(name) or METRICS[name] for name in names}


def searched_for(objective: Expecting, names: Sequence[str]) -> tuple[Metric, ...]:
    """The metrics of these names. Raises UnknownNameError for one that the task has not, InputError for one twice."""
    there = metrics_there(objective)
    for name in names:
        if name not in there:
            raise UnknownNameError.of(f"objective on {objective.task.space.name}", name, there)
    if not names or len(set(names)) < len(names):
        raise InputError("objectives", ", ".join(names), "names of metrics, each once")
    return tuple(there[name] for name in names)


def with_exact(objective: Expecting, objectives: Sequence[Metric]) -> Expecting:
    """The objective, measuring also those of the objectives that arithmetic alone knows: surrogates of other tasks than
    ours model no exact metric, though the task has it."""
    images, own = objective.task.images, objective.task.metrics[0]
    known = [metric.name for metric in objectives if metric != own and metric.name in exact_metrics(objective.task)]
    if not known or images is None:
        return objective
    lacking = sorted(set(known) - _told(objective), key=known.index)
    return WithFacts(objective, lacking, images) if lacking else objective


def _told(objective: Expecting) -> set[str]:
    """The metrics that its evaluations have."""
    sampled = objective.space.sample(np.random.default_rng(0), _ASKED)
    return {name for at in sampled for name in objective.expected(at, objective.ladder.maximum).metrics}
