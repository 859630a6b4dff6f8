"""The plots of a comparison over time: the incumbent's errors, mean ranks, normalised regret."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jointbench.bench.comparing.trajectories import Runs, band, lowest_error, ranks_over_time
from jointbench.bench.drawing.axes import error_axis, number_axis, time_unit
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.coinciding import coinciding_words, overlays
from jointbench.data.arrays import FloatArray

#: Fraction of the colour that a band shows.
BAND = 0.13

#: Errors are drawn from here on, since 0 has no logarithm.
LEAST_ERROR = 1e-4

Looks = Mapping[str, Style]


def error_figure(runs: Runs, look: Looks, grid: FloatArray, clock: str, *, test: bool = False) -> Any:
    """Median and interquartile band of the incumbent's true validation (or test) error at times (seconds)."""
    import plotly.graph_objects as go

    bands = {name: band(several, grid, test=test) for name, several in runs.items()}
    figure = _lines({name: np.maximum(median, LEAST_ERROR) for name, (_, median, _) in bands.items()}, look, grid)
    figure.update_traces(hovertemplate="%{y:.2%}")
    behind = []
    for name, (lower, _, upper) in bands.items():
        known = ~np.isnan(lower)
        x, line = grid[known] / time_unit(grid[-1])[1], {"width": 0, "shape": "hv"}
        hidden = {"legendgroup": name, "showlegend": False, "hoverinfo": "skip", "mode": "lines", "x": x, "line": line}
        behind.append(go.Scatter(y=np.maximum(upper, LEAST_ERROR)[known], **hidden))
        fill = {"fill": "tonexty", "fillcolor": look[name].faded(BAND)}
        behind.append(go.Scatter(y=np.maximum(lower, LEAST_ERROR)[known], **fill, **hidden))
    # All lines above all bands.
    figure = go.Figure([*behind, *figure.data])
    every = np.concatenate([values for several in bands.values() for values in several])
    figure.update_xaxes(**_time_axis(runs, grid, clock))
    figure.update_yaxes(
        title_text=f"incumbent's {'test' if test else 'validation'} error", **error_axis(np.maximum(every, LEAST_ERROR))
    )
    figure.update_layout(hovermode="x unified")
    return figure


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


def regret_figure(runs: Runs, look: Looks, grid: FloatArray, clock: str, guessing: float) -> Any:
    """Median of the normalised regret of the validation error: 1 is guessing, 0 the lowest error of any incumbent."""
    least = lowest_error(runs)
    medians = {name: band(several, grid)[1] for name, several in runs.items()}
    regrets = {name: (median - least) / max(guessing - least, 1e-12) for name, median in medians.items()}
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
