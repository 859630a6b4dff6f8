"""The sections of a comparison's page on the fronts of several objectives, and on what one objective alone finds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.comparing.alone import GIVEN, Alone, alone, nearly
from jointbench.bench.comparing.attainment import attainment
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.front_box import ASKED, Axis, axes, counted
from jointbench.bench.comparing.fronts import FrontRun, Fronts, read_fronts
from jointbench.bench.drawing.axes import metric_axis
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.comparison_figures import BAND
from jointbench.bench.pages.page import figure_html, table_html
from jointbench.bench.pages.templates import fill
from jointbench.bench.running.with_facts import exact_metrics
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import JointBenchError
from jointbench.data.metrics import Metric
from jointbench.data.pareto import HYPERVOLUME
from jointbench.data.quantities import listed
from jointbench.optimizers.registry import told_of


def box_words(settings: Settings) -> str:
    """From where to where the hypervolume goes; HTML."""
    sides = [_side_words(settings, axis) for axis in axes(settings.objectives, settings.box)]
    return (
        "The hypervolume is the share of a box that the front dominates, 100 % being a configuration that is best in "
        f"everything. The box goes {'; '.join(sides)}."
    )


def _side_words(settings: Settings, axis: Axis) -> str:
    metric, shown = axis.metric, axis.metric.shown
    ends = f"from {shown(axis.best)} to {shown(axis.reference)}"
    if metric.fraction:
        guessing = metric.guessing(None if settings.images is None else settings.images.classes)
        end = ", which is guessing" if guessing == axis.reference else ""
        return fill("in {{ label }} {{ ends }}{{ end }}", label=metric.label, ends=ends, end=end)
    exact = metric.name in exact_metrics(settings.task)
    of = f"{counted(settings.task.space) if exact else ASKED:,} random configurations"
    of += "" if exact else " at the largest budget"
    scale = " on a logarithmic scale" if axis.logarithmic else ""
    return fill(
        "in {{ label }}{{ scale }} {{ ends }}, the extremes of {{ of }}",
        label=metric.label,
        scale=scale,
        ends=ends,
        of=of,
    )


def told_words(settings: Settings, optimizers: Sequence[str]) -> str:
    """Which optimizers search for the first objective alone."""
    one = [name for name in optimizers if _told(settings, name) == 1]
    if not one:
        return ""
    return fill(
        "{{ names }} can search for one objective, and {{ search }} for {{ first }} alone; what {{ who }} judged like "
        "the others'.",
        names=listed(one),
        search="searches" if len(one) == 1 else "search",
        first=settings.objectives[0].label,
        who="it evaluates is" if len(one) == 1 else "they evaluate is",
    )


def _told(settings: Settings, name: str) -> int:
    """How many objectives an optimizer was told; 0 where it is not there any more."""
    try:
        return len(told_of(name, settings.objectives))
    except JointBenchError:
        return 0


def fronts_section(folder: Path, optimizers: Sequence[str], look: Mapping[str, Style]) -> list[str]:
    """Nothing where the comparison has one objective; `optimizers` in the order in which they are shown."""
    settings = Settings.read(folder)
    if not settings.box:
        return []
    fronts = read_fronts(folder)
    ordered = {name: fronts[name] for name in optimizers}
    return [
        "<h2>The fronts</h2>",
        "<p>What is true of the configurations on the fronts at the end. The line is the median attainment surface: "
        "beyond it, to the left and below, fewer than half of the runs attain anything; the band goes from what the "
        f"best run attains to what all runs do.{pictures_words(settings)}</p>",
        *(figure_html(front_figure(ordered, look, place), 520) for place in range(1, len(settings.objectives))),
        "<h2>What one objective alone would have found</h2>",
        "<p>The same runs, had one objective counted alone: the configuration that each would have recommended, "
        f"medians over seeds, and the share of the box that it dominates by itself. {_nearly_words(settings)}</p>",
        table_html(alone_headings(settings), alone_rows(ordered, settings), look),
    ]


def pictures_words(settings: Settings) -> str:
    """Of more than two objectives, what a picture leaves out."""
    if len(settings.objectives) == 2:
        return ""
    return fill(
        " Each picture shows {{ first }} and one other objective, whatever the rest are: what lies behind a line there "
        "may still be on the front for what is not shown, and the hypervolume counts all.",
        first=settings.objectives[0].label,
    )


def _nearly_words(settings: Settings) -> str:
    first, (best, reference) = settings.objectives[0], settings.box[0]
    most = first.shown(GIVEN * abs(reference - best))
    return fill(
        "“Nearly” is the best in another objective among those of the front whose {{ label }} was seen to be at most "
        "{{ most }} from the best.",
        label=first.label,
        most=most,
    )


def alone_headings(settings: Settings) -> tuple[str, ...]:
    labels = (metric.label for metric in settings.objectives)
    return ("optimizer", "what counts", *labels, HYPERVOLUME.label, "the front's")


def alone_rows(fronts: Fronts, settings: Settings) -> list[tuple[str, ...]]:
    """A row an optimizer and objective, and one for each further objective where the first is nearly as good."""
    objectives, found = settings.objectives, []
    for name, runs in fronts.items():
        whole = float(np.median([run.hypervolumes[-1] for run in runs]))
        kinds = [(f"{metric.label} alone", alone(runs, place)) for place, metric in enumerate(objectives)]
        later = list(enumerate(objectives))[1:]
        kinds += [(f"{metric.label}, {objectives[0].label} nearly", nearly(runs, place)) for place, metric in later]
        found += [(name, kind, *_cells(objectives, one), HYPERVOLUME.shown(whole)) for kind, one in kinds]
    return found


def _cells(objectives: Sequence[Metric], one: Alone) -> tuple[str, ...]:
    values = (metric.shown(value) for metric, value in zip(objectives, one.values, strict=True))
    return (*values, HYPERVOLUME.shown(one.share))


def front_figure(fronts: Fronts, look: Mapping[str, Style], place: int = 1) -> Any:
    """Attainment surfaces of the first objective (upwards) and the one at `place` (to the right)."""
    import plotly.graph_objects as go

    first, second = (next(iter(fronts.values()))[0].sides[k] for k in (0, place))
    losses = {name: [_losses(run, place) for run in runs] for name, runs in fronts.items()}
    # What is attained stays attained where there is more of the second.
    across = np.unique(np.concatenate([front[:, 1] for several in losses.values() for front in several]))
    x = second.metric.losses(across)
    behind, lines = [], []
    for name, several in losses.items():
        surfaces = attainment(several, across)
        limit = first.metric.loss(first.reference)
        best, median, worst = (np.minimum(one, limit) for one in (surfaces.best, surfaces.median, surfaces.worst))
        line = {"width": 0, "shape": "hv"}
        hidden = {"legendgroup": name, "showlegend": False, "hoverinfo": "skip", "mode": "lines", "x": x, "line": line}
        behind.append(go.Scatter(y=first.metric.losses(worst), **hidden))
        fill_between = {"fill": "tonexty", "fillcolor": look[name].faded(BAND)}
        behind.append(go.Scatter(y=first.metric.losses(best), **fill_between, **hidden))
        known = median < limit
        style = {"color": look[name].colour, "dash": look[name].dash, "width": 2.5, "shape": "hv"}
        lines.append(
            go.Scatter(
                x=x[known],
                y=first.metric.losses(median[known]),
                name=name,
                legendgroup=name,
                mode="lines",
                line=style,
                hovertemplate=f"%{{y:{first.metric.written}}} at %{{x:{_hover(second.metric)}}}",
            )
        )
    figure = go.Figure([*behind, *lines])
    every = np.concatenate([run.final[:, [0, place]] for runs in fronts.values() for run in runs])
    figure.update_xaxes(title_text=f"{second.metric.axis}", **metric_axis(second.metric, every[:, 1]))
    figure.update_yaxes(title_text=f"{first.metric.axis}", **metric_axis(first.metric, every[:, 0]))
    return figure


def _hover(metric: Metric) -> str:
    return ".3~s" if metric.unit == "bytes" else metric.written


def _losses(run: FrontRun, place: int) -> FloatArray:
    columns = [run.sides[k].metric.losses(run.final[:, k]) for k in (0, place)]
    return np.stack(columns, axis=1)
