"""How the quality of an optimizer's proposals develops: what the benchmark expects of them, whatever their budget."""

from typing import Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.resampling import mean_interval
from jointbench.bench.drawing.axes import time_unit
from jointbench.data.arrays import FloatArray

#: Spans of time over which quantiles are taken, and evaluations in one below which none are.
SPANS, FEWEST = 20, 5

#: Errors are drawn from here on, since 0 has no logarithm.
_LEAST = 1e-4


def proposals(compared: Compared) -> Exhibit:
    name, title = "proposals", "How the quality of proposals develops"
    expected = compared.expected
    if expected is None:
        why = "The benchmark that answered is not there: what it expects of each proposal cannot be asked."
        return Exhibit(name, title, missing=[why])
    longest = float(compared.frame["end"].max())
    edges = np.linspace(0.0, longest, SPANS + 1)
    found = {one: _quantiles(compared, expected, one, edges) for one in compared.optimizers}
    label, shown = compared.objective.label, compared.objective.shown
    rows, numbers, gains = list[list[str]](), dict[str, list[Any]](), dict[str, tuple[float, tuple[float, float]]]()
    for one in compared.optimizers:
        first, last = _halves(compared, expected, one)
        difference = last - first
        interval = mean_interval(difference)
        gains[one] = float(difference.mean()), interval
        rows.append([one, shown(first.mean()), shown(last.mean()), _signed(shown, difference.mean(), interval)])
        for key, value in (
            ("optimizer", one),
            ("first_quarter", float(first.mean())),
            ("last_quarter", float(last.mean())),
            ("difference", float(difference.mean())),
            ("difference_low", interval[0]),
            ("difference_high", interval[1]),
        ):
            numbers.setdefault(key, []).append(value)
    worse = -1 if compared.objective.maximize else 1
    # Whose interval lies wholly on the better side.
    better = [one for one, (_, ends) in gains.items() if max(worse * end for end in ends) < 0]
    if better:
        best = min(better, key=lambda one: worse * gains[one][0])
        finding = (
            f"Proposals of {best} improve most: the {label} that is expected of them at the largest budget changes by "
            f"{_signed(shown, gains[best][0], gains[best][1], '95 % interval ')} from the first to the last quarter "
            "of a run."
        )
    else:
        finding = (
            "No optimizer's proposals are shown to improve from the first to the last quarter of a run: every 95 % "
            "interval of the change holds 0 or has one run only."
        )
    words = (
        "What the benchmark expects of each proposed configuration at the largest budget, whatever budget it was "
        f"tried at: the median over all runs in {SPANS} spans of time, with a band over the middle half. The table "
        "has the means over runs of their medians in the first and the last quarter of the evaluations, and the "
        "difference with its 95 % interval (Student's, over runs)."
    )
    headings = ["optimizer", "first quarter", "last quarter", "difference"]
    table = Table(name, f"Median expected {label} of proposals", headings, rows, numbers, ("optimizer",))
    figure = Figure(name, "", lambda: _draw(compared, found, edges), 460)
    return Exhibit(name, title, [words], [figure], [table], finding=finding)


def _signed(shown: Any, value: float, interval: tuple[float, float], named: str = "") -> str:
    def one(number: float) -> str:
        return f"{'+' if number >= 0 else '-'}{shown(abs(number))}"

    within = f" ({named}{one(interval[0])} to {one(interval[1])})" if np.isfinite(interval).all() else ""
    return f"{one(value)}{within}"


def _halves(compared: Compared, expected: FloatArray, optimizer: str) -> tuple[FloatArray, FloatArray]:
    """Each run's median in its first and its last quarter, (runs,)."""
    own = compared.frame[compared.frame["optimizer"] == optimizer]
    first, last = [], []
    for _, run in own.groupby("run_seed"):
        values, quarter = expected[run.index], max(1, len(run) // 4)
        first.append(np.median(values[:quarter]))
        last.append(np.median(values[-quarter:]))
    return np.array(first), np.array(last)


def _quantiles(compared: Compared, expected: FloatArray, optimizer: str, edges: FloatArray) -> FloatArray:
    """Lower quartile, median and upper quartile in each span, (3, spans); NaN where there are too few."""
    own = (compared.frame["optimizer"] == optimizer).to_numpy()
    ends_, values = compared.frame["end"].to_numpy(float)[own], expected[own]
    span = np.clip(np.searchsorted(edges, ends_, side="left") - 1, 0, SPANS - 1)
    found = np.full((3, SPANS), np.nan)
    for k in range(SPANS):
        inside = values[span == k]
        if len(inside) >= FEWEST:
            found[:, k] = np.quantile(inside, [0.25, 0.5, 0.75])
    return found


def _draw(compared: Compared, found: dict[str, FloatArray], edges: FloatArray) -> Any:
    import plotly.graph_objects as go

    unit, seconds = time_unit(float(edges[-1]))
    middle, lines, bands = (edges[1:] + edges[:-1]) / 2 / seconds, list[Any](), list[Any]()
    for name, quantiles in found.items():
        low, median, high = (np.maximum(one, _LEAST) if compared.objective.fraction else one for one in quantiles)
        known, style = np.isfinite(median), compared.look[name]
        hidden = {"legendgroup": name, "showlegend": False, "hoverinfo": "skip", "mode": "lines", "x": middle[known]}
        bands.append(go.Scatter(y=high[known], line={"width": 0}, **hidden))
        bands.append(go.Scatter(y=low[known], line={"width": 0}, fill="tonexty", fillcolor=style.faded(0.12), **hidden))
        lines.append(
            go.Scatter(
                x=middle[known],
                y=median[known],
                mode="lines",
                line={"color": style.colour, "dash": style.dash, "width": 2.4},
                name=name,
                legendgroup=name,
                hovertemplate=hover(compared.objective),
            )
        )
    figure = go.Figure([*bands, *lines])
    every = np.concatenate([one[np.isfinite(one)] for one in found.values()])
    title = f"expected {compared.objective.label}"
    figure.update_yaxes(
        **metric_axis(compared.objective, np.maximum(every, _LEAST) if compared.objective.fraction else every, title)
    )
    figure.update_xaxes(title_text=f"time of the search, {unit}")
    figure.update_layout(showlegend=True)
    return figure
