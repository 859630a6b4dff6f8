"""Who was rewarded by extrapolation: how far the final incumbents lie from the nearest real training, and how little
the surrogate knows there."""

from typing import Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.resampling import bootstrap, spearman
from jointbench.bench.comparing.nearest import RANDOM, distances, units
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Status
from jointbench.data.frames import configurations_of
from jointbench.data.quantities import counted

#: Incumbents below which no correlation is given.
FEWEST = 20

_LEAST = 1e-4


def _median(values: FloatArray) -> float:
    return float(np.median(values))


def rewarded(compared: Compared) -> Exhibit:
    name, title = "extrapolation", "How far from the nearest real training the winners lie"
    benchmark, trainings = compared.benchmark, compared.trainings
    if benchmark is None or trainings is None:
        why = "The benchmark's trainings are not there: distances to them cannot be measured."
        return Exhibit(name, title, missing=[why])
    largest = np.isclose(trainings["budget"], compared.task.ladder.maximum)
    ok = trainings[(trainings["status"] == Status.OK.value) & largest]
    incumbents = compared.incumbents
    if not len(incumbents) or not len(ok):
        return Exhibit(
            name, title, missing=["No run has an incumbent, or nothing was trained with the largest budget."]
        )
    space = compared.task.space
    ended = configurations_of(incumbents, space.names)
    trained = units(space, configurations_of(ok, space.names))
    far = distances(units(space, ended), trained)
    usual = float(np.median(distances(units(space, space.sample(np.random.default_rng(0), RANDOM)), trained)))
    doubts = benchmark.query_batch(ended, benchmark.ladder.maximum).uncertainty
    values, shown = incumbents["value"].to_numpy(float), compared.objective.shown
    rows, numbers = list[list[str]](), dict[str, list[Any]]()
    for one in compared.optimizers:
        own = (incumbents["optimizer"] == one).to_numpy()
        if not own.any():
            continue
        doubt = float(np.median(doubts[own])) if doubts is not None else float("nan")
        median = float(np.median(far[own]))
        rows.append(
            [one, shown(float(np.median(values[own]))), f"{median:.2f}", shown(doubt) if doubts is not None else "-"]
        )
        for key, value in (
            ("optimizer", one),
            (compared.objective.name, float(np.median(values[own]))),
            ("distance", median),
            ("uncertainty", doubt),
        ):
            numbers.setdefault(key, []).append(value)
    words = (
        "Each run's final incumbent: its value, and its distance to the nearest configuration that was really trained "
        "(with the largest budget), Euclidean in the unit cube; random configurations have a median distance of "
        f"{usual:.2f}. "
    )
    words += (
        "Uncertainty is one standard deviation of what the surrogate does not know of the incumbent."
        if doubts is not None
        else "This benchmark does not say how uncertain it is."
    )
    low, high = bootstrap(_median, far)
    finding = (
        f"The winners lie {_median(far):.2f} (95 % interval {low:.2f} to {high:.2f}) from the nearest real training, "
        f"random configurations {usual:.2f} (medians, in the unit cube)"
    )
    missing = list[str]()
    if len(far) >= FEWEST:
        losses = compared.objective.losses(values)
        rho, (low, high) = spearman(far, losses), bootstrap(spearman, far, losses)
        said = "being further from them neither was rewarded nor cost anything that shows"
        if high < 0:
            said = "being further from them was rewarded"
        elif low > 0:
            said = "being further from them was not rewarded, but cost"
        finding += f"; {said} (Spearman of distance and loss {rho:.2f}, {low:.2f} to {high:.2f})"
    else:
        there = counted(len(far), "run has", "runs have")
        missing.append(f"{there} an incumbent; a correlation of distance and value needs {FEWEST}.")
    finding += "."
    headings = ["optimizer", f"incumbents' {compared.objective.label}", "distance", "uncertainty"]
    table = Table(name, "Final incumbents, medians over runs", headings, rows, numbers, ("optimizer",))
    figure = Figure(name, "", lambda: _draw(compared, far, usual, doubts), 440)
    return Exhibit(name, title, [words], [figure], [table], missing, finding)


def _draw(compared: Compared, far: FloatArray, usual: float, doubts: FloatArray | None) -> Any:
    import plotly.graph_objects as go

    figure, incumbents = go.Figure(), compared.incumbents
    values = incumbents["value"].to_numpy(float)
    drawn = np.maximum(values, _LEAST) if compared.objective.fraction else values
    for one in compared.optimizers:
        own = (incumbents["optimizer"] == one).to_numpy()
        if own.any():
            size = 9.0 if doubts is None else 6 + 14 * doubts[own] / max(float(doubts.max()), 1e-12)
            figure.add_scatter(
                x=far[own],
                y=drawn[own],
                mode="markers",
                marker={"size": size, "color": compared.look[one].colour, "opacity": 0.8},
                name=one,
                hovertemplate=f"%{{x:.2f}} away: {hover(compared.objective)}",
            )
    figure.add_vline(x=usual, line={"width": 1.4, "dash": "dash", "color": "#8a8a86"})
    figure.update_xaxes(title_text="distance to the nearest training", rangemode="tozero")
    figure.update_yaxes(**metric_axis(compared.objective, drawn, f"incumbent's {compared.objective.label}"))
    figure.update_layout(showlegend=True)
    return figure
