"""What `jointbench retrain` found, on the page of its comparison: predicted against real error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.retraining_results import Retrained, read_retrained
from jointbench.bench.comparing.statistics import bootstrap
from jointbench.bench.drawing.axes import share_axis
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.page import figure_html, table_html
from jointbench.bench.pages.templates import fill
from jointbench.data.arrays import FloatArray
from jointbench.data.metrics import TEST_ERROR, VALIDATION_ERROR
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
    said = SAID[settings.objective]
    incumbents = [one for one in found if one.incumbent]
    groups = {name: own for name in look if (own := [one for one in incumbents if one.name == name])}
    references = {one.name: [one] for one in found if not one.incumbent}
    of = f"{len(incumbents)} of {counted(len(run_files(folder)), 'run')}"
    budget = settings.ladder.amount(settings.ladder.maximum)
    devices = sorted({f"{e.provenance.device}, {e.provenance.precision}" for one in found for e in one.evaluations})
    first, *others = headings(said)
    return [
        "<h2>Real retrainings</h2>",
        fill(
            "<p>The final incumbents of {{ of }}, trained anew for {{ budget }} on {{ devices }}. {{ found }}</p>",
            of=of,
            budget=budget,
            devices="; ".join(devices),
            found=Markup(_correlation(incumbents)),
        ),
        *(_scatter_html(groups, look, said) if incumbents else []),
        table_html(
            (first, *others),
            [cells(name, own, budget) for name, own in (groups | references).items()],
            look,
        ),
        '<p class="note">As in the paper\'s Table 2: test errors after the same budget, means with the standard '
        "deviation over all trainings of the row. An optimizer's row is about the incumbents of all its runs; the rows "
        "below are published networks. A training that failed counts with an error of 100 %.</p>",
        "<details><summary>All incumbents</summary>",
        table_html(
            ("optimizer and run", *others),
            [
                cells(f"{name} {one.incumbent.run_seed}", [one], budget)
                for name, own in groups.items()
                for one in own
                if one.incumbent
            ],
        ),
        "</details>",
    ]


def headings(said: str) -> tuple[str, ...]:
    """Of the table; `said`: what the comparison's words are of an incumbent, as in SAID."""
    errors = f"{said} validation", "real validation", f"{said} test", "real test"
    return ("optimizer or network", "parameters", "budget", "trainings", "failed", *errors)


def cells(name: str, own: Sequence[Retrained], budget: str) -> tuple[str, ...]:
    """A row of the table: of an optimizer's incumbents, or of a network."""
    millions = sorted({short(one.parameters): one.parameters for one in own}.items(), key=lambda item: item[1])
    parameters = " to ".join(dict.fromkeys((millions[0][0], millions[-1][0])))
    seen = [one.incumbent for one in own if one.incumbent]
    return (
        name,
        parameters,
        budget,
        str(sum(len(one.evaluations) for one in own)),
        str(sum(one.failed for one in own)),
        f"{np.mean([one.metrics[VALIDATION_ERROR.name] for one in seen]):.2%}" if seen else "-",
        _spread(np.concatenate([one.validation for one in own])),
        f"{np.mean([one.metrics[TEST_ERROR.name] for one in seen]):.2%}" if seen else "-",
        _spread(np.concatenate([one.test for one in own])),
    )


def _before(one: Retrained) -> float:
    """The validation error by which the comparison judged it."""
    assert one.incumbent is not None
    return one.incumbent.metrics[VALIDATION_ERROR.name]


def _spread(values: FloatArray) -> str:
    mean = f"{values.mean():.2%}"
    return mean if len(values) < 2 else f"{mean} ± {values.std(ddof=1):.2%}"


def _correlation(incumbents: Sequence[Retrained]) -> str:
    from scipy.stats import rankdata

    # Runs that ended with the same configuration are one point.
    different = {str(one.incumbent.configuration): one for one in incumbents if one.incumbent}.values()
    values = np.array([(_before(one), one.validation.mean()) for one in different])
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
        f"Spearman's rank correlation of the validation errors over the {len(values)} different configurations is "
        f"<b>{rho:.2f}</b> (95 % interval {interval[0]:.2f} to {interval[1]:.2f}, from resampled configurations)."
    )


def _scatter_html(groups: Mapping[str, Sequence[Retrained]], look: Mapping[str, Style], said: str) -> list[str]:
    return [
        "<p>A point is a configuration's mean, its bar the standard deviation over its trainings; on the dotted line "
        "the comparison was right.</p>",
        figure_html(scatter(groups, look, said), 480),
    ]


def scatter(groups: Mapping[str, Sequence[Retrained]], look: Mapping[str, Style], said: str) -> Any:
    """What was said of the incumbents' validation errors, and what is real, by optimizer."""
    import plotly.graph_objects as go

    figure, reach = go.Figure(), 0.0
    for name, own in groups.items():
        x = [_before(one) for one in own if one.incumbent]
        y = [one.validation.mean() for one in own]
        bars = [one.validation.std(ddof=1) if len(one.validation) > 1 else 0.0 for one in own]
        reach = max(reach, *x, *(top + bar for top, bar in zip(y, bars, strict=True)))
        figure.add_scatter(
            x=x,
            y=y,
            error_y={"type": "data", "array": bars, "thickness": 1.2, "width": 3},
            mode="markers",
            marker={"color": look[name].colour, "size": 9, "line": {"color": "white", "width": 1}},
            name=name,
            text=[f"run {one.incumbent.run_seed}" for one in own if one.incumbent],
            hovertemplate="%{text}: " + said + " %{x:.2%}, real %{y:.2%}",
        )
    ends = [0.0, reach * 1.05]
    line = {"color": "#8a8a86", "dash": "dot"}
    figure.add_scatter(x=ends, y=ends, mode="lines", line=line, showlegend=False, hoverinfo="skip")
    figure.update_xaxes(title_text=f"{said} validation error", range=ends, **share_axis())
    figure.update_yaxes(title_text="real validation error", range=ends, **share_axis())
    return figure
