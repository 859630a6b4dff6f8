"""How much trainings of one configuration differ by luck: the deviation of replicates against their mean."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.resampling import bootstrap
from jointbench.bench.drawing.axes import share_axis
from jointbench.bench.drawing.palette import BLACK, rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

if TYPE_CHECKING:
    from pandas import DataFrame

#: Configurations with replicates below which nothing is said of a budget.
FEWEST = 5


def replicates(evidence: Evidence) -> "DataFrame":
    """A row a configuration and budget with several seeds: `rung`, `n`, `mean`, and `deviation` (of n - 1)."""
    # Where there are evaluations between rungs, those of one rung may have different budgets.
    by = ["rung", "group", *(["budget"] if evidence.task.ladder.continuous else [])]
    found = evidence.ok.groupby(by)["value"].agg(n="size", mean="mean", deviation="std").reset_index()
    return found[found["n"] > 1].reset_index(drop=True)


def pooled(deviation: FloatArray, degrees: FloatArray) -> float:
    """The deviation of one training, from those of several configurations (n,), weighted by n - 1 of each."""
    return float(np.sqrt((degrees * deviation**2).sum() / degrees.sum()))


def noise(evidence: Evidence) -> Exhibit:
    name, title = "noise", "Noise: replicates of one configuration"
    if not len(evidence.ok):
        return Exhibit(name, title, missing=["No evaluation ended ok."])
    found, label = replicates(evidence), evidence.objective.label
    rows, numbers, missing = list[list[str]](), dict[str, list[Any]](), list[str]()
    for index, rung in enumerate(evidence.rungs):
        own = found[found["rung"] == index]
        if len(own) < FEWEST:
            there = counted(len(own), "configuration was", "configurations were")
            missing.append(
                f"{there} trained with several seeds for {evidence.amount(index)}; noise needs "
                f"{FEWEST} (`jointbench collect` with a list of them, or `jointbench train --seed`)."
            )
            continue
        deviation, degrees = own["deviation"].to_numpy(float), own["n"].to_numpy(float) - 1
        one, (low, high) = pooled(deviation, degrees), bootstrap(pooled, deviation, degrees)
        shown = evidence.objective.shown
        rows.append([evidence.amount(index), f"{len(own):,}", f"{shown(one)} ({shown(low)} to {shown(high)})"])
        for key, value in (
            ("budget", rung),
            ("configurations", len(own)),
            ("deviation", one),
            ("low", low),
            ("high", high),
        ):
            numbers.setdefault(key, []).append(value)
    if not rows:
        return Exhibit(name, title, missing=missing)
    words = (
        f"The standard deviation of the {label} over seeds against its mean, a point a configuration with several "
        "seeds at one budget. The line is the luck of the images alone: the binomial deviation of an error counted "
        f"on {evidence.task.images.validation:,} of them."
        if evidence.objective.fraction and evidence.task.images is not None
        else f"The standard deviation of the {label} over seeds against its mean, a point a configuration."
    )
    headings = ["budget", "configurations", "standard deviation of one training"]
    table = Table(name, "Pooled over configurations, with 95 % intervals", headings, rows, numbers, ("budget",))
    return Exhibit(name, title, [words], [Figure(name, "", lambda: _draw(evidence, found), 420)], [table], missing)


def _draw(evidence: Evidence, found: "DataFrame") -> Any:
    import plotly.graph_objects as go

    figure, objective = go.Figure(), evidence.objective
    for index in range(len(evidence.rungs)):
        own = found[found["rung"] == index]
        if len(own):
            figure.add_scatter(
                x=evidence.drawn(own["mean"]),
                y=own["deviation"],
                mode="markers",
                marker={"size": 6, "opacity": 0.7, "color": rung_colour(index)},
                name=evidence.amount(index),
                text=[f"{n} seeds" for n in own["n"]],
                hovertemplate=f"%{{text}}: {hover(objective)} around {hover(objective, 'x')}",
            )
    if objective.fraction and evidence.task.images is not None:
        mean = np.geomspace(max(float(found["mean"].min()), evidence.least_drawn), float(found["mean"].max()), 80)
        luck = np.sqrt(mean * (1 - mean) / evidence.task.images.validation)
        figure.add_scatter(
            x=mean,
            y=luck,
            mode="lines",
            line={"color": BLACK, "width": 1.4, "dash": "dash"},
            name="of the images alone",
        )
    figure.update_xaxes(**metric_axis(objective, evidence.drawn(found["mean"]), f"mean {objective.label}"))
    scale = share_axis() if objective.fraction else {}
    figure.update_yaxes(title_text="standard deviation over seeds", rangemode="tozero", **scale)
    return figure
