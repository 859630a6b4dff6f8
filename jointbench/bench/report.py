"""The page of a comparison or of a log: one HTML file that opens offline in any browser."""

import html
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

import jointbench
from jointbench.bench.comparison import SETTINGS, Settings
from jointbench.bench.trajectories import HEADINGS, band, cells, read_trajectories, summary, time_grid
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog

FloatArray = npt.NDArray[np.float64]

PAGE = "report.html"
RETRAINED = "retrained.parquet"

#: Okabe and Ito's colours, which colour-blind readers can tell apart (black and yellow left out).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8C564B")

#: The same colour for the same optimizer on every page; others take what is left in the order of their names.
_OWN_COLOUR = {"bohb": 0, "two-stage": 1, "hyperband": 2, "smac": 3, "random": 6}

_ERROR_TICKS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9)

#: Configurations shared by two budgets below which no correlation is printed.
FEWEST_FOR_CORRELATION = 5

_LAYOUT: Mapping[str, Any] = {
    "template": "plotly_white",
    "font": {"family": "system-ui, Helvetica Neue, Arial, sans-serif", "size": 14, "color": "#1c1c1c"},
    "height": 520,
    "margin": {"l": 70, "r": 20, "t": 20, "b": 60},
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    "hovermode": "x unified",
}


def colours(optimizers: Iterable[str]) -> dict[str, str]:
    """A colour for each optimizer."""
    names = sorted(optimizers)
    free = [i for i in range(len(_COLOURS)) if i not in _OWN_COLOUR.values()]
    others = [name for name in names if name not in _OWN_COLOUR]
    index = {name: free[i % len(free)] for i, name in enumerate(others)} | _OWN_COLOUR
    return {name: _COLOURS[index[name]] for name in names}


def write_report(folder: Path) -> Path:
    """Draw the page of a comparison (or of a log) into its folder; a released log's beside its file.

    Raises LogError when `folder` holds neither.
    """
    if (folder / SETTINGS).exists():
        return _write(folder / PAGE, "Which optimizer wins?", _comparison(folder))
    log = EvaluationLog.open(folder)
    place = folder / PAGE if folder.is_dir() else folder.with_name(f"{folder.stem}-{PAGE}")
    return _write(place, f"A log of {log.images.name}", _log(log))


def _write(path: Path, title: str, body: list[str]) -> Path:
    page = Template((resources.files("jointbench.bench") / "report.html").read_text())
    text = page.substitute(title=html.escape(title), body="\n".join(body), version=jointbench.__version__)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.writing")
    temporary.write_text(text)
    temporary.replace(path)
    return path


def _figure_html(figure: Any, first: bool) -> str:
    """plotly's own script stands in the page once, so that no network is asked."""
    figure.update_layout(**_LAYOUT)
    text: str = figure.to_html(full_html=False, include_plotlyjs=first, config={"displaylogo": False})
    return text


def table_html(
    headings: Sequence[str], rows: Iterable[Sequence[str]], swatches: Mapping[str, str] | None = None
) -> str:
    """An HTML table; `swatches` colours the first cell's names."""
    lines = [
        "<table><thead><tr>",
        *(f"<th>{html.escape(heading)}</th>" for heading in headings),
        "</tr></thead><tbody>",
    ]
    for row in rows:
        swatch = f'<span class="swatch" style="background:{swatches[row[0]]}"></span>' if swatches else ""
        first, *rest = (html.escape(cell) for cell in row)
        lines.append(f"<tr><td>{swatch}{first}</td>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _comparison(folder: Path) -> list[str]:
    import plotly.graph_objects as go

    settings, content = Settings.read(folder), json.loads((folder / SETTINGS).read_text())
    trajectories = read_trajectories(folder)
    colour = colours(trajectories)
    grid = time_grid(trajectories)
    figure = go.Figure()
    for name, runs in trajectories.items():
        lower, median, upper = band(runs, grid)
        known = ~np.isnan(median)
        line = {"color": colour[name], "shape": "hv"}
        shared = {"legendgroup": name, "mode": "lines", "x": grid[known]}
        figure.add_scatter(y=upper[known], line={**line, "width": 0}, showlegend=False, hoverinfo="skip", **shared)
        figure.add_scatter(
            y=lower[known],
            line={**line, "width": 0},
            fill="tonexty",
            fillcolor=_faded(colour[name]),
            showlegend=False,
            hoverinfo="skip",
            **shared,
        )
        figure.add_scatter(y=median[known], line={**line, "width": 2.5}, name=name, hovertemplate="%{y:.2%}", **shared)
    figure.update_xaxes(type="log", title="simulated wall-clock time, seconds", dtick=1, showgrid=True)
    figure.update_yaxes(
        type="log", title="incumbent's validation error, without noise", tickformat=".0%", tickvals=_ERROR_TICKS
    )
    rows = summary(folder)
    best = rows[0]
    return [
        "<h1>Which optimizer wins?</h1>",
        f'<p class="lead">{len(rows)} optimizers search architecture and hyperparameters together on the benchmark '
        f"<b>{html.escape(settings.benchmark_name)}</b>, {settings.workers} simulated workers, a total of "
        f"{settings.full_budgets:g} full budgets each. Lowest mean rank: <b>{html.escape(best.optimizer)}</b>, median "
        f"final validation error {best.validation_error:.2%}.</p>",
        "<h2>The incumbent's error over time</h2>",
        "<p>Lower and further left is better. A line is the median over seeds of the error that the configuration "
        "an optimizer would recommend at that time is expected to reach at the largest budget, noise taken away; the "
        "band holds the middle half of the seeds. Click a name to hide it, drag to zoom.</p>",
        _figure_html(figure, first=True),
        "<h2>The table</h2>",
        table_html(HEADINGS, (cells(row) for row in rows), colour),
        "<p>Regret is the distance to the lowest error that any run ended with. Ranks are by final validation error "
        "among runs of the same seed. The speed-up is the time that random search needs for its own final error over "
        "the time that the optimizer needs for it, medians of both.</p>",
        *_retrained(folder, colour),
        "<h2>Again, exactly</h2>",
        f"<pre>{html.escape(content['command'])}</pre>",
        table_html(("what", "value"), [(k, str(v)) for k, v in (content["settings"] | content["versions"]).items()]),
    ]


def _faded(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


def _retrained(folder: Path, colour: Mapping[str, str]) -> list[str]:
    """What `jointbench retrain` found, if it has been run."""
    if not (folder / RETRAINED).exists():
        return []
    import plotly.graph_objects as go
    from scipy.stats import spearmanr

    table = pq.read_table(folder / RETRAINED).to_pylist()
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in table:
        groups.setdefault((row["optimizer"], row["run_seed"]), []).append(row)
    figure = go.Figure()
    shown: set[str] = set()
    points = []
    for (name, run_seed), rows in sorted(groups.items()):
        predicted = rows[0]["predicted_validation_error"]
        real = [row["validation_error"] for row in rows]
        points.append((name, predicted, float(np.mean(real))))
        figure.add_scatter(
            x=[predicted],
            y=[np.mean(real)],
            error_y={"type": "data", "array": [np.std(real)], "color": colour.get(name, "#7F7F7F")},
            mode="markers",
            marker={"color": colour.get(name, "#7F7F7F"), "size": 9},
            name=name,
            legendgroup=name,
            showlegend=name not in shown,
            hovertemplate=f"run {run_seed}: predicted %{{x:.2%}}, real %{{y:.2%}}",
        )
        shown.add(name)
    span = [value for _, predicted, real in points for value in (predicted, real)]
    ends = [min(span) * 0.8, max(span) * 1.1]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": "#bbb", "dash": "dot"}, showlegend=False)
    figure.update_xaxes(title="validation error that the surrogate predicts", tickformat=".0%")
    figure.update_yaxes(title="validation error of the real trainings", tickformat=".0%")
    lines = [
        "<h2>Real retrainings</h2>",
        f"<p>The final incumbents, trained for real at the largest budget: {len(table)} trainings of {len(points)} "
        "configurations. Bars are standard deviations over seeds; on the dotted line the surrogate is right.</p>",
        _figure_html(figure, first=False),
    ]
    if len({p[1] for p in points}) > 2:
        rho, (low, high) = _bootstrapped(np.array([p[1:] for p in points]), lambda x: spearmanr(x[:, 0], x[:, 1])[0])
        lines.append(
            f"<p>Spearman's rank correlation of predicted and real error: {rho:.2f} "
            f"(95 % bootstrap interval {low:.2f} to {high:.2f}).</p>"
        )
    by_optimizer = {name: [p for p in points if p[0] == name] for name in sorted(shown)}
    failed = {name: sum(row["status"] != "ok" for row in table if row["optimizer"] == name) for name in by_optimizer}
    lines.append(
        table_html(
            ("optimizer", "configurations", "predicted error", "real error", "failed trainings"),
            [
                (
                    name,
                    str(len(own)),
                    f"{np.mean([p[1] for p in own]):.2%}",
                    f"{np.mean([p[2] for p in own]):.2%}",
                    str(failed[name]),
                )
                for name, own in by_optimizer.items()
            ],
            {name: colour.get(name, "#7F7F7F") for name in by_optimizer},
        )
    )
    return lines


def _bootstrapped(points: FloatArray, statistic: Any, draws: int = 2000) -> tuple[float, tuple[float, float]]:
    """The statistic of the rows and its 95 % percentile interval over resampled rows."""
    rng = np.random.default_rng(0)
    samples = [points[rng.integers(len(points), size=len(points))] for _ in range(draws)]
    values = [statistic(sample) for sample in samples if len(np.unique(sample, axis=0)) > 2]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(statistic(points)), (float(low), float(high))


def _log(log: EvaluationLog) -> list[str]:
    evaluations = list(log.evaluations())
    rungs = log.ladder.rungs
    statuses = sorted({e.status.value for e in evaluations})
    ended = Counter((e.budget, e.status.value) for e in evaluations)
    failed = sum(not e.ok for e in evaluations)
    return [
        f"<h1>A log of trainings on {html.escape(log.images.name)}</h1>",
        f'<p class="lead">{len(evaluations):,} evaluations of the space <b>{log.space.name}</b>, budgets {log.ladder} '
        f"{log.ladder.unit}; {failed} of them failed.</p>",
        "<h2>Every evaluation</h2>",
        "<p>Validation error of each training when it ended, by budget; the line is the lowest at the largest budget "
        "so far (the paper's Figure 1). An error of 0 is drawn at half an image.</p>",
        _figure_html(_every_evaluation(log, evaluations), first=True),
        "<h2>How they ended</h2>",
        table_html(
            ("budget", *statuses),
            [(f"{rung:g}", *(str(ended[rung, status]) for status in statuses)) for rung in rungs],
        ),
        "<h2>Does a short training tell what a long one will?</h2>",
        "<p>Spearman's rank correlation of the validation errors of configurations trained at both budgets (the "
        "paper's Table 1).</p>",
        table_html(("budget", *(f"{rung:g}" for rung in rungs[1:])), _correlations(log, evaluations)),
    ]


def _every_evaluation(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> Any:
    import plotly.graph_objects as go

    began = min((e.finished_at - e.wall_seconds for e in evaluations), default=0.0)
    half = 0.5 / log.images.validation
    figure = go.Figure()
    for index, rung in enumerate(log.ladder.rungs):
        own = [e for e in evaluations if e.ok and log.ladder.rung_of(e.budget) == index]
        figure.add_scatter(
            x=[e.finished_at - began for e in own],
            y=[max(e.validation_error, half) for e in own],
            mode="markers",
            marker={"size": 5, "opacity": 0.6, "color": _COLOURS[index % len(_COLOURS)]},
            name=f"{rung:g} {log.ladder.unit}",
            hovertemplate="%{y:.2%}",
        )
    largest = [e for e in evaluations if e.ok and e.budget == log.ladder.maximum]
    figure.add_scatter(
        x=[e.finished_at - began for e in largest],
        y=np.minimum.accumulate([max(e.validation_error, half) for e in largest] or [1.0]),
        mode="lines",
        line={"color": "#1c1c1c", "shape": "hv"},
        name="best at the largest budget",
    )
    figure.update_xaxes(type="log", title="wall-clock time of the collection, seconds", dtick=1)
    figure.update_yaxes(type="log", title="validation error", tickformat=".0%", tickvals=_ERROR_TICKS)
    figure.update_layout(hovermode="closest")
    return figure


def _correlations(log: EvaluationLog, evaluations: Sequence[Evaluation]) -> list[tuple[str, ...]]:
    from scipy.stats import spearmanr

    rungs = log.ladder.rungs
    by_rung = [
        {tuple(log.space.row(e.configuration)): e.validation_error for e in evaluations if e.ok and e.budget == rung}
        for rung in rungs
    ]
    rows = []
    for i, low in enumerate(by_rung[:-1]):
        row = [f"{rungs[i]:g}"]
        for j, high in enumerate(by_rung[1:], start=1):
            both = [key for key in low if key in high]
            if j <= i:
                row.append("")
            elif len(both) < FEWEST_FOR_CORRELATION:
                row.append("-")
            else:
                rho = spearmanr([low[key] for key in both], [high[key] for key in both]).statistic
                row.append(f"{rho:.2f} (n = {len(both)})")
        rows.append(tuple(row))
    return rows
