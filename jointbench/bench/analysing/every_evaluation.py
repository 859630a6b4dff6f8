"""The paper's Figure 1: every evaluation over the wall-clock time of its search, and the incumbent as a line."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure
from jointbench.bench.analysing.file_names import plain
from jointbench.bench.drawing.axes import number_axis, time_unit
from jointbench.bench.drawing.palette import BLACK, rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Status
from jointbench.data.quantities import counted, duration

if TYPE_CHECKING:
    from pandas import DataFrame

#: Points drawn of a budget at most, evenly spaced over the log: more would hide one another and slow a browser down.
MOST_POINTS = 2_000

#: The same where each optimizer of a comparison has a figure, half a page wide.
MOST_POINTS_OF_RUNS = 400

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
    """All evaluations with `clock`, the seconds of their run's own clock, in its order, and with `became`, whether one
    became the incumbent of its run."""
    import pandas as pd

    found = evidence.all.copy()
    found["clock"] = 0.0
    for _, own in found.groupby("run"):
        ends, lengths = own["finished_at"].to_numpy(float), own["wall_seconds"].to_numpy(float)
        found.loc[own.index, "clock"] = run_clock(ends, lengths)
    found = found.sort_values("clock", kind="stable")
    ok = found["status"] == Status.OK.value
    losses = pd.Series(np.where(ok, evidence.objective.losses(found["value"]), np.inf), found.index)
    best = losses.groupby(found["run"]).cummin()
    found["became"] = losses < best.groupby(found["run"]).shift(1, fill_value=np.inf)
    return found


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
    if objective.fraction and evidence.task.images is not None and (evidence.ok["value"] <= 0).any():
        words.append(f"A {objective.label} of 0 is drawn at half an image.")
    figure = Figure(name, "", lambda: draw(evidence, frame), 520)
    return Exhibit(name, title, words, [figure])


def every_evaluation_of_runs(compared: Compared) -> Exhibit:
    """Of a comparison: a figure an optimizer, on the clock of its simulated (or real) cluster."""
    name, title = "figure_1", "Figure 1: every evaluation, and the incumbents over time"
    frame = compared.frame
    evidence = Evidence(compared.name, compared.task, frame)
    if not len(evidence.ok):
        return Exhibit(name, title, missing=["No evaluation ended ok."])
    runs = evidence.all.assign(
        clock=frame["end"].astype(float),
        became=frame["incumbent"].astype(bool),
        run=frame["optimizer"] + ", seed " + frame["run_seed"].astype(str),
    ).sort_values("clock", kind="stable")
    objective = evidence.objective
    words = [
        f"{counted(len(runs), 'evaluation')} of {counted(runs['run'].nunique(), 'run')}: the {objective.label} of each "
        "as the optimizer was told it, when it ended, a colour a budget. A line is the incumbent of a run, by what was "
        f"told. {int((runs['status'] != Status.OK.value).sum()):,} failed, marked at the top edge. Of each budget of "
        f"an optimizer, at most {MOST_POINTS_OF_RUNS} are drawn."
    ]
    figures = [
        Figure(f"{name}_{plain(one)}", one, _draw_of(evidence, runs[runs["optimizer"] == one]), 420, half=True)
        for one in compared.optimizers
    ]
    return Exhibit(name, title, words, figures)


def _draw_of(evidence: Evidence, frame: "DataFrame") -> Callable[[], Any]:
    return lambda: draw(evidence, frame, MOST_POINTS_OF_RUNS)


def draw(evidence: Evidence, frame: "DataFrame", most: int = MOST_POINTS) -> Any:
    """Points (of each budget `most` at most), failures at the top edge, and a line a run; `frame` as `with_clock` gives
    it."""
    import plotly.graph_objects as go

    objective, figure = evidence.objective, go.Figure()
    unit, seconds = time_unit(float(frame["clock"].max()))
    ok = frame[frame["status"] == Status.OK.value]
    drawn = evidence.drawn(ok["value"])
    # An optimizer may have failures alone.
    largest = float(drawn.max()) if len(drawn) else 1.0
    top = (max(1.0, largest) if objective.fraction else largest) * _TOP
    for index in range(len(evidence.rungs)):
        own = thinned(ok[ok["rung"] == index], most)
        if len(own):
            figure.add_scatter(
                x=own["clock"] / seconds,
                y=evidence.drawn(own["value"]),
                mode="markers",
                marker={"size": 6, "opacity": 0.6, "color": rung_colour(index)},
                name=evidence.amount(index),
                hovertemplate=hover(objective),
            )
    lost = thinned(frame[frame["status"] != Status.OK.value], most)
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
        steps = own[own["became"]]
        if not len(steps):
            continue
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


def thinned(own: "DataFrame", most: int = MOST_POINTS) -> "DataFrame":
    if len(own) <= most:
        return own
    return own.iloc[np.linspace(0, len(own) - 1, most).astype(int)]
