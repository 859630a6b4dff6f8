"""The same comparison with other numbers of workers, on the page of the first: who gains from more of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jointbench.bench.comparing.comparison_folder import Settings, run_files, workers_folders
from jointbench.bench.comparing.summary import Row, summary
from jointbench.bench.drawing.axes import metric_axis, number_axis
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.page import figure_html
from jointbench.data.quantities import counted

#: An optimizer's rows by number of workers.
Points = Sequence[tuple[int, Row]]


def workers_section(folder: Path, look: Mapping[str, Style]) -> list[str]:
    """Nothing where the comparison has one number of workers only."""
    settings = Settings.read(folder)
    numbers = {one: Settings.read(one).workers for one in (folder, *workers_folders(folder))}
    folders = {workers: one for one, workers in numbers.items() if _alike(one, settings) and run_files(one)}
    if len(folders) < 2:
        return []
    counts, by_workers = sorted(folders), {workers: summary(one) for workers, one in folders.items()}
    found = {
        name: [(count, row) for count in counts for row in by_workers[count] if row.optimizer == name] for name in look
    }
    return [
        "<h2>By number of workers</h2>",
        f"<p>The same comparison with {', '.join(f'{count:,}' for count in counts[:-1])} and {counts[-1]:,} workers. "
        f"{_stop_words(settings, [Settings.read(one) for one in numbers])}</p>",
        '<div class="two">',
        f"<div><p>Final {settings.compared_by.label}, median and quartiles.</p>"
        f"{figure_html(_errors(found, look), 400)}</div>",
        "<div><p>Speed-up over random search with equal workers; no point where its error is never reached.</p>"
        f"{figure_html(_speedups(found, look), 400)}</div>",
        "</div>",
    ]


def _alike(folder: Path, first: Settings) -> bool:
    """Whether a comparison is the same but for its workers, and for the time that random search takes on as many."""
    other = Settings.read(folder)
    timed = (other.time is None) == (first.time is None)
    return timed and other == replace(
        first,
        workers=other.workers,
        time=other.time,
        full_budgets=other.full_budgets if other.time else first.full_budgets,
    )


def _stop_words(settings: Settings, others: Sequence[Settings]) -> str:
    if settings.time is None:
        return "The total of the budgets is the same, so more workers end sooner but decide on less."
    if len({one.time for one in others}) == 1:
        return f"All have {settings.time:,g} seconds, so more workers evaluate more."
    return (
        "Each has the time that random search takes for the same budgets on as many workers, so more workers end "
        "sooner but decide on less."
    )


def _errors(found: Mapping[str, Points], look: Mapping[str, Style]) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, points in found.items():
        rows = [row for _, row in points]
        figure.add_scatter(
            x=[count for count, _ in points],
            y=[row.value for row in rows],
            error_y={
                "type": "data",
                "array": [row.quartiles[1] - row.value for row in rows],
                "arrayminus": [row.value - row.quartiles[0] for row in rows],
                "thickness": 1.2,
                "width": 3,
            },
            **_line(name, points, look),
        )
    objective = next(row.objective for points in found.values() for _, row in points)
    figure.update_traces(hovertemplate=f"%{{y:{objective.written}}}, %{{text}}")
    drawn = [error for points in found.values() for _, row in points for error in (*row.quartiles, row.value)]
    figure.update_xaxes(**_workers_axis(found))
    figure.update_yaxes(title_text=f"final {objective.axis}", **metric_axis(objective, drawn))
    return figure


def _speedups(found: Mapping[str, Points], look: Mapping[str, Style]) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, points in found.items():
        reached = [(count, row) for count, row in points if row.speedup and row.speedup.factor > 0]
        figure.add_scatter(
            x=[count for count, _ in reached],
            y=[row.speedup.factor for _, row in reached if row.speedup],
            **_line(name, reached, look),
        )
    figure.update_traces(hovertemplate="%{y:.1f}x, %{text}")
    drawn = [row.speedup.factor for points in found.values() for _, row in points if row.speedup]
    figure.update_xaxes(**_workers_axis(found))
    figure.update_yaxes(title_text="speed-up over random", **number_axis(drawn))
    return figure


def _line(name: str, points: Points, look: Mapping[str, Style]) -> dict[str, Any]:
    style = look[name]
    return {
        "name": name,
        "text": [counted(row.seeds, "seed") for _, row in points],
        "mode": "lines+markers",
        "line": {"color": style.colour, "dash": style.dash, "width": 2},
        "marker": {"size": 7},
    }


def _workers_axis(found: Mapping[str, Points]) -> dict[str, Any]:
    counts = sorted({count for points in found.values() for count, _ in points})
    ticks = {"tickvals": counts, "ticktext": [f"{count:,}" for count in counts]}
    return {"type": "log", "title_text": "workers", **ticks}
