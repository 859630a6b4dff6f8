"""What `jointbench retrain` found, on the page of its comparison: predicted against real error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.retraining_results import Retrained, judged_by, read_retrained
from jointbench.bench.comparing.statistics import bootstrap
from jointbench.bench.drawing.axes import share_axis
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.page import figure_html, table_html
from jointbench.bench.pages.templates import fill
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Evaluation
from jointbench.data.metrics import Metric
from jointbench.data.quantities import counted, short

#: Configurations below which no correlation is printed.
FEWEST = 4

#: What the comparison says of an incumbent, by its objective.
SAID = {"surrogate": "predicted", "replay": "logged", "known": "tabled", "training": "searched"}


def retraining_section(folder: Path, look: Mapping[str, Style]) -> list[str]:
    """Nothing where nothing was retrained."""
    settings, found = Settings.read(folder), read_retrained(folder)
    if not found:
        return []
    objective = judged_by(settings)[0]
    incumbents = [one for one in found if one.incumbent]
    groups = {name: own for name in look if (own := [one for one in incumbents if one.name == name])}
    references = {one.name: [one] for one in found if not one.incumbent}
    runs = len(run_files(folder))
    of = f"{len(incumbents)} of {counted(runs, 'run')}" if len(incumbents) < runs else counted(runs, "run")
    budget = settings.ladder.amount(settings.ladder.maximum)
    devices = sorted({_on(e, settings) for one in found for e in one.evaluations})
    first, *others = headings(settings)
    return [
        "<h2>Real retrainings</h2>",
        fill(
            "<p>The final incumbents of {{ of }}, trained anew for {{ budget }} on {{ devices }}. {{ found }}</p>",
            of=of,
            budget=budget,
            devices="; ".join(devices),
            found=Markup(_correlation(incumbents, objective)),
        ),
        *(_scatter_html(groups, look, settings) if incumbents else []),
        table_html(
            (first, *others),
            [cells(name, own, settings) for name, own in (groups | references).items()],
            look,
        ),
        fill('<p class="note">{{ note }}</p>', note=_note(settings, bool(references))),
        "<details><summary>All incumbents</summary>",
        table_html(
            ("optimizer and run", *others),
            [
                cells(f"{name} {one.incumbent.run_seed}", [one], settings)
                for name, own in groups.items()
                for one in own
                if one.incumbent
            ],
        ),
        "</details>",
    ]


def headings(settings: Settings) -> tuple[str, ...]:
    """Of the table."""
    said, networks = SAID[settings.objective], settings.images is not None
    values = [metric.label.removesuffix(" error") if networks else metric.label for metric in judged_by(settings)]
    return (
        *(("optimizer or network", "parameters") if networks else ("optimizer",)),
        *("budget", "trainings", "failed"),
        *(f"{word} {value}" for value in values for word in (said, "real")),
    )


def cells(name: str, own: Sequence[Retrained], settings: Settings) -> tuple[str, ...]:
    """A row of the table: of an optimizer's incumbents, or of a network."""
    return (
        name,
        *([_parameters(own)] if settings.images is not None else []),
        settings.ladder.amount(settings.ladder.maximum),
        str(sum(len(one.evaluations) for one in own)),
        str(sum(one.failed for one in own)),
        *(cell for metric in judged_by(settings) for cell in (_said(own, metric), _spread(own, metric))),
    )


def _parameters(own: Sequence[Retrained]) -> str:
    millions = sorted({short(one.parameters): one.parameters for one in own}.items(), key=lambda item: item[1])
    return " to ".join(dict.fromkeys((millions[0][0], millions[-1][0])))


def _said(own: Sequence[Retrained], metric: Metric) -> str:
    """The mean of what the comparison says of the incumbents."""
    said = [one.incumbent.metrics[metric.name] for one in own if one.incumbent and metric.name in one.incumbent.metrics]
    return metric.shown(float(np.mean(said))) if said else "-"


def _spread(own: Sequence[Retrained], metric: Metric) -> str:
    values = np.concatenate([one.values(metric) for one in own])
    if not len(values):
        return "-"
    mean = metric.shown(float(values.mean()))
    return mean if len(values) < 2 else f"{mean} ± {metric.shown(float(values.std(ddof=1)))}"


def _on(evaluation: Evaluation, settings: Settings) -> str:
    """On what it was trained, and, where a function of a person's own did it, by which."""
    where = evaluation.provenance
    return (
        f"{where.device} by {where.code_version}" if settings.images is None else f"{where.device}, {where.precision}"
    )


def _note(settings: Settings, networks: bool) -> str:
    """`networks`: whether there are rows of published ones."""
    means = "means with the standard deviation over all trainings of the row"
    if settings.images is not None:
        return (
            f"As in the paper's Table 2: test errors after the same budget, {means}. An optimizer's row is about the "
            f"incumbents of all its runs{'; the rows below are published networks' if networks else ''}. A training "
            "that failed counts with an error of 100 %."
        )
    metric = judged_by(settings)[0]
    counts = "is not in them" if metric.failure is None else f"counts with {metric.shown(metric.failure)}"
    return (
        f"After the same budget, {means}; a row is about the incumbents of all runs of the optimizer. A training that "
        f"failed {counts}."
    )


def _before(one: Retrained, metric: Metric) -> float:
    """The value by which the comparison judged it."""
    assert one.incumbent is not None
    return one.incumbent.metrics[metric.name]


def _correlation(incumbents: Sequence[Retrained], metric: Metric) -> str:
    from scipy.stats import rankdata

    # Runs that ended with the same configuration are one point.
    different = {str(one.incumbent.configuration): one for one in incumbents if one.incumbent}.values()
    real = [(_before(one, metric), one.values(metric)) for one in different]
    values = np.array([(said, found.mean()) for said, found in real if len(found)])
    if len(values) < FEWEST:
        return "There are too few of them for a rank correlation."

    def spearman(samples: Sequence[npt.NDArray[np.intp]]) -> FloatArray:
        """Of resampled configurations; 0 where all of them are equal."""
        ranks = rankdata(values[samples[0]], axis=1)
        x, y = np.moveaxis(ranks - ranks.mean(axis=1, keepdims=True), -1, 0)
        norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
        return np.asarray((x * y).sum(axis=1) / np.where(norm > 0, norm, 1.0))

    rho, interval = spearman([np.arange(len(values))[None]])[0], bootstrap(spearman, [len(values)])
    assert interval is not None
    return (
        f"Spearman's rank correlation of the {metric.labels} over the {len(values)} different configurations is "
        f"<b>{rho:.2f}</b> (95 % interval {interval[0]:.2f} to {interval[1]:.2f}, from resampled configurations)."
    )


def _scatter_html(
    groups: Mapping[str, Sequence[Retrained]], look: Mapping[str, Style], settings: Settings
) -> list[str]:
    return [
        "<p>A point is a configuration's mean, its bar the standard deviation over its trainings; on the dotted line "
        "the comparison was right.</p>",
        figure_html(scatter(groups, look, settings), 480),
    ]


def scatter(groups: Mapping[str, Sequence[Retrained]], look: Mapping[str, Style], settings: Settings) -> Any:
    """What was said of the incumbents' objective, and what is real, by optimizer."""
    import plotly.graph_objects as go

    figure, said, metric = go.Figure(), SAID[settings.objective], judged_by(settings)[0]
    reach = [0.0] if metric.bounds[0] == 0 else []
    number = ".2%" if metric.fraction else ".4g"
    for name, own in groups.items():
        there = [(one, one.values(metric)) for one in own if one.incumbent and len(one.values(metric))]
        x = [_before(one, metric) for one, _ in there]
        y = [values.mean() for _, values in there]
        bars = [values.std(ddof=1) if len(values) > 1 else 0.0 for _, values in there]
        reach += [*x, *(top + bar for top, bar in zip(y, bars, strict=True))]
        reach += [low - bar for low, bar in zip(y, bars, strict=True)] if metric.bounds[0] != 0 else []
        figure.add_scatter(
            x=x,
            y=y,
            error_y={"type": "data", "array": bars, "thickness": 1.2, "width": 3},
            mode="markers",
            marker={"color": look[name].colour, "size": 9, "line": {"color": "white", "width": 1}},
            name=name,
            text=[f"run {one.incumbent.run_seed}" for one, _ in there if one.incumbent],
            hovertemplate=f"%{{text}}: {said} %{{x:{number}}}, real %{{y:{number}}}",
        )
    low, high = (min(reach), max(reach)) if reach else (0.0, 1.0)
    # From 0 on where nothing is below it.
    spare = 0.05 * (high - low)
    ends = [low if metric.bounds[0] == 0 else low - spare, high + spare]
    line = {"color": "#8a8a86", "dash": "dot"}
    figure.add_scatter(x=ends, y=ends, mode="lines", line=line, showlegend=False, hoverinfo="skip")
    ticks = share_axis() if metric.fraction else {"tickformat": "~g"}
    figure.update_xaxes(title_text=f"{said} {metric.axis}", range=ends, **ticks)
    figure.update_yaxes(title_text=f"real {metric.axis}", range=ends, **ticks)
    return figure
