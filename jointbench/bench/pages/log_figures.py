"""The plots of a log: every training over time, learning curves, error against size and time, failures by cause."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from jointbench.bench.drawing.axes import metric_axis, number_axis, time_unit
from jointbench.bench.drawing.palette import BLACK, rung_colour
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric

T = TypeVar("T")

#: Learning curves and points drawn of a budget at most: more would hide one another and slow a browser down.
MOST_CURVES, MOST_POINTS = 60, 2000


def every_evaluation(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> Any:
    """The objective of each evaluation when it ended, by budget; where nobody knows when, in the order of the log."""
    ends = np.array([e.finished_at for e in evaluations])
    began = min((e.finished_at - e.wall_seconds for e in evaluations), default=0.0)
    unit, seconds = time_unit(float(ends.max(initial=began) - began))
    place = {id(e): number for number, e in enumerate(evaluations, start=1)}
    dated = is_dated(evaluations)

    def when(e: Evaluation) -> float:
        return (e.finished_at - began) / seconds if dated else place[id(e)]

    figure = _by_budget(log, evaluations, when)
    largest = [e for e in evaluations if e.ok and log.ladder.place_of(e.budget) == len(log.ladder.rungs) - 1]
    objective = log.task.objective
    so_far: np.ufunc = np.maximum if objective.maximize else np.minimum
    if largest:
        figure.add_scatter(
            x=[when(e) for e in largest],
            y=so_far.accumulate([_value(log, e) for e in largest]),
            mode="lines",
            line={"color": BLACK, "shape": "hv", "width": 2},
            name="highest so far" if objective.maximize else "lowest so far",
            hovertemplate=f"%{{y:{objective.written}}}",
        )
    title = f"time since the first training began, {unit}" if dated else "evaluation, in the order of the log"
    figure.update_xaxes(title_text=title)
    return figure


def is_dated(evaluations: Sequence[Evaluation]) -> bool:
    """Whether it is known when they ended, as of an imported table it is not."""
    return any(e.finished_at for e in evaluations)


def against_parameters(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> Any:
    """The objective of each training against its network's size, by budget."""
    figure = _by_budget(log, evaluations, lambda e: e.parameters)
    figure.update_xaxes(title_text="parameters", ticktext=None, tickvals=None, dtick=1, tickformat="~s")
    return figure


def against_seconds(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> Any:
    """The objective of each training against the time that it took, by budget."""
    unit, seconds = time_unit(max(map(seconds_taken, evaluations), default=0.0))
    figure = _by_budget(log, evaluations, lambda e: seconds_taken(e) / seconds)
    figure.update_xaxes(title_text=f"{unit} from start to finish")
    return figure


def seconds_taken(evaluation: Evaluation) -> float:
    """From start to finish; of a table that has no such seconds those of the training, 0 where nothing is known."""
    return evaluation.duration or evaluation.training_seconds


def learning_curves(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> Any:
    """Validation error, else the objective, on the way through each training, by budget; None where none was reported
    more than once."""
    import plotly.graph_objects as go

    metric, in_seconds = log.task.followed, log.ladder.unit == "seconds"
    figure, spent, values = go.Figure(), list[float](), list[float]()
    for index, rung in enumerate(log.ladder.rungs):
        curves = [e.curve for e in _of_rung(log, evaluations, index) if len(e.curve.of(metric.name)) > 1]
        x, y = list[float | None](), list[float | None]()
        for curve in _thinned(curves, MOST_CURVES):
            x += [*(curve.seconds if in_seconds else curve.epochs), None]
            y += [*(_shown(log, metric, value) for value in curve.of(metric.name)), None]
        if x:
            figure.add_scatter(
                x=x,
                y=y,
                mode="lines",
                line={"color": rung_colour(index), "width": 1.2},
                opacity=0.55,
                name=log.ladder.amount(rung),
                hovertemplate=f"%{{y:{metric.written}}}",
            )
        spent += [one for one in x if one is not None]
        values += [one for one in y if one is not None]
    if not spent:
        return None
    figure.update_xaxes(title_text=f"{log.ladder.unit} of training", **number_axis(spent))
    figure.update_yaxes(title_text=metric.axis, **metric_axis(metric, values))
    return figure


def failures_by_cause(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> Any:
    """How many trainings of each budget ended how, other than well; None where none did."""
    import plotly.graph_objects as go

    failed = Counter((e.status.value.replace("_", " "), log.ladder.place_of(e.budget)) for e in evaluations if not e.ok)
    statuses = [status for status, _ in Counter({s: n for (s, _), n in sorted(failed.items())}).most_common()]
    if not failed:
        return None
    figure = go.Figure()
    for index, rung in enumerate(log.ladder.rungs):
        counts = [failed[status, index] for status in statuses]
        if any(counts):
            name = log.ladder.amount(rung)
            figure.add_bar(
                y=statuses,
                x=counts,
                orientation="h",
                name=name,
                marker_color=rung_colour(index),
                hovertemplate="%{x:,}",
            )
    figure.update_layout(barmode="stack", showlegend=True, bargap=0.4, legend_traceorder="normal")
    figure.update_xaxes(title_text="trainings that failed", rangemode="tozero", tickformat=",~r")
    # From the top down.
    figure.update_yaxes(autorange="reversed")
    return figure


def causes(evaluations: Iterable[Evaluation]) -> list[tuple[str, str, int]]:
    """How trainings failed, why, and how often, the most frequent first; numbers in a reason are left open."""
    found = Counter((e.status.value.replace("_", " "), _NUMBER.sub("N", e.reason)) for e in evaluations if not e.ok)
    return [
        (status, reason, count) for (status, reason), count in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    ]


#: As people and Python write it: 1,024, 0.5, 3e-05.
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?\b")


def _by_budget(log: EvaluationLog, evaluations: Sequence[Evaluation], x_of: Callable[[Evaluation], float]) -> Any:
    """A point a training that ended well: its objective against `x_of` it, above 0."""
    import plotly.graph_objects as go

    objective = log.task.objective

    figure, spans, values = go.Figure(), list[float](), list[float]()
    for index, rung in enumerate(log.ladder.rungs):
        own = _thinned(_of_rung(log, evaluations, index), MOST_POINTS)
        x, y = [x_of(e) for e in own], [_value(log, e) for e in own]
        figure.add_scatter(
            x=x,
            y=y,
            mode="markers",
            marker={"size": 6, "opacity": 0.6, "color": rung_colour(index)},
            name=log.ladder.amount(rung),
            hovertemplate=f"%{{y:{objective.written}}}",
        )
        spans += x
        values += y
    figure.update_xaxes(**number_axis(spans))
    figure.update_yaxes(title_text=objective.axis, **metric_axis(objective, values))
    return figure


def _of_rung(log: EvaluationLog, evaluations: Iterable[Evaluation], index: int) -> list[Evaluation]:
    """Those of a budget that ended well."""
    return [e for e in evaluations if e.ok and log.ladder.place_of(e.budget) == index]


def _thinned(several: Sequence[T], most: int) -> list[T]:
    """All, or `most` of them at equal distances."""
    if len(several) <= most:
        return list(several)
    return [several[index] for index in np.linspace(0, len(several) - 1, most).astype(int)]


def _value(log: EvaluationLog, evaluation: Evaluation) -> float:
    """The objective as it is drawn."""
    objective = log.task.objective
    return _shown(log, objective, evaluation.metrics[objective.name])


def _shown(log: EvaluationLog, metric: Metric, value: float) -> float:
    """An error of 0 has no logarithm, and is drawn at half an image."""
    if not metric.fraction or metric.maximize or log.task.images is None:
        return value
    return max(value, 0.5 / log.task.images.validation)
