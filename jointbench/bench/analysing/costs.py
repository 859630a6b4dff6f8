"""What a good value takes: the objective against parameters, FLOPs, seconds and memory, with the Pareto front."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.every_evaluation import thinned
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.drawing.palette import BLACK, rung_colour
from jointbench.data.frames import hyperparameter_column
from jointbench.data.metrics import Metric

if TYPE_CHECKING:
    from pandas import DataFrame

#: In the order of the figures.
COSTS = ("parameters", "flops", "wall_seconds", "peak_memory")


def what_it_takes(objective: Metric) -> str:
    """The heading above costs."""
    return f"What a {'low error' if objective.fraction and not objective.maximize else 'good value'} takes"


def costs(evidence: Evidence) -> Exhibit:
    name, title = "costs", what_it_takes(evidence.objective)
    ok, known = evidence.ok, evidence.task.by_name
    found = [known[cost] for cost in COSTS if cost in known and len(ok) and (ok[cost] > 0).any()]
    if not found:
        return Exhibit(name, title, missing=["No evaluation that ended ok has a cost."])
    figures, rows, numbers = list[Figure](), list[list[str]](), dict[str, list[Any]]()
    label = evidence.objective.label
    for cost in found:
        own = ok[ok[cost.name] > 0]
        front = own[on_front(own[cost.name].to_numpy(float), evidence.objective.losses(own["value"]))].sort_values(
            cost.name
        )
        figures.append(
            Figure(
                f"costs_{cost.name}",
                f"{label} against {_called(cost)}",
                _draw(evidence, cost, own, front),
                360,
                half=True,
            )
        )
        columns = [hyperparameter_column(one, front.columns) for one in evidence.task.space.names]
        for row in front.to_dict("records"):
            budget = evidence.amount(int(row["rung"]))
            rows.append([_called(cost), cost.shown(row[cost.name]), evidence.objective.shown(row["value"]), budget])
            for key, value in (
                ("cost", cost.name),
                ("amount", row[cost.name]),
                (evidence.objective.name, row["value"]),
                ("budget", row["budget"]),
                *((name, row[name]) for name in columns),
            ):
                numbers.setdefault(str(key), []).append(value)
    words = (
        "Every evaluation that ended ok, a colour a budget; the line is the Pareto front, where nothing has a better "
        f"{label} for less. Errors are of single trainings, so that luck lies on the front too."
    )
    headings = ["cost", "amount", label, "budget"]
    table = Table("pareto_fronts", "The Pareto fronts", headings, rows, numbers, ("cost", "budget"), folded=True)
    return Exhibit(name, title, [words], figures, [table])


def _called(cost: Metric) -> str:
    return cost.unit if cost.unit.lower() == cost.label else cost.label


def on_front(cost: npt.ArrayLike, loss: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which of n have a lower loss than all that cost no more, (n,); of equal ones the first."""
    costs_, losses = np.asarray(cost, dtype=np.float64), np.asarray(loss, dtype=np.float64)
    order = np.lexsort((losses, costs_))
    before = np.concatenate([[np.inf], np.minimum.accumulate(losses[order])[:-1]])
    found = np.zeros(len(costs_), dtype=bool)
    found[order[losses[order] < before]] = True
    return found


def _draw(evidence: Evidence, cost: Metric, own: "DataFrame", front: "DataFrame") -> Callable[[], Any]:
    def drawn() -> Any:
        import plotly.graph_objects as go

        figure, objective = go.Figure(), evidence.objective
        for index in range(len(evidence.rungs)):
            points = thinned(own[own["rung"] == index])
            if len(points):
                figure.add_scatter(
                    x=points[cost.name],
                    y=evidence.drawn(points["value"]),
                    mode="markers",
                    marker={"size": 4, "opacity": 0.5, "color": rung_colour(index)},
                    name=evidence.amount(index),
                    hovertemplate=f"%{{x:.3~s}}: {hover(objective)}",
                )
        figure.add_scatter(
            x=front[cost.name],
            y=evidence.drawn(front["value"]),
            mode="lines+markers",
            line={"color": BLACK, "width": 1.6, "shape": "hv"},
            marker={"size": 5, "color": BLACK},
            name="Pareto front",
            hovertemplate=f"%{{x:.3~s}}: {hover(objective)}",
        )
        figure.update_xaxes(**metric_axis(cost, own[cost.name]))
        figure.update_yaxes(**metric_axis(objective, evidence.drawn(own["value"])))
        figure.update_layout(showlegend=cost.name == COSTS[0])
        return figure

    return drawn
