"""What `jointbench retrain` found, on the page of its comparison: predicted against real error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from jointbench.bench.page import figure_html, table_html
from jointbench.bench.palette import Style
from jointbench.bench.statistics import bootstrap

FloatArray = npt.NDArray[np.float64]

#: Configurations below which no correlation is printed.
FEWEST = 4


@dataclass(frozen=True)
class Retrained:
    """The final incumbent of one run: predicted errors, and those of its real trainings (fractions)."""

    optimizer: str
    run_seed: int
    predicted: float
    predicted_test: float
    real: FloatArray
    real_test: FloatArray
    failed: int


def read_retrained(path: Path) -> list[Retrained]:
    """One a run, in the order of optimizer and seed."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in pq.read_table(path).to_pylist():
        groups.setdefault((row["optimizer"], row["run_seed"]), []).append(row)
    return [
        Retrained(
            optimizer,
            run_seed,
            rows[0]["predicted_validation_error"],
            rows[0]["predicted_test_error"],
            np.array([row["validation_error"] for row in rows]),
            np.array([row["test_error"] for row in rows]),
            sum(row["status"] != "ok" for row in rows),
        )
        for (optimizer, run_seed), rows in sorted(groups.items())
    ]


def retraining_section(path: Path, look: Mapping[str, Style]) -> list[str]:
    points = [one for one in read_retrained(path) if one.optimizer in look]
    by_optimizer = {name: own for name in look if (own := [one for one in points if one.optimizer == name])}
    return [
        "<h2>Real retrainings</h2>",
        f"<p>The final incumbents of {len(points)} runs, trained for real at the largest budget: "
        f"{sum(len(one.real) for one in points)} trainings. A point is the mean over a configuration's trainings, its "
        f"bar their standard deviation; on the dotted line the surrogate is right. {_correlation(points)}</p>",
        figure_html(_scatter(by_optimizer, look), 480),
        table_html(
            ("optimizer", "runs", "predicted validation", "real validation", "predicted test", "real test", "failed"),
            [
                (
                    name,
                    str(len(own)),
                    f"{np.mean([one.predicted for one in own]):.2%}",
                    _spread(np.concatenate([one.real for one in own])),
                    f"{np.mean([one.predicted_test for one in own]):.2%}",
                    _spread(np.concatenate([one.real_test for one in own])),
                    str(sum(one.failed for one in own)),
                )
                for name, own in by_optimizer.items()
            ],
            look,
        ),
        '<p class="note">Means, with the standard deviation over all trainings of an optimizer\'s incumbents.</p>',
    ]


def _spread(values: FloatArray) -> str:
    return f"{values.mean():.2%} ± {values.std():.2%}"


def _correlation(points: Sequence[Retrained]) -> str:
    from scipy.stats import rankdata

    # Runs that ended with the same configuration are one point.
    values = np.array(sorted({(one.predicted, float(one.real.mean())) for one in points}))
    if len(values) < FEWEST:
        return ""

    def spearman(samples: Sequence[npt.NDArray[np.intp]]) -> FloatArray:
        ranks = rankdata(values[samples[0]], axis=1)
        centred = ranks - ranks.mean(axis=1, keepdims=True)
        x, y = centred[..., 0], centred[..., 1]
        with np.errstate(invalid="ignore"):
            rho: FloatArray = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
        return rho

    low, high = bootstrap(spearman, [len(values)])
    rho = spearman([np.arange(len(values))[None]])[0]
    return (
        f"Spearman's rank correlation over the {len(values)} different configurations is <b>{rho:.2f}</b> (95 % "
        f"interval {low:.2f} to {high:.2f}, from resampled configurations)."
    )


def _scatter(by_optimizer: Mapping[str, Sequence[Retrained]], look: Mapping[str, Style]) -> Any:
    import plotly.graph_objects as go

    points = [one for own in by_optimizer.values() for one in own]
    reach = [max(max(one.predicted, float(one.real.mean())) for one in points) * 1.08, 0.0]
    figure = go.Figure()
    figure.add_scatter(
        x=reach, y=reach, mode="lines", line={"color": "#8a8a86", "dash": "dot"}, showlegend=False, hoverinfo="skip"
    )
    for name, own in by_optimizer.items():
        figure.add_scatter(
            x=[one.predicted for one in own],
            y=[one.real.mean() for one in own],
            error_y={"type": "data", "array": [one.real.std() for one in own], "thickness": 1.2, "width": 3},
            mode="markers",
            marker={"color": look[name].colour, "size": 9, "line": {"color": "white", "width": 1}},
            name=name,
            text=[f"run {one.run_seed}" for one in own],
            hovertemplate="%{text}: predicted %{x:.2%}, real %{y:.2%}",
        )
    figure.update_xaxes(title_text="predicted validation error", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title_text="real validation error", tickformat=".0%", rangemode="tozero")
    return figure
