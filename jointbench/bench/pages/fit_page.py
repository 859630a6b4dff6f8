"""The page of a fitted surrogate: how far it can be trusted, in plots and tables."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from jointbench.bench.comparing.left_out_runs import LeftOut
from jointbench.bench.drawing.axes import error_axis, log_range, metric_axis, number_axis, share_axis
from jointbench.bench.drawing.palette import BLACK, BLUE, GREEN, ORANGE, VERMILION, rung_colour, styles
from jointbench.bench.pages.page import figure_html, script, table_html
from jointbench.bench.pages.templates import fill, with_code
from jointbench.bench.pages.trust_words import verdict_box
from jointbench.data.metrics import TEST_ERROR, VALIDATION_ERROR, Metric
from jointbench.data.quantities import counted
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import JudgedTable, judged_tables
from jointbench.surrogate.judging.verdict import ERRORS_OF_IMAGES, HEADINGS, is_share, objective_in

#: Of most figures, in pixels.
HEIGHT = 380


def fit_page(
    benchmark: Benchmark, held_out: HeldOut, judgement: Judgement, left_out: Sequence[LeftOut], command: str
) -> list[str]:
    """The body of the page."""
    tables = judged_tables(judgement, benchmark.ladder)
    made, images, found = benchmark.provenance, benchmark.task.images, benchmark.verdict
    trained = benchmark.manifest.measures is None
    body = [
        script(),
        fill("<h1>{{ name }}: how far it can be trusted</h1>", name=benchmark.name),
        verdict_box(benchmark.name, found),
        fill(
            '<p class="lead">A surrogate of {{ what }} of the space <b>{{ space }}</b>{{ images }} for '
            "{{ budgets }}, fitted to {{ evaluations }} {{ made }}.</p>",
            space=benchmark.space.name,
            what="training networks" if trained else "evaluations",
            images="" if images is None else f" on {images.name}",
            made="real trainings" if trained else "evaluations",
            budgets=benchmark.ladder.amounts(),
            evaluations=f"{made['evaluations']:,}",
        ),
        table_html(HEADINGS, (ground.cells for ground in found.grounds)),
        fill('<p class="note">{{ words }}</p>', words=found.words),
        *(fill("<p>{{ sentence }}.</p>", sentence=sentence) for sentence in made.get("left_out", [])),
        "<h2>Predicted and real</h2>",
        fill(
            "<p>{{ what }}, and what a surrogate that has not seen its configuration says; by budget.</p>",
            what="Test error of each training"
            if trained
            else f"The {benchmark.task.objective.label} of each evaluation",
        ),
        figure_html(_predicted_and_real(held_out), 560),
    ]
    plots = _plots(judgement)
    for name, table in tables.items():
        body += [fill("<h2>{{ title }}</h2><p>{{ words }}</p>", title=table.title, words=with_code(table.words))]
        if name == "leave_one_out":
            for one in left_out:
                body += [
                    fill("<h3>{{ name }}</h3>", name=one.optimizer),
                    figure_html(_left_out(one, benchmark.task.objective), HEIGHT),
                ]
        elif name in plots:
            body.append(figure_html(plots[name](), HEIGHT))
        body.append(_html(table))
    return [*body, "<h2>How to reproduce it</h2>", fill("<pre>{{ command }}</pre>", command=command)]


def figures(
    held_out: HeldOut, judgement: Judgement, left_out: Sequence[LeftOut]
) -> dict[str, tuple[Callable[[], Any], int]]:
    """How each figure of the page is drawn, and its height in pixels, by a name."""
    found = {name: (draw, HEIGHT) for name, draw in _plots(judgement).items() if getattr(judgement, name)}
    measures = held_out.table.measures
    objective = VALIDATION_ERROR if measures is None else measures.metrics[0]
    without = {f"without_{one.optimizer}": (partial(_left_out, one, objective), HEIGHT) for one in left_out}
    return {"predicted_and_real": (lambda: _predicted_and_real(held_out), 560), **found, **without}


def _plots(judgement: Judgement) -> dict[str, Callable[[], Any]]:
    """By the name of the table that they stand above."""
    return {
        "noise_floor": lambda: _noise_floor(judgement),
        "failures": lambda: _reliability(judgement),
        "luck": lambda: _coverage(judgement),
        "learning_curve": lambda: _learning_curve(judgement),
    }


def _html(table: JudgedTable) -> str:
    return table_html(table.headings, table.rows)


def _predicted_and_real(held_out: HeldOut) -> Any:
    import plotly.graph_objects as go

    table, figure = held_out.table, go.Figure()
    if table.measures is not None:
        return _predicted_and_real_metric(held_out, table.measures.metrics[0])
    half = 0.5 / table.trained_on.test
    drawn = np.array([half, 1.0])
    for index, (budget, chosen) in enumerate(table.ok_by_budget()):
        if budget is None:
            # All budgets together.
            drawn = np.maximum([table.errors[chosen, 1], held_out.errors[chosen, 1]], half)
        else:
            figure.add_scatter(
                x=np.maximum(table.errors[chosen, 1], half).tolist(),
                y=np.maximum(held_out.errors[chosen, 1], half).tolist(),
                mode="markers",
                marker={"size": 6, "opacity": 0.6, "color": rung_colour(index)},
                name=table.ladder.amount(budget),
                hovertemplate="real %{x:.2%}, predicted %{y:.2%}",
            )
    ends = [10**end for end in log_range(drawn)]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": BLACK, "width": 1}, name="equal", hoverinfo="skip")
    figure.update_xaxes(title_text="real test error", **error_axis(drawn))
    figure.update_yaxes(title_text="predicted test error", **error_axis(drawn))
    return figure


def _predicted_and_real_metric(held_out: HeldOut, metric: Metric) -> Any:
    """Of the objective of a task that is no training on images."""
    import plotly.graph_objects as go

    table, figure = held_out.table, go.Figure()
    sign = -1 if metric.maximize else 1
    real, said = sign * table.errors[table.ok, 0], sign * held_out.errors[table.ok, 0]
    budgets = table.budgets[table.ok]
    for index, rung in enumerate(table.ladder.rungs):
        chosen = table.ladder.at(budgets, rung)
        figure.add_scatter(
            x=real[chosen].tolist(),
            y=said[chosen].tolist(),
            mode="markers",
            marker={"size": 6, "opacity": 0.6, "color": rung_colour(index)},
            name=table.ladder.amount(rung),
            hovertemplate=f"real {_hover(metric.fraction, 'x')}, predicted {_hover(metric.fraction)}",
        )
    ends = [float(min(real.min(), said.min())), float(max(real.max(), said.max()))]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": BLACK, "width": 1}, name="equal", hoverinfo="skip")
    drawn = np.concatenate([real, said])
    figure.update_xaxes(title_text=f"real {metric.axis}", **metric_axis(metric, drawn))
    figure.update_yaxes(title_text=f"predicted {metric.axis}", **metric_axis(metric, drawn))
    return figure


def _hover(share: bool, coordinate: str = "y") -> str:
    """How plotly says a value that is pointed at."""
    return f"%{{{coordinate}:{'.2%' if share else '.4g'}}}"


def _noise_floor(judgement: Judgement) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    # Of images the test error, which nothing was selected by; else the objective.
    error = objective_in(judgement.noise_floor)
    tested = {"validation": "test", VALIDATION_ERROR.name: TEST_ERROR.name}.get(error, "")
    shown = tested if any(row["error"] == tested for row in judgement.noise_floor) else error
    share = is_share(shown, judgement.fractions)
    rows = [row for row in judgement.noise_floor if row["error"] == shown]
    budgets = ["all budgets" if row["budget"] is None else f"budget {row['budget']:g}" for row in rows]
    kinds = {
        "noise floor": ("floor", BLACK),
        "one-run table": ("table", ORANGE),
        "surrogate, given one run": ("given_one", BLUE),
        "surrogate, given none": ("held_out", GREEN),
    }
    for name, (key, colour) in kinds.items():
        values = [row[key] for row in rows]
        figure.add_bar(x=budgets, y=values, name=name, marker_color=colour, hovertemplate=_hover(share))
    figure.update_layout(barmode="group")
    title = "RMSE of test errors" if shown == tested else f"RMSE of {shown.replace('_', ' ')}"
    figure.update_yaxes(title_text=title, rangemode="tozero", **(share_axis() if share else {}))
    return figure


def _coverage(judgement: Judgement) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for row, colour in zip(judgement.luck, (BLUE, VERMILION), strict=False):
        levels = [key for key in row if key.startswith("coverage_")]
        figure.add_scatter(
            x=[float(key.removeprefix("coverage_")) / 100 for key in levels],
            y=[row[key] for key in levels],
            mode="lines+markers",
            line={"color": colour},
            name=f"{row['error'].replace('_', ' ')}{' error' * (row['error'] in ERRORS_OF_IMAGES)}",
            hovertemplate="%{x:.0%} interval: %{y:.1%}",
        )
    return _beside_the_calibrated(figure, 0.4, "interval of drawn differences", "real differences inside")


def _reliability(judgement: Judgement) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for row, colour in zip(judgement.failures, (VERMILION, BLUE, GREEN, ORANGE), strict=False):
        figure.add_scatter(
            x=[one["predicted"] for one in row["bins"]],
            y=[one["came"] for one in row["bins"]],
            text=[str(one["n"]) for one in row["bins"]],
            mode="lines+markers",
            line={"color": colour},
            name=row["kind"].replace("_", " "),
            hovertemplate="said %{x:.1%}, came %{y:.1%}, n = %{text}",
        )
    return _beside_the_calibrated(figure, 0.0, "predicted probability of failing", "share that failed")


def _beside_the_calibrated(figure: Any, low: float, said: str, came: str) -> Any:
    """The figure with a diagonal from `low` to 1, where what was said is what came; both axes are shares."""
    figure.add_scatter(x=[low, 1], y=[low, 1], mode="lines", line={"color": BLACK, "width": 1}, name="calibrated")
    figure.update_xaxes(title_text=said, **share_axis())
    figure.update_yaxes(title_text=came, **share_axis())
    return figure


def _learning_curve(judgement: Judgement) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for key, name, colour in (("r2", "R2", BLUE), ("sparse_kendall", "sparse Kendall", VERMILION)):
        for whole, dash in ((True, "solid"), (False, "dash")):
            rows = [row for row in judgement.learning_curve if (row["budget"] is None) == whole]
            figure.add_scatter(
                x=[row["n"] for row in rows],
                y=[row[key] for row in rows],
                mode="lines+markers",
                line={"color": colour, "dash": dash},
                name=f"{name}, {'all budgets' if whole else 'largest budget'}",
                hovertemplate="%{x:,} evaluations: %{y:.3f}",
            )
    fitted = [row["n"] for row in judgement.learning_curve]
    figure.update_xaxes(title_text="evaluations that the surrogate was fitted to", **number_axis(fitted))
    figure.update_yaxes(title_text="score on held-out configurations")
    return figure


def _left_out(one: LeftOut, metric: Metric) -> Any:
    """An optimizer's logged runs, and the median and quartiles of its runs on a surrogate without them."""
    import plotly.graph_objects as go

    hover = _hover(metric.fraction)
    figure, style = go.Figure(), styles([one.optimizer])[one.optimizer]
    grid = np.linspace(0, max(search.spent[-1] for search in one.logged), 200)
    runs = np.stack([search.at(grid) for search in one.simulated])
    begun = np.isfinite(runs).all(axis=0)
    lower, middle, upper = np.quantile(runs[:, begun], [0.25, 0.5, 0.75], axis=0)
    x = grid[begun].tolist()
    figure.add_scatter(
        x=[*x, *x[::-1]],
        y=[*upper.tolist(), *lower.tolist()[::-1]],
        fill="toself",
        fillcolor=style.faded(0.18),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=x,
        y=middle.tolist(),
        mode="lines",
        line={"color": style.colour, "dash": style.dash, "shape": "hv"},
        name=f"{one.optimizer} on the surrogate without its data, {counted(len(one.simulated), 'seed')}",
        hovertemplate=hover,
    )
    for number, search in enumerate(one.logged):
        figure.add_scatter(
            x=search.spent.tolist(),
            y=[None if np.isnan(lowest) else lowest for lowest in search.lowest],
            mode="lines",
            line={"color": BLACK, "shape": "hv", "width": 1.5},
            name="as logged",
            legendgroup="logged",
            showlegend=number == 0,
            hovertemplate=hover,
        )
    drawn = np.concatenate([upper, lower, *(search.lowest for search in one.logged)])
    figure.update_xaxes(title_text="budgets spent, in units of the largest")
    # A metric that is maximised is searched with the other sign.
    axis = {"tickformat": "~g"} if metric.maximize else metric_axis(metric, drawn)
    sign = "-" * metric.maximize
    figure.update_yaxes(title_text=f"lowest {sign}{metric.label} so far", **axis)
    return figure
