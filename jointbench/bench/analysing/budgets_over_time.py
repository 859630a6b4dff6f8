"""What each optimizer spent its time on: the share of each budget in what was under way, over the search."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.file_names import plain
from jointbench.bench.drawing.axes import share_axis, time_unit
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray

if TYPE_CHECKING:
    from pandas import DataFrame

#: Spans of time in which seconds are added up.
SPANS = 24


def seconds_by_span(starts: FloatArray, ends: FloatArray, edges: FloatArray) -> FloatArray:
    """How many of the seconds from each start to its end (n,) lie in each span between edges (m + 1,), summed: (m,)."""
    low = np.clip(starts[:, None], edges[:-1], edges[1:])
    high = np.clip(ends[:, None], edges[:-1], edges[1:])
    return np.asarray((high - low).sum(axis=0))


def budgets_over_time(compared: Compared) -> Exhibit:
    name, title = "budgets_over_time", "Which budgets each optimizer used, over time"
    longest = float(compared.frame["end"].max()) if len(compared.frame) else 0.0
    if longest <= 0:
        return Exhibit(name, title, missing=["No evaluation took any time."])
    edges, rungs = np.linspace(0.0, longest, SPANS + 1), compared.task.ladder.rungs
    shares = {one: _shares(compared, one, edges) for one in compared.optimizers}
    rows, numbers = list[list[str]](), dict[str, list[Any]]()
    for one in compared.optimizers:
        own = compared.frame["optimizer"] == one
        spent = np.bincount(compared.rung[own], _seconds(compared.frame[own]), minlength=len(rungs))
        counts = np.bincount(compared.rung[own], minlength=len(rungs))
        rows.append([one, *(f"{part:.0%} ({n:,})" for part, n in zip(spent / spent.sum(), counts, strict=True))])
        numbers.setdefault("optimizer", []).append(one)
        for rung, part, n in zip(rungs, (spent / spent.sum()).tolist(), counts.tolist(), strict=True):
            numbers.setdefault(f"share_of_time_{rung:g}", []).append(part)
            numbers.setdefault(f"evaluations_{rung:g}", []).append(n)
    words = (
        "The share of the workers' time that evaluations of each budget took, over the course of the search and over "
        "all runs; below, the whole share, and the number of evaluations in brackets."
    )
    figures = [
        Figure(f"budgets_over_time_{plain(one)}", one, _draw(compared, shares[one], edges), 320, half=True)
        for one in compared.optimizers
    ]
    headings = ["optimizer", *(compared.task.ladder.amount(rung) for rung in rungs)]
    table = Table(name, "Share of time by budget", headings, rows, numbers, ("optimizer",))
    return Exhibit(name, title, [words], figures, [table])


def _seconds(frame: "DataFrame") -> FloatArray:
    return np.asarray((frame["end"] - frame["start"]).to_numpy(float))


def _shares(compared: Compared, optimizer: str, edges: FloatArray) -> FloatArray:
    """Of each rung in each span, (rungs, spans); NaN where nothing was under way."""
    own = (compared.frame["optimizer"] == optimizer).to_numpy()
    starts, ends = (compared.frame[column].to_numpy(float)[own] for column in ("start", "end"))
    rung = compared.rung[own]
    spent = np.array(
        [seconds_by_span(starts[rung == k], ends[rung == k], edges) for k in range(len(compared.task.ladder.rungs))]
    )
    total = spent.sum(axis=0)
    return np.asarray(np.divide(spent, total, out=np.full_like(spent, np.nan), where=total > 0))


def _draw(compared: Compared, shares: FloatArray, edges: FloatArray) -> Callable[[], Any]:
    def drawn() -> Any:
        import plotly.graph_objects as go

        unit, seconds = time_unit(float(edges[-1]))
        middle, figure = (edges[1:] + edges[:-1]) / 2 / seconds, go.Figure()
        known = np.isfinite(shares).all(axis=0)
        for index, share in enumerate(shares):
            if np.nansum(share) > 0:
                figure.add_scatter(
                    x=middle[known],
                    y=share[known],
                    mode="lines",
                    stackgroup="all",
                    line={"width": 0.5, "color": rung_colour(index)},
                    name=compared.task.ladder.amount(compared.task.ladder.rungs[index]),
                    hovertemplate="%{y:.0%}",
                )
        figure.update_xaxes(title_text=f"time, {unit}")
        figure.update_yaxes(title_text="share of time", range=[0, 1], **share_axis())
        figure.update_layout(showlegend=True)
        return figure

    return drawn
