"""The page of a log: every training over time, how they ended, what a short one tells of a long one."""

import html
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from jointbench.bench.pages.page import error_axis, figure_html, script, table_html, time_axis, time_unit
from jointbench.bench.pages.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.judging.scores import correlation

#: From the smallest budget on.
RUNG_COLOURS = (SKY, ORANGE, GREEN, VERMILION, PURPLE, BLUE)

#: Configurations trained at both budgets below which no correlation is printed.
FEWEST = 5


def log_page(log: EvaluationLog) -> list[str]:
    """The body of the page."""
    evaluations = list(log.evaluations())
    ladder = log.ladder
    failed = sum(not e.ok for e in evaluations)
    return [
        script(),
        f"<h1>Trainings on {html.escape(log.images.name)}</h1>",
        f'<p class="lead">{len(evaluations):,} evaluations of the space <b>{html.escape(log.space.name)}</b> at the '
        f"budgets {ladder} {ladder.unit}; {failed:,} of them failed.{_best(log, evaluations)}</p>",
        "<h2>Every evaluation</h2>",
        "<p>Validation error of each training when it ended, by budget, as in the paper's Figure 1; the line is the "
        "lowest at the largest budget so far. An error of 0 is drawn at half an image.</p>",
        figure_html(every_evaluation(log, evaluations), 520),
        '<div class="two"><div>',
        "<h2>How they ended</h2>",
        table_html(*how_they_ended(log, evaluations)),
        "</div><div>",
        "<h2>What a short training tells</h2>",
        "<p>Spearman's rank correlation of the validation errors of configurations trained at both budgets, as in the "
        "paper's Table 1; n is their number.</p>",
        table_html(
            (f"budget, {ladder.unit}", *(f"{rung:g}" for rung in ladder.rungs[1:])), _correlations(log, evaluations)
        ),
        "</div></div>",
    ]


def how_they_ended(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: a row a budget, a column each way to end."""
    ladder = log.ladder
    statuses = sorted({e.status.value for e in evaluations}, key=lambda status: (status != "ok", status))
    ended = Counter((ladder.rung_of(e.budget), e.status.value) for e in evaluations)
    headings = [f"budget, {ladder.unit}", *(status.replace("_", " ") for status in statuses), "all"]
    counts = [[ended[index, status] for status in statuses] for index in range(len(ladder.rungs))]
    rows = [
        [f"{rung:g}", *(f"{n:,}" for n in (*each, sum(each)))] for rung, each in zip(ladder.rungs, counts, strict=True)
    ]
    return headings, rows


def _best(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> str:
    largest = [e for e in evaluations if e.ok and log.ladder.rung_of(e.budget) == len(log.ladder.rungs) - 1]
    if not largest:
        return ""
    best = min(largest, key=lambda e: e.validation_error)
    return (
        f" The lowest validation error at the largest budget is {best.validation_error:.2%}; that training's test "
        f"error is {best.test_error:.2%}."
    )


def every_evaluation(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> Any:
    """Validation error of each training when it ended, by budget."""
    import plotly.graph_objects as go

    ladder = log.ladder
    ends = np.array([e.finished_at for e in evaluations])
    began = min((e.finished_at - e.wall_seconds for e in evaluations), default=0.0)
    unit, seconds = time_unit(float(ends.max(initial=began) - began))
    half = 0.5 / log.images.validation
    figure = go.Figure()
    for index, rung in enumerate(ladder.rungs):
        own = [e for e in evaluations if e.ok and ladder.rung_of(e.budget) == index]
        figure.add_scatter(
            x=[(e.finished_at - began) / seconds for e in own],
            y=[max(e.validation_error, half) for e in own],
            mode="markers",
            marker={"size": 6, "opacity": 0.6, "color": RUNG_COLOURS[index % len(RUNG_COLOURS)]},
            name=f"{rung:g} {ladder.unit}",
            hovertemplate="%{y:.2%}",
        )
        if index == len(ladder.rungs) - 1 and own:
            figure.add_scatter(
                x=[(e.finished_at - began) / seconds for e in own],
                y=np.minimum.accumulate([max(e.validation_error, half) for e in own]),
                mode="lines",
                line={"color": BLACK, "shape": "hv", "width": 2},
                name="lowest so far",
                hovertemplate="%{y:.2%}",
            )
    figure.update_xaxes(title_text=f"time since the first training began, {unit}", **time_axis())
    figure.update_yaxes(title_text="validation error", **error_axis())
    return figure


def _correlations(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> list[tuple[str, ...]]:
    from scipy.stats import spearmanr

    rungs = log.ladder.rungs
    # A configuration trained several times at a budget counts with its mean.
    errors: list[dict[tuple[float, ...], list[float]]] = [{} for _ in rungs]
    for e in evaluations:
        if e.ok:
            key = tuple(log.space.row(e.configuration))
            errors[log.ladder.rung_of(e.budget)].setdefault(key, []).append(e.validation_error)
    means = [{key: float(np.mean(values)) for key, values in rung.items()} for rung in errors]
    rows = []
    for i, low in enumerate(means[:-1]):
        row = [f"{rungs[i]:g}"]
        for j, high in enumerate(means[1:], start=1):
            both = [key for key in low if key in high]
            if j <= i:
                row.append("")
            elif len(both) < FEWEST:
                row.append(f"too few (n = {len(both)})")
            else:
                rho = correlation(spearmanr, *(np.array([rung[key] for key in both]) for rung in (low, high)))
                row.append(f"{'all equal' if rho is None else format(rho, '.2f')} (n = {len(both)})")
        rows.append(tuple(row))
    return rows
