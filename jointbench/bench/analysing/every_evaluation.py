"""The paper's Figure 1: every evaluation over the wall-clock time of its search, and the incumbent as a line."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure
from jointbench.bench.drawing.axes import number_axis, time_unit
from jointbench.bench.drawing.palette import BLACK, rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Status
from jointbench.data.quantities import counted, duration

if TYPE_CHECKING:
    from pandas import DataFrame

#: Points drawn of a budget at most, evenly spaced over the log: more would hide one another and slow a browser down.
MOST_POINTS = 2_000

#: Above the largest value, where failures are marked, as a factor.
_TOP = 1.25


def run_clock(ends: FloatArray, lengths: FloatArray) -> FloatArray:
    """When each evaluation ended by its run's own clock, seconds (n,): the time in which at least one evaluation was
    under way. A run that was stopped and went on a day later is no day longer for it.

    `ends`: seconds since any moment (n,); `lengths`: how long each took (n,).
    """
    begins = ends - np.maximum(lengths, 0.0)
    order = np.argsort(begins, kind="stable")
    spans = list[list[float]]()
    for begin, end in zip(begins[order].tolist(), ends[order].tolist(), strict=True):
        if spans and begin <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([begin, end])
    first, last = np.array(spans).reshape(-1, 2).T
    before = np.concatenate([[0.0], np.cumsum(last - first)])
    span = np.searchsorted(first, ends, side="right") - 1
    return np.asarray(before[span] + ends - first[span])


def with_clock(evidence: Evidence) -> "DataFrame":
    """All evaluations with `clock`, the seconds of their run's own clock, in its order."""
    found = evidence.all.copy()
    found["clock"] = 0.0
    for _, own in found.groupby("run"):
        ends, lengths = own["finished_at"].to_numpy(float), own["wall_seconds"].to_numpy(float)
        found.loc[own.index, "clock"] = run_clock(ends, lengths)
    return found.sort_values("clock", kind="stable")


def every_evaluation(evidence: Evidence) -> Exhibit:
    name, title = "figure_1", "Figure 1: every evaluation, and the incumbent over time"
    if evidence.frame is None or not len(evidence.ok):
        why = "No evaluation that ended ok is here: `jointbench collect` makes a log of some."
        return Exhibit(name, title, missing=[why])
    if "wall_seconds" not in evidence.frame:
        why = "The evaluations do not say how long they took (`wall_seconds`), which the time of a run follows from."
        return Exhibit(name, title, missing=[why])
    frame = with_clock(evidence)
    failed, runs = int((frame["status"] != Status.OK.value).sum()), frame["run"].nunique()
    best, objective = evidence.incumbent, evidence.objective
    assert best is not None
    words = [
        f"{counted(len(frame), 'evaluation')} of {counted(runs, 'run')}: the {objective.label} of each when it ended, "
        "by its run's own clock (the time in which anything was being trained), a colour a budget. "
        f"The line is the incumbent of each run, the best {objective.label} that it had seen. "
        f"{failed:,} failed, marked at the top edge. "
        f"The longest run took {duration(float(frame['clock'].max()))}.",
    ]
    largest = frame["rung"].value_counts().max()
    if largest > MOST_POINTS:
        words.append(f"Of a budget with more than {MOST_POINTS:,} evaluations, {MOST_POINTS:,} are drawn.")
    if objective.fraction and evidence.task.images is not None:
        words.append(f"A {objective.label} of 0 is drawn at half an image.")
    figure = Figure(name, "", lambda: draw(evidence, frame), 520)
    return Exhibit(name, title, words, [figure])


def draw(evidence: Evidence, frame: "DataFrame") -> Any:
    """Points, failures at the top edge, and a line a run."""
    import plotly.graph_objects as go

    objective, figure = evidence.objective, go.Figure()
    unit, seconds = time_unit(float(frame["clock"].max()))
    ok = frame[frame["status"] == Status.OK.value]
    drawn = evidence.drawn(ok["value"])
    top = float(drawn.max()) * _TOP if not objective.fraction else max(1.0, float(drawn.max())) * _TOP
    for index in range(len(evidence.rungs)):
        own = thinned(ok[ok["rung"] == index])
        if len(own):
            figure.add_scatter(
                x=own["clock"] / seconds,
                y=evidence.drawn(own["value"]),
                mode="markers",
                marker={"size": 6, "opacity": 0.6, "color": rung_colour(index)},
                name=evidence.amount(index),
                hovertemplate=hover(objective),
            )
    lost = frame[frame["status"] != Status.OK.value]
    if len(lost):
        figure.add_scatter(
            x=np.maximum(lost["clock"] / seconds, 1e-6),
            y=np.full(len(lost), top / _TOP**0.5),
            mode="markers",
            marker={
                "symbol": "x-thin",
                "size": 7,
                "line": {"width": 1.3, "color": [rung_colour(r) for r in lost["rung"]]},
            },
            name="failed",
            text=lost["status"].str.replace("_", " "),
            hovertemplate="%{text}<extra></extra>",
        )
    for number, (run, own) in enumerate(ok.groupby("run")):
        losses = objective.losses(own["value"])
        better = losses < np.concatenate([[np.inf], np.minimum.accumulate(losses)[:-1]])
        steps = own[better]
        x = [*(steps["clock"] / seconds), float(own["clock"].max()) / seconds]
        values = evidence.drawn(steps["value"])
        figure.add_scatter(
            x=x,
            y=[*values, values[-1]],
            mode="lines",
            line={"color": BLACK, "shape": "hv", "width": 1.6},
            name="incumbent of a run",
            legendgroup="incumbent",
            showlegend=not number,
            hovertemplate=f"{run}: {hover(objective)}<extra></extra>",
        )
    axis = metric_axis(objective, [*drawn, top] if len(lost) else drawn)
    figure.update_yaxes(**axis)
    figure.update_xaxes(title_text=f"wall-clock time of the search, {unit}", **number_axis(frame["clock"] / seconds))
    return figure


def thinned(own: "DataFrame") -> "DataFrame":
    if len(own) <= MOST_POINTS:
        return own
    return own.iloc[np.linspace(0, len(own) - 1, MOST_POINTS).astype(int)]
