"""The distribution of the objective at each budget: the empirical CDF, as papers on network design spaces draw it.

Radosavovic et al., *On Network Design Spaces for Visual Recognition*, 2019. The band is that of Dvoretzky, Kiefer and
Wolfowitz with Massart's constant: with a chance of 95 % the whole true curve lies in it.
"""

from typing import Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.resampling import LEVEL
from jointbench.bench.drawing.axes import share_axis
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

#: Quantiles of the table.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

#: Evaluations at a budget below which no curve is drawn.
FEWEST = 10


def empirical_cdf(values: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """The values in order (n,), the share of values at most as large as each (n,), and half the height of the band."""
    ordered = np.sort(values)
    shares = np.searchsorted(ordered, ordered, side="right") / len(values)
    return ordered, shares, float(np.sqrt(np.log(2 / LEVEL) / (2 * len(values))))


def error_distribution(evidence: Evidence) -> Exhibit:
    label = evidence.objective.label
    name, title = "error_distribution", f"The distribution of the {label} at each budget"
    found, missing = dict[int, FloatArray](), list[str]()
    for index in range(len(evidence.rungs)):
        values = evidence.ok.loc[evidence.ok["rung"] == index, "value"].to_numpy(float)
        if len(values) >= FEWEST:
            found[index] = values
        else:
            missing.append(
                f"{counted(len(values), 'evaluation')} of {evidence.amount(index)} ended ok; "
                f"a distribution needs {FEWEST}."
            )
    if not found:
        return Exhibit(name, title, missing=missing)
    shown, rows = evidence.objective.shown, list[list[str]]()
    numbers: dict[str, list[Any]] = {"budget": [], "n": []}
    for index, values in found.items():
        quantiles = np.quantile(values, QUANTILES)
        rows.append([evidence.amount(index), f"{len(values):,}", *(shown(one) for one in quantiles)])
        numbers["budget"].append(evidence.rungs[index])
        numbers["n"].append(len(values))
        for share, one in zip(QUANTILES, quantiles.tolist(), strict=True):
            numbers.setdefault(f"quantile_{share:g}", []).append(one)
    words = (
        f"The share of evaluations that ended ok with a {label} at most as large, by budget, with 95 % bands. They are "
        "those that were trained, and searches choose: promoted configurations are better than random ones."
    )
    headings = ["budget", "n", *(f"{share:.0%} are below" for share in QUANTILES)]
    table = Table(name, title, headings, rows, numbers, ("budget",))
    return Exhibit(name, title, [words], [Figure(name, "", lambda: _draw(evidence, found), 420)], [table], missing)


def _draw(evidence: Evidence, found: dict[int, FloatArray]) -> Any:
    import plotly.graph_objects as go

    lines, bands = list[Any](), list[Any]()
    for index, values in found.items():
        ordered, shares, half = empirical_cdf(values)
        x, group = evidence.drawn(ordered), evidence.amount(index)
        line = {"width": 0, "shape": "hv"}
        hidden = {"x": x, "mode": "lines", "line": line, "legendgroup": group, "showlegend": False, "hoverinfo": "skip"}
        bands.append(go.Scatter(y=np.minimum(shares + half, 1), **hidden))
        red, green, blue = (int(rung_colour(index)[k : k + 2], 16) for k in (1, 3, 5))
        bands.append(
            go.Scatter(
                y=np.maximum(shares - half, 0), fill="tonexty", fillcolor=f"rgba({red},{green},{blue},0.13)", **hidden
            )
        )
        lines.append(
            go.Scatter(
                x=x,
                y=shares,
                mode="lines",
                line={"color": rung_colour(index), "width": 2.2, "shape": "hv"},
                name=group,
                legendgroup=group,
                hovertemplate=f"%{{y:.0%}} at most {hover(evidence.objective, 'x')}",
            )
        )
    figure = go.Figure([*bands, *lines])
    figure.update_xaxes(**metric_axis(evidence.objective, evidence.drawn(np.concatenate(list(found.values())))))
    figure.update_yaxes(title_text="share of evaluations", range=[0, 1.01], **share_axis())
    return figure
