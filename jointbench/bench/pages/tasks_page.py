"""The page of a comparison over several tasks: one number an optimizer, ranks over time, who wins where."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.comparing.across_tasks import SHARES, AcrossTasks, Standing, TaskRuns
from jointbench.bench.comparing.statistics import LEVEL, groups
from jointbench.bench.drawing.axes import number_axis
from jointbench.bench.drawing.palette import Style, styles
from jointbench.bench.pages.coinciding import overlays
from jointbench.bench.pages.comparison_words import one_rung_words
from jointbench.bench.pages.page import figure_html, script, table_html
from jointbench.bench.pages.probability import probability
from jointbench.bench.pages.rank_diagram import rank_diagram
from jointbench.bench.pages.templates import fill
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

#: Of the table of standings, and of that of the tasks.
HEADINGS = ("optimizer", "normalised regret", "95 % interval", "mean rank", "tasks won")
TASK_HEADINGS = ("task", "objective", "seeds", "winner", "its median", "optimum", "regret", "second")


def tasks_page(folder: Path) -> list[str]:
    """The body of the page. Raises LogError where there is nothing to compare."""
    return body_of(AcrossTasks.read(folder))


def body_of(found: AcrossTasks) -> list[str]:
    """The same of tasks that are read already."""
    look = styles(found.optimizers)
    standings = found.standings
    return [
        script(),
        "<h1>Which optimizer wins, over tasks?</h1>",
        fill('<p class="lead">{{ said }}</p>', said=lead(found)),
        *[f'<p class="note">{fill("{{ said }}", said=said)}</p>' for said in fallbacks(found)],
        "<h2>One number an optimizer</h2>",
        "<p>Normalised regret at the end: 0 is the optimum of a task (where nobody knows it, the best that any "
        "incumbent of the comparison ever had), 1 what a random configuration has in the median. Means over seeds, "
        "then over tasks, each of which counts once; the intervals are from tasks, and within them seeds, drawn with "
        "replacement. Lower is better.</p>",
        table_html(HEADINGS, [standing_cells(one) for one in standings], look),
        *differences(found, look),
        "<h2>Ranks and regret over time</h2>",
        "<p>Over the share of the time that runs of a task have.</p>",
        '<div class="two">',
        f"<div><p>Mean rank over seeds and tasks, 1 the best.</p>{figure_html(rank_figure(found, look), 420)}</div>",
        "<div><p>Normalised regret, mean over seeds and tasks.</p>"
        f"{figure_html(regret_figure(found, look), 420)}</div>",
        "</div>",
        "<h2>Task by task</h2>",
        "<p>The winner has the lowest mean rank over seeds; its median and its regret are those of its final "
        "incumbents. Each task's page is in the folder of its name.</p>",
        table_html(TASK_HEADINGS, task_rows(found), kind="words"),
        "<h2>Final normalised regret</h2>",
        table_html(("task", *(one.optimizer for one in standings)), regret_rows(found)),
        "<h2>How to reproduce it</h2>",
        fill("<pre>{{ commands }}</pre>", commands="\n".join(found.commands)),
    ]


def lead(found: AcrossTasks) -> str:
    """Who wins, and how sure that is."""
    first, *others = found.standings
    tasks = counted(len(found.tasks), "task")
    low, high = first.interval
    said = (
        f"{counted(len(found.optimizers), 'optimizer')} on {tasks}. {first.optimizer} has the lowest normalised "
        f"regret, {first.regret:.3f} ({low:.3f} to {high:.3f}), and wins {first.won} of them."
    )
    most = max(found.standings, key=lambda one: one.won)
    if most.won > first.won:
        said += f" {most.optimizer} wins {most.won}, at a higher regret on the whole."
    if not others:
        return said
    tested, asked = found.tests()
    apart = [pair for pair in tested if pair.significant and pair.has(first.optimizer)]
    beaten = [pair.other(first.optimizer) for pair in apart if pair.better == first.optimizer]
    if asked is not None and not asked.significant:
        return f"{said} Over so many tasks Friedman's test finds no difference among them (p = {asked.p:.3f})."
    if beaten:
        return f"{said} Over tasks it beats {', '.join(beaten)}."
    return f"{said} Over so many tasks no other is significantly worse."


def fallbacks(found: AcrossTasks) -> list[str]:
    """What became of optimizers that compare budgets where there is one: a sentence for each such ladder."""
    ladders = {task.settings.ladder: task for task in found.tasks if task.settings.objective == "known"}
    said = []
    for ladder in ladders:
        on = [task.name for task in found.tasks if task.settings.ladder == ladder]
        if words := one_rung_words(found.optimizers, ladder):
            said.append(f"On {', '.join(on)}: {words}")
    return said


def standing_cells(one: Standing) -> tuple[str, ...]:
    low, high = one.interval
    return one.optimizer, f"{one.regret:.4f}", f"{low:.4f} to {high:.4f}", f"{one.rank:.2f}", str(one.won)


def task_rows(found: AcrossTasks) -> list[tuple[str, ...]]:
    """A row a task, below TASK_HEADINGS."""
    return [_task_row(found, place, task) for place, task in enumerate(found.tasks)]


def _task_row(found: AcrossTasks, place: int, task: TaskRuns) -> tuple[str, ...]:
    winner, objective = found.winner(place), task.settings.metrics[0]
    final = float(np.median([run.losses[-1] for run in task.runs[winner]]))
    shown = objective.shown(float(objective.losses(task.best)))
    order = sorted(found.optimizers, key=lambda name: found.final_ranks[name][place])
    second = next((name for name in order if name != winner), "-")
    return (
        task.name,
        objective.label,
        str(len(task.seeds)),
        winner,
        objective.shown(float(objective.losses(final))),
        shown if task.known else f"{shown} (best seen)",
        objective.shown(final - task.best),
        second,
    )


def regret_rows(found: AcrossTasks) -> list[tuple[str, ...]]:
    """A row a task: the mean over seeds of each optimizer's final normalised regret, in the order of the standings."""
    rows, names = [], [one.optimizer for one in found.standings]
    for task in found.tasks:
        regrets = task.regrets(SHARES[-1:])
        rows.append((task.name, *(f"{regrets[name].mean():.4f}" for name in names)))
    return rows


def differences(found: AcrossTasks, look: Mapping[str, Style]) -> list[str]:
    """The critical-difference diagram over tasks, and all pairs; nothing where there is one optimizer."""
    if len(found.optimizers) < 2:
        return []
    tested, asked = found.tests()
    ranks = {one.optimizer: one.rank for one in sorted(found.standings, key=lambda one: one.rank)}
    joined = groups(list(ranks), tested)
    said = f"Mean ranks over {counted(len(found.tasks), 'task')}. " + _tested((asked is not None and asked.p) or None)
    rows = [
        (
            pair.better,
            pair.other(pair.better),
            probability(pair.p, 4),
            probability(pair.corrected, 4),
            _yes(pair.significant),
        )
        for pair in sorted(tested, key=lambda one: one.p)
    ]
    return [
        "<h2>Who differs from whom</h2>",
        f"<p>{said}</p>",
        f'<div class="wide">{rank_diagram(ranks, joined, look, "Mean ranks over tasks")}</div>',
        table_html(("better", "worse", "p", "after Holm", f"below {LEVEL:g}"), rows, kind="words"),
    ]


def _tested(p: float | None) -> str:
    bars = "A bar joins optimizers that cannot be told apart: Wilcoxon's signed-rank tests over tasks, after Holm"
    if p is None:
        return f"{bars}."
    shown = probability(p, 4)
    sign = "" if shown.startswith("<") else "= "
    return f"{bars}, where Friedman's test of all together (p {sign}{shown}) lets pairs be asked about (Demsar 2006)."


def _yes(significant: bool) -> str:
    return "yes" if significant else "no"


def rank_figure(found: AcrossTasks, look: Mapping[str, Style]) -> Any:
    """Mean rank over the share of a task's time."""
    figure = _figure(found, found.ranks_over_time(), look, "%{y:.2f}")
    figure.update_yaxes(title_text="mean rank", range=[len(found.optimizers) + 0.15, 0.85])
    return figure


def regret_figure(found: AcrossTasks, look: Mapping[str, Style]) -> Any:
    """Mean normalised regret over the share of a task's time."""
    regrets = found.regrets_over_time()
    figure = _figure(found, regrets, look, "%{y:.3f}")
    values = [value for own in regrets.values() for value in own if value > 0]
    figure.update_yaxes(title_text="normalised regret", **(number_axis(values) if values else {}))
    return figure


def _figure(found: AcrossTasks, values: Mapping[str, FloatArray], look: Mapping[str, Style], hover: str) -> Any:
    import plotly.graph_objects as go

    # The order of the table, in every legend too; the first on top, as `overlays` has it.
    ordered = {one.optimizer: values[one.optimizer] for one in found.standings}
    figure = go.Figure()
    for rank, (name, y) in reversed(list(enumerate(ordered.items(), start=1))):
        line = {"color": look[name].colour, "dash": look[name].dash, "width": 2.5, "shape": "hv"}
        shown = {"mode": "lines", "line": line, "hovertemplate": hover}
        figure.add_scatter(x=SHARES, y=y, name=name, legendgroup=name, legendrank=rank, **shown)
    figure.add_traces(list(overlays(ordered, SHARES, look)))
    figure.update_xaxes(title_text="share of the time", **number_axis(SHARES))
    figure.update_layout(hovermode="x unified")
    return figure
