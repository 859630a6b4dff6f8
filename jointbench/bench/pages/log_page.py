"""The page of a log: every training over time, how they ended, what a short one tells of a long one."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from jointbench.bench.analysing.costs import what_it_takes
from jointbench.bench.pages.log_figures import (
    MOST_CURVES,
    MOST_POINTS,
    against_parameters,
    against_seconds,
    causes,
    every_evaluation,
    failures_by_cause,
    is_dated,
    learning_curves,
    seconds_taken,
)
from jointbench.bench.pages.page import figure_html, script, table_html
from jointbench.bench.pages.templates import fill
from jointbench.data.evaluation import Evaluation
from jointbench.data.images.joined import said_of_errors
from jointbench.data.incumbent import ranked
from jointbench.data.log import EvaluationLog
from jointbench.data.quantities import counted
from jointbench.surrogate.judging.scores import correlation

#: Configurations trained at both budgets below which no correlation is printed.
FEWEST = 5


def log_page(log: EvaluationLog) -> list[str]:
    """The body of the page."""
    evaluations = list(log.evaluations())
    failed = sum(not e.ok for e in evaluations)
    return [
        script(),
        fill("<h1>{{ title }}</h1>", title=log_title(log)),
        fill(
            '<p class="lead">{{ count }} of the space <b>{{ space }}</b>, with {{ budgets }}; {{ failed }} of them '
            "failed.{{ best }}{{ joined }}</p>",
            count=counted(len(evaluations), "evaluation"),
            space=log.space.name,
            budgets=log.ladder.in_words(),
            failed=f"{failed:,}" if failed else "none",
            best=Markup(_best(log, evaluations)),
            joined=_joined(log),
        ),
        "<h2>Every evaluation</h2>",
        f"<p>{_every_evaluation(log, evaluations)}{_thinned(log, evaluations)}</p>",
        figure_html(every_evaluation(log, evaluations), 520),
        *_learning_curves(log, evaluations),
        *_costs(log, evaluations),
        '<div class="two"><div>',
        "<h2>How they ended</h2>",
        table_html(*how_they_ended(log, evaluations)),
        "</div><div>",
        "<h2>What a short training tells</h2>",
        *_short_and_long(log, evaluations),
        "</div></div>",
        *_failures(log, evaluations),
    ]


def _every_evaluation(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> str:
    objective = log.task.objective
    when = " when it ended" if is_dated(evaluations) else ""
    said = (
        f"{_capital(objective.label)} of each training{when}, by budget, as in the paper's Figure 1; the line is the "
    )
    said += f"{'highest' if objective.maximize else 'lowest'} at the largest budget so far."
    least = min((one.metrics[objective.name] for one in evaluations if one.ok), default=1.0)
    if objective.fraction and log.task.images is not None and least <= 0:
        said += " An error of 0 is drawn at half an image."
    return said


def _costs(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> list[str]:
    """Of what is known: the parameters of networks, and how long trainings took."""
    objective, found = log.task.objective, list[str]()
    of = f"{_capital(objective.label)} against"
    if any(e.parameters for e in evaluations):
        figure = figure_html(against_parameters(log, evaluations), 400)
        found.append(f"<div><p>{of} the number of parameters.</p>{figure}</div>")
    if any(map(seconds_taken, evaluations)):
        figure = figure_html(against_seconds(log, evaluations), 400)
        found.append(f"<div><p>{of} the time that it took, from start to finish.</p>{figure}</div>")
    if not found:
        return []
    return [f"<h2>{what_it_takes(objective)}</h2>", '<div class="two">', *found, "</div>"]


def _capital(label: str) -> str:
    """Of a metric, at the beginning of a sentence."""
    return escape(label[0].upper() + label[1:])


def _learning_curves(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> list[str]:
    figure = learning_curves(log, evaluations)
    if figure is None:
        return ["<h2>Learning curves</h2>", "<p>No training was validated more than once.</p>"]
    return [
        "<h2>Learning curves</h2>",
        f"<p>{_capital(log.task.followed.label)} in the course of each training, by budget. Of a budget with more than "
        f"{MOST_CURVES} trainings, {MOST_CURVES} are drawn, evenly spaced over the log.</p>",
        figure_html(figure, 480),
    ]


def _failures(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> list[str]:
    figure = failures_by_cause(log, evaluations)
    if figure is None:
        return ["<h2>Failures by cause</h2>", "<p>No training failed.</p>"]
    return [
        "<h2>Failures by cause</h2>",
        "<p>How the trainings that failed ended, by budget; below, the reasons they gave, with N for numbers.</p>",
        figure_html(figure, 160 + 40 * len({status for status, _, _ in causes(evaluations)})),
        table_html(
            ("cause", "reason", "trainings"),
            [(status, reason, f"{count:,}") for status, reason, count in causes(evaluations)],
            kind="words",
        ),
    ]


def _thinned(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> str:
    most = max(Counter(log.ladder.place_of(e.budget) for e in evaluations if e.ok).values(), default=0)
    if most <= MOST_POINTS:
        return ""
    return (
        f" Of a budget with more than {MOST_POINTS:,} trainings, {MOST_POINTS:,} are drawn, evenly spaced over the log."
    )


def how_they_ended(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: a row a budget, a column each way to end."""
    ladder = log.ladder
    statuses = sorted({e.status.value for e in evaluations}, key=lambda status: (status != "ok", status))
    ended = Counter((ladder.place_of(e.budget), e.status.value) for e in evaluations)
    headings = [f"budget, {ladder.unit}", *(status.replace("_", " ") for status in statuses), "all"]
    counts = [[ended[index, status] for status in statuses] for index in range(len(ladder.rungs))]
    rows = [
        [f"{rung:g}", *(f"{n:,}" for n in (*each, sum(each)))] for rung, each in zip(ladder.rungs, counts, strict=True)
    ]
    return headings, rows


def log_title(log: EvaluationLog) -> str:
    """What its page is about."""
    if log.task.images is None:
        return f"Evaluations in the space {log.space.name}"
    return f"Trainings on {log.task.images.name}"


def _best(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> str:
    largest = [e for e in evaluations if e.ok and log.ladder.place_of(e.budget) == len(log.ladder.rungs) - 1]
    if not largest:
        return ""
    objective = log.task.objective
    best = ranked(largest, objective)[0]
    said = f" The {'highest' if objective.maximize else 'lowest'} {objective.label} at the largest budget is "
    said += objective.shown(best.metrics[objective.name])
    judged = next((m for m in log.task.metrics if m.failure is not None and m != objective), None)
    if judged is None or judged.name not in best.metrics:
        return f"{said}."
    return f"{said}; that training's {judged.label} is {judged.shown(best.metrics[judged.name])}."


def _joined(log: EvaluationLog) -> str:
    said = said_of_errors(log.task.images)
    return f" {said[0].upper()}{said[1:]}." if said else ""


def _short_and_long(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> list[str]:
    rungs = log.ladder.rungs
    if len(rungs) == 1:
        return ["<p>All trainings have the same budget.</p>"]
    return [
        f"<p>Spearman's rank correlation of the {escape(log.task.objective.labels)} of configurations trained at both "
        "budgets, as in the paper's Table 1; n is their number.</p>",
        table_html(
            (f"budget, {log.ladder.unit}", *(f"{rung:g}" for rung in rungs[1:])), _correlations(log, evaluations)
        ),
    ]


def _correlations(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> list[tuple[str, ...]]:
    from scipy.stats import spearmanr

    rungs = log.ladder.rungs
    # A configuration trained several times at a budget counts with its mean.
    errors: list[dict[tuple[float, ...], list[float]]] = [{} for _ in rungs]
    for e in evaluations:
        if e.ok:
            key = tuple(log.space.row(e.configuration))
            errors[log.ladder.place_of(e.budget)].setdefault(key, []).append(e.metrics[log.task.objective.name])
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
