"""The best configurations as lines through all hyperparameters, coloured by what they reached."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

if TYPE_CHECKING:
    from pandas import DataFrame

#: Configurations that are drawn at most, the share of all that they are at most, and the fewest that show anything.
BEST, SHARE, FEWEST = 50, 0.25, 5

#: Groups of one colour each, from the best on: Viridis, which colour-blind readers see as a ramp of lightness.
_COLOURS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#c8d21c")


def parallel_coordinates(evidence: Evidence) -> Exhibit:
    name, title = "parallel_coordinates", "The best configurations, side by side"
    best = best_configurations(evidence)
    if len(best) < FEWEST:
        why = f"{counted(len(best), 'configuration')} ended ok at one budget; this needs {FEWEST}."
        return Exhibit(name, title, missing=[why])
    label, shown = evidence.objective.label, evidence.objective.shown
    spread = unit_spread(evidence.unit_rows(best))
    names = evidence.task.space.names
    settled = [names[k] for k in np.argsort(spread, kind="stable")[:3]]
    words = (
        f"The {len(best)} configurations with the best {label} after {evidence.amount(int(best['rung'].iloc[0]))} "
        f"({shown(float(best['value'].iloc[0]))} to {shown(float(best['value'].iloc[-1]))}; means over seeds), each a "
        "line from the lower to the upper end of every range; the darker, the better. They agree most on "
        f"{', '.join(settled[:-1])} and {settled[-1]}, of which the middle half takes "
        f"{', '.join(f'{spread[names.index(one)]:.0%}' for one in settled)} of the range."
    )
    figure = Figure(name, "", lambda: _draw(evidence, best), 110 + 30 * len(names))
    return Exhibit(name, title, [words], [figure])


def best_configurations(evidence: Evidence, count: int = BEST) -> "DataFrame":
    """A row each, the best first, at the largest rung at which FEWEST configurations ended ok; `value` is the mean over
    a configuration's evaluations there."""
    ok = evidence.ok
    per_rung = ok.groupby("rung")["group"].nunique()
    enough = per_rung[per_rung >= FEWEST]
    if not len(enough):
        return ok.head(0)
    own = ok[ok["rung"] == enough.index.max()]
    means = own.groupby("group")["value"].mean()
    first = own.drop_duplicates("group").assign(value=lambda frame: frame["group"].map(means))
    order = np.argsort(evidence.objective.losses(first["value"]), kind="stable")
    best: DataFrame = first.iloc[order[: min(count, max(FEWEST, round(SHARE * len(order))))]]
    return best


def unit_spread(points: FloatArray) -> FloatArray:
    """How much of the range the middle half of the points takes, by dimension."""
    low, high = np.quantile(points, [0.25, 0.75], axis=0)
    return np.asarray(high - low)


def _draw(evidence: Evidence, best: "DataFrame") -> Any:
    import plotly.graph_objects as go

    space, figure = evidence.task.space, go.Figure()
    rows = list(range(len(space.names)))
    points, values = evidence.unit_rows(best), best["value"].to_numpy(float)
    parts = np.array_split(np.arange(len(best)), min(len(_COLOURS), len(best)))
    shown = evidence.objective.shown
    # The best above the others.
    for rank, (colour, part) in reversed(list(enumerate(zip(_COLOURS, parts, strict=False)))):
        x, y, text = list[float | None](), list[int | None](), list[float | None]()
        for k in part.tolist():
            x += [*points[k].tolist(), None]
            y += [*rows, None]
            text += [values[k]] * len(rows) + [None]
        ends = values[part[0]], values[part[-1]]
        figure.add_scatter(
            x=x,
            y=y,
            customdata=text,
            mode="lines",
            line={"color": colour, "width": 1.4},
            opacity=0.75,
            name=f"{shown(ends[0])} to {shown(ends[1])}",
            legendrank=rank + 1,
            hovertemplate=hover(evidence.objective, "customdata") + "<extra></extra>",
        )
    figure.update_xaxes(title_text="place in the range", tickformat=".0%")
    names = [f"{h.name} ({h.low:g} to {h.high:g})" for h in space.hyperparameters]
    figure.update_yaxes(tickvals=rows, ticktext=names, range=[len(rows) - 0.5, -0.5])
    return figure
