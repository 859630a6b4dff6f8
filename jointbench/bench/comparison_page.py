"""The page of a comparison: who wins, by how much, how sure that is, and how to do it again."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.comparison_folder import RETRAINED, Settings, read_content
from jointbench.bench.page import (
    ERROR_TICKS,
    figure_html,
    log_range,
    log_ticks,
    script,
    table_html,
    time_unit,
)
from jointbench.bench.palette import Style, styles
from jointbench.bench.rank_diagram import rank_diagram
from jointbench.bench.retraining_section import retraining_section
from jointbench.bench.statistics import Pair, groups, pairs
from jointbench.bench.trajectories import (
    HEADINGS,
    YARDSTICK,
    FloatArray,
    Row,
    Trajectory,
    band,
    cells,
    final_errors,
    lowest_error,
    ranks_over_time,
    read_trajectories,
    shared_seeds,
    summary,
    time_grid,
)
from jointbench.bench.workers_section import workers_section

Runs = Mapping[str, Sequence[Trajectory]]

#: Fraction of the colour that a band shows.
BAND = 0.13


def comparison_page(folder: Path) -> list[str]:
    """The body of the page. Raises LogError when the folder holds no finished run."""
    settings, content = Settings.read(folder), read_content(folder)
    rows = summary(folder)
    found = read_trajectories(folder)
    # The order of the table, in every legend too.
    runs = {row.optimizer: found[row.optimizer] for row in rows}
    look = styles(runs)
    tested = pairs(final_errors(runs))
    grid = time_grid(runs)
    return [
        script(),
        "<h1>Which optimizer wins?</h1>",
        f'<p class="lead">{_verdict(settings, rows, tested)}</p>',
        "<h2>The incumbent's error over time</h2>",
        "<p>Lower and further left is better. At each time an optimizer would recommend one configuration: the best it "
        "has seen at the largest budget so far. Drawn is the error that this configuration is expected to reach at the "
        "largest budget, noise taken away: the median over seeds, with a band over the middle half of them.</p>",
        figure_html(error_figure(runs, look, grid), 520),
        '<p class="note">Click a name to hide its line, double-click to see it alone, drag to zoom.</p>',
        "<h2>The table</h2>",
        table_html(HEADINGS, (cells(row) for row in rows), look),
        '<p class="note">Final errors are medians over seeds. Regret is the distance to the lowest error that any '
        "incumbent ever had. Ranks are by final validation error among runs of the same seed. Speed-up is how much "
        "sooner the median stays at or below random search's final error, with its 95 % interval over resamples.</p>",
        *_differences(runs, rows, tested, look),
        "<h2>On the way</h2>",
        '<div class="two">',
        f"<div><p>Mean rank over seeds, 1 the best.</p>{figure_html(_ranks(runs, look, grid), 380)}</div>",
        "<div><p>Normalised regret: 1 is guessing, 0 the best incumbent of all.</p>"
        f"{figure_html(_regrets(runs, look, grid, settings.guessing_error), 380)}</div>",
        "</div>",
        *workers_section(folder, look),
        *(retraining_section(folder / RETRAINED, look) if (folder / RETRAINED).exists() else []),
        "<h2>The same again</h2>",
        f"<pre>{html.escape(chr(10).join(content['commands']))}</pre>",
        table_html(("setting", "value"), plain(content["settings"]), kind="words"),
        table_html(("library", "version"), plain(content["versions"]), kind="words"),
    ]


def plain(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values as the rows of a table."""
    return [(key.replace("_", " "), str(value)) for key, value in content.items()]


def _verdict(settings: Settings, rows: Sequence[Row], tested: Sequence[Pair]) -> str:
    best = rows[0]
    name = html.escape(best.optimizer)
    lines = [
        f"{len(rows)} optimizers search architecture and hyperparameters together on "
        f"<b>{html.escape(settings.benchmark_name)}</b>, each with {settings.workers:,} simulated workers and "
        f"{settings.full_budgets:g} full budgets."
    ]
    if len(rows) == 1:
        return f"{lines[0]} <b>{name}</b> ends at a median validation error of {best.validation_error:.2%}."
    lines.append(
        f"<b>{name}</b> has the lowest mean rank, {best.rank:.2f}, and ends at a median validation error of "
        f"{best.validation_error:.2%}."
    )
    if best.optimizer != YARDSTICK and best.speedup is not None and best.speedup.factor > 1:
        lines.append(f"It reaches random search's final error {best.speedup.factor:.1f} times sooner.")
    beaten = [
        pair.second if pair.first == best.optimizer else pair.first
        for pair in tested
        if pair.significant and best.optimizer in (pair.first, pair.second)
    ]
    if len(beaten) == len(rows) - 1:
        lines.append("It differs significantly from all others.")
    elif beaten:
        lines.append(f"It differs significantly from {html.escape(', '.join(beaten))}.")
    else:
        lines.append("With these seeds it differs significantly from none of the others.")
    return " ".join(lines)


def error_figure(runs: Runs, look: Mapping[str, Style], grid: FloatArray) -> Any:
    """The picture: median and interquartile band of the incumbent's true error at the times of the grid, seconds."""
    import plotly.graph_objects as go

    seconds = time_unit(grid[-1])[1]
    figure = go.Figure()
    bands = {name: band(several, grid) for name, several in runs.items()}
    for name, (lower, _, upper) in bands.items():
        known = ~np.isnan(lower)
        x, line = grid[known] / seconds, {"width": 0, "shape": "hv"}
        hidden = {"legendgroup": name, "showlegend": False, "hoverinfo": "skip", "mode": "lines", "x": x, "line": line}
        figure.add_scatter(y=upper[known], **hidden)
        figure.add_scatter(y=lower[known], fill="tonexty", fillcolor=look[name].faded(BAND), **hidden)
    # All lines above all bands.
    for name, (_, median, _) in bands.items():
        figure.add_scatter(
            x=grid / seconds, y=median, name=name, legendgroup=name, hovertemplate="%{y:.2%}", **_line(look[name])
        )
    every = np.concatenate([values for several in bands.values() for values in several])
    figure.update_xaxes(**_time_axis(runs, grid))
    figure.update_yaxes(
        type="log",
        title_text="incumbent's validation error",
        tickformat=".0%",
        tickvals=ERROR_TICKS,
        range=log_range(np.maximum(every, 1e-4)),
    )
    figure.update_layout(hovermode="x unified")
    return figure


def _time_axis(runs: Runs, grid: FloatArray) -> dict[str, Any]:
    """From the time at which the first optimizer has a median."""
    unit, seconds = time_unit(grid[-1])
    begins = min(grid[np.argmax(~np.isnan(band(several, grid)[1]))] for several in runs.values())
    return {
        "title_text": f"simulated wall-clock time, {unit}",
        "range": log_range([begins / seconds, grid[-1] / seconds]),
        "hoverformat": ".3~g",
        **log_ticks(begins / seconds, grid[-1] / seconds),
    }


def _line(style: Style) -> dict[str, Any]:
    return {"mode": "lines", "line": {"color": style.colour, "dash": style.dash, "width": 2.5, "shape": "hv"}}


def _ranks(runs: Runs, look: Mapping[str, Style], grid: FloatArray) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    seconds = time_unit(grid[-1])[1]
    for name, ranks in ranks_over_time(runs, grid).items():
        figure.add_scatter(x=grid / seconds, y=ranks, name=name, hovertemplate="%{y:.2f}", **_line(look[name]))
    figure.update_xaxes(**_time_axis(runs, grid))
    figure.update_yaxes(range=[len(runs) + 0.15, 0.85], dtick=1)
    figure.update_layout(hovermode="x unified", showlegend=False)
    return figure


def _regrets(runs: Runs, look: Mapping[str, Style], grid: FloatArray, guessing: float) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    seconds = time_unit(grid[-1])[1]
    least = lowest_error(runs)
    for name, several in runs.items():
        regret = (band(several, grid)[1] - least) / max(guessing - least, 1e-12)
        figure.add_scatter(x=grid / seconds, y=regret, name=name, hovertemplate="%{y:.3f}", **_line(look[name]))
    figure.update_xaxes(**_time_axis(runs, grid))
    figure.update_yaxes(**log_ticks(1e-3, 1.0))
    figure.update_layout(hovermode="x unified", showlegend=False)
    return figure


def _differences(runs: Runs, rows: Sequence[Row], tested: Sequence[Pair], look: Mapping[str, Style]) -> list[str]:
    if len(rows) < 2:
        return []
    ranks = {row.optimizer: row.rank for row in rows}
    shared = len(shared_seeds(runs))
    seeds = f"{shared} seed" + ("" if shared == 1 else "s")
    return [
        "<h2>Is the difference real?</h2>",
        f"<p>Mean ranks over the {seeds} that all optimizers share. A bar joins optimizers that cannot be told apart: "
        "no pair among them differs by a paired Wilcoxon signed-rank test of the final errors at 5 %, after Holm's "
        "correction over all pairs.</p>",
        rank_diagram(ranks, groups(list(ranks), tested), look, "mean ranks"),
        "<details><summary>All pairs</summary>",
        table_html(
            ("pair", "seeds", "median difference", "p", "after Holm"),
            [
                (
                    f"{pair.first} / {pair.second}",
                    str(pair.seeds),
                    f"{pair.difference:+.2%}",
                    f"{pair.p:.3f}",
                    f"{pair.corrected:.3f}" + (" *" if pair.significant else ""),
                )
                for pair in tested
            ],
        ),
        "</details>",
    ]
