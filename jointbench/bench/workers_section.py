"""The same comparison with other numbers of workers, on the page of the first: who gains from more of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jointbench.bench.comparison_folder import Settings, workers_folders
from jointbench.bench.page import ERROR_TICKS, figure_html, log_ticks
from jointbench.bench.palette import Style
from jointbench.bench.trajectories import Row, summary


def workers_section(folder: Path, look: Mapping[str, Style]) -> list[str]:
    """Nothing where the comparison has one number of workers only."""
    others = workers_folders(folder)
    if not others:
        return []
    by_workers = {Settings.read(one).workers: summary(one) for one in (folder, *others)}
    counts = sorted(by_workers)
    found = {
        name: [(count, row) for count in counts for row in by_workers[count] if row.optimizer == name] for name in look
    }
    return [
        "<h2>By number of workers</h2>",
        f"<p>The same comparison with {', '.join(f'{count:,}' for count in counts[:-1])} and {counts[-1]:,} workers. "
        "The total of the budgets is the same, so more workers end sooner but decide on less.</p>",
        '<div class="two">',
        f"<div><p>Final validation error, median and quartiles.</p>{figure_html(_errors(found, look), 380)}</div>",
        f"<div><p>Speed-up over random search with equal workers.</p>{figure_html(_speedups(found, look), 380)}</div>",
        "</div>",
    ]


def _errors(found: Mapping[str, Sequence[tuple[int, Row]]], look: Mapping[str, Style]) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, points in found.items():
        rows = [row for _, row in points]
        figure.add_scatter(
            x=[count for count, _ in points],
            y=[row.validation_error for row in rows],
            error_y={
                "type": "data",
                "array": [row.quartiles[1] - row.validation_error for row in rows],
                "arrayminus": [row.validation_error - row.quartiles[0] for row in rows],
                "thickness": 1.2,
                "width": 3,
            },
            hovertemplate="%{y:.2%}",
            **_line(name, look),
        )
    figure.update_xaxes(**_workers_axis(found))
    figure.update_yaxes(type="log", tickformat=".0%", tickvals=ERROR_TICKS)
    figure.update_layout(showlegend=False)
    return figure


def _speedups(found: Mapping[str, Sequence[tuple[int, Row]]], look: Mapping[str, Style]) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, points in found.items():
        reached = [(count, row.speedup.factor) for count, row in points if row.speedup and row.speedup.factor > 0]
        figure.add_scatter(
            x=[count for count, _ in reached],
            y=[factor for _, factor in reached],
            hovertemplate="%{y:.1f}x",
            **_line(name, look),
        )
    figure.update_xaxes(**_workers_axis(found))
    figure.update_yaxes(**log_ticks(0.1, 1000.0))
    figure.update_layout(showlegend=False)
    return figure


def _line(name: str, look: Mapping[str, Style]) -> dict[str, Any]:
    style = look[name]
    return {
        "name": name,
        "mode": "lines+markers",
        "line": {"color": style.colour, "dash": style.dash, "width": 2},
        "marker": {"size": 7},
    }


def _workers_axis(found: Mapping[str, Sequence[tuple[int, Row]]]) -> dict[str, Any]:
    counts = sorted({count for points in found.values() for count, _ in points})
    return {
        "type": "log",
        "title_text": "workers",
        "tickvals": counts,
        "ticktext": [f"{count:,}" for count in counts],
    }
