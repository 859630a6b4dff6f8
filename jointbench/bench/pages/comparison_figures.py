"""The plots of a comparison over time: the incumbent's errors, mean ranks, normalised regret."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jointbench.bench.comparing.trajectories import Runs, band, best_value, objective_of, ranks_over_time
from jointbench.bench.drawing.axes import metric_axis, number_axis, time_unit
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.coinciding import coinciding_words, overlays
from jointbench.data.arrays import FloatArray
from jointbench.data.metrics import Metric
from jointbench.data.pareto import HYPERVOLUME

#: Fraction of the colour that a band shows.
BAND = 0.13

#: Errors are drawn from here on, since 0 has no logarithm.
LEAST_ERROR = 1e-4

Looks = Mapping[str, Style]


def error_figure(runs: Runs, look: Looks, grid: FloatArray, clock: str, metric: Metric | None = None) -> Any:
    """Median and interquartile band of a metric of the incumbent, by default the objective, without noise, at times
    (seconds)."""
    import plotly.graph_objects as go

    shown = objective_of(runs) if metric is None else metric
    bands = {name: tuple(_drawn(shown, one) for one in band(several, grid, shown)) for name, several in runs.items()}
    figure = _lines({name: median for name, (_, median, _) in bands.items()}, look, grid)
    figure.update_traces(hovertemplate=f"%{{y:{shown.written}}}")
    behind = []
    for name, (lower, _, upper) in bands.items():
        known = ~np.isnan(lower)
        x, line = grid[known] / time_unit(grid[-1])[1], {"width": 0, "shape": "hv"}
        hidden = {"legendgroup": name, "showlegend": False, "hoverinfo": "skip", "mode": "lines", "x": x, "line": line}
        behind.append(go.Scatter(y=upper[known], **hidden))
        fill = {"fill": "tonexty", "fillcolor": look[name].faded(BAND)}
        behind.append(go.Scatter(y=lower[known], **fill, **hidden))
    # All lines above all bands.
    figure = go.Figure([*behind, *figure.data])
    every = np.concatenate([values for several in bands.values() for values in several])
    figure.update_xaxes(**_time_axis(runs, grid, clock))
    whose = "front" if shown == HYPERVOLUME else "incumbent"
    figure.update_yaxes(title_text=f"{whose}'s {shown.axis}", **metric_axis(shown, every))
    figure.update_layout(hovermode="x unified")
    return figure


def _drawn(metric: Metric, values: FloatArray) -> FloatArray:
    return np.maximum(values, LEAST_ERROR) if metric.fraction and not metric.maximize else values


def coinciding_lines(runs: Runs, grid: FloatArray) -> str:
    """Which optimizers' medians coincide for long, in a sentence; empty where none do."""
    return coinciding_words({name: band(several, grid)[1] for name, several in runs.items()}, grid)


def rank_figure(runs: Runs, look: Looks, grid: FloatArray, clock: str) -> Any:
    """Mean rank over the shared seeds at times (seconds)."""
    figure = _lines(ranks_over_time(runs, grid), look, grid)
    figure.update_traces(hovertemplate="%{y:.2f}")
    figure.update_xaxes(**_time_axis(runs, grid, clock))
    figure.update_yaxes(title_text="mean rank", range=[len(runs) + 0.15, 0.85], dtick=1)
    figure.update_layout(hovermode="x unified")
    return figure


def regret_figure(runs: Runs, look: Looks, grid: FloatArray, clock: str, guessing: float | None) -> Any:
    """Median of the normalised regret of the objective: 1 is guessing, or where nobody knows what that gives the worst
    incumbent of all, 0 the best."""
    objective = objective_of(runs)
    least = objective.loss(best_value(runs))
    medians = {name: objective.losses(band(several, grid)[1]) for name, several in runs.items()}
    if guessing is None:
        most = max(float(np.nanmax(run.losses)) for several in runs.values() for run in several)
    else:
        most = objective.loss(guessing)
    regrets = {name: (median - least) / max(most - least, 1e-12) for name, median in medians.items()}
    figure = _lines(regrets, look, grid)
    figure.update_traces(hovertemplate="%{y:.3f}")
    figure.update_xaxes(**_time_axis(runs, grid, clock))
    figure.update_yaxes(title_text="normalised regret", **number_axis(np.concatenate(list(regrets.values()))))
    figure.update_layout(hovermode="x unified")
    return figure


def _lines(values: Mapping[str, FloatArray], look: Looks, grid: FloatArray) -> Any:
    """Steps: a value holds until the next one."""
    import plotly.graph_objects as go

    figure, x = go.Figure(), grid / time_unit(grid[-1])[1]
    # The first on top, as `overlays` has it, and first in the legend.
    for rank, (name, y) in reversed(list(enumerate(values.items(), start=1))):
        line = {"color": look[name].colour, "dash": look[name].dash, "width": 2.5, "shape": "hv"}
        figure.add_scatter(x=x, y=y, name=name, legendgroup=name, legendrank=rank, mode="lines", line=line)
    figure.add_traces(list(overlays(values, x, look)))
    return figure


def _time_axis(runs: Runs, grid: FloatArray, clock: str) -> dict[str, Any]:
    """From the time at which the first optimizer has a median."""
    unit, seconds = time_unit(grid[-1])
    begins = min(grid[np.argmax(~np.isnan(band(several, grid)[1]))] for several in runs.values())
    return {
        "title_text": f"{clock}, {unit}",
        "hoverformat": ".3~g",
        **number_axis([begins / seconds, grid[-1] / seconds]),
    }
