"""How the objective develops in the course of trainings, by budget: the best decile, the median, the worst decile."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure
from jointbench.bench.drawing.axes import number_axis
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.metrics import VALIDATION_ERROR, Metric
from jointbench.data.quantities import counted

if TYPE_CHECKING:
    from pandas import DataFrame

#: Trainings with more than one validation at a budget below which nothing is drawn of it.
FEWEST = 10

#: Points in time at which quantiles are taken.
_GRID = 40

#: From the best to the worst, and plotly's dashes of each.
QUANTILES = {"best decile": (0.1, "dot"), "median": (0.5, "solid"), "worst decile": (0.9, "dash")}


def learning_curves(evidence: Evidence) -> Exhibit:
    name, title = "learning_curves", "Learning curves by budget"
    found, missing = dict[int, tuple[FloatArray, FloatArray, int]](), list[str]()
    if "curve_validation_error" not in evidence.ok:
        return Exhibit(name, title, missing=["There are no trainings, hence no learning curves."])
    for index, _, frame in evidence.by_rung():
        validated = frame[_reported(evidence.task.followed, frame).map(len) > 1]
        if len(validated) < FEWEST:
            missing.append(
                f"{counted(len(validated), 'training')} of {evidence.amount(index)} with more than one validation; "
                f"learning curves need {FEWEST}."
            )
        else:
            grid, curves = quantile_curves(evidence, validated)
            found[index] = grid, curves, len(validated)
    if not found:
        return Exhibit(name, title, missing=missing)
    counts = ", ".join(f"{n:,} of {evidence.amount(index)}" for index, (_, _, n) in found.items())
    words = (
        f"{evidence.task.followed.labels.capitalize()} on the way through trainings ({counts}): at each time the best "
        "decile (dotted), the median and the worst decile (dashed) of those that had begun and not ended, by budget."
    )
    return Exhibit(name, title, [words], [Figure(name, "", lambda: _draw(evidence, found), 460)], (), missing)


def quantile_curves(evidence: Evidence, frame: "DataFrame") -> tuple[FloatArray, FloatArray]:
    """Times (n,) in the ladder's unit, and the quantiles of QUANTILES (3, n) over the trainings that have a curve
    there; NaN where that are fewer than half."""
    column = "curve_seconds" if evidence.task.ladder.unit == "seconds" else "curve_epochs"
    times = [np.asarray(one, dtype=np.float64) for one in frame[column]]
    metric = evidence.task.followed
    values = [np.asarray(one, dtype=np.float64) for one in _reported(metric, frame)]
    first, last = float(np.median([t[0] for t in times])), float(np.median([t[-1] for t in times]))
    grid = np.linspace(min(first, last), last, _GRID)
    # The last of the grid is the median end: half of the trainings are a moment shorter.
    curves = np.array(
        [
            np.interp(grid, t, v, left=np.nan, right=v[-1] if t[-1] > 0.9 * last else np.nan)
            for t, v in zip(times, values, strict=True)
        ]
    )
    known = np.isfinite(curves).mean(axis=0) >= 0.5
    found = np.full((len(QUANTILES), len(grid)), np.nan)
    losses = np.nanquantile(metric.losses(curves[:, known]), [share for share, _ in QUANTILES.values()], axis=0)
    found[:, known] = metric.losses(losses)
    return grid, found


def _reported(metric: Metric, frame: "DataFrame") -> Any:
    """The values (each a list) of a metric on the way through the trainings of a frame."""
    if metric == VALIDATION_ERROR:
        return frame["curve_validation_error"]
    return frame["curve_metrics"].map(lambda pairs: dict(pairs).get(metric.name, ()))


def _draw(evidence: Evidence, found: dict[int, tuple[FloatArray, FloatArray, int]]) -> Any:
    import plotly.graph_objects as go

    figure, metric = go.Figure(), evidence.task.followed
    for index, (grid, curves, _) in found.items():
        for (label, (_, dash)), curve in zip(QUANTILES.items(), curves, strict=True):
            figure.add_scatter(
                x=grid,
                y=_drawn(evidence, curve),
                mode="lines",
                line={"color": rung_colour(index), "dash": dash, "width": 2.4 if label == "median" else 1.6},
                name=evidence.amount(index),
                legendgroup=evidence.amount(index),
                showlegend=label == "median",
                hovertemplate=f"{label}: {hover(metric)}",
            )
    figure.update_xaxes(
        title_text=f"{evidence.task.ladder.unit} of training",
        **number_axis(np.concatenate([g for g, _, _ in found.values()])),
    )
    values = np.concatenate([c.ravel() for _, c, _ in found.values()])
    figure.update_yaxes(**metric_axis(metric, _drawn(evidence, values[np.isfinite(values)])))
    return figure


def _drawn(evidence: Evidence, values: FloatArray) -> FloatArray:
    """An error of 0 has no logarithm."""
    return np.maximum(values, evidence.least_drawn) if evidence.task.followed.fraction else values
