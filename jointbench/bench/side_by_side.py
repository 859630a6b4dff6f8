"""Two comparisons beside each other, such as on a surrogate and on real trainings: do they agree?"""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.comparison_folder import Settings, read_content
from jointbench.bench.comparison_page import error_figure, plain
from jointbench.bench.page import figure_html, script, table_html
from jointbench.bench.palette import styles
from jointbench.bench.trajectories import FloatArray, Trajectory, band, read_trajectories, time_grid
from jointbench.data.errors import InputError

Runs = Mapping[str, Sequence[Trajectory]]


def side_by_side(first: Path, second: Path) -> list[str]:
    """The body of the page. Raises LogError for a folder without a comparison, InputError without common optimizers."""
    folders = (first, second)
    settings = [Settings.read(folder) for folder in folders]
    both = [read_trajectories(folder) for folder in folders]
    common = [name for name in both[0] if name in both[1]]
    if len(common) < 2:
        raise InputError("second comparison", str(second), f"at least two optimizers of {first}")
    runs = [{name: some[name] for name in common} for some in both]
    grids = [time_grid(some) for some in runs]
    final = [
        np.array([np.median([run.validation_error[-1] for run in some[name]]) for name in common]) for some in runs
    ]
    ranks = [_ranks(errors) for errors in final]
    look = styles(common)
    names = [html.escape(f"{one.benchmark_name} ({folder})") for one, folder in zip(settings, folders, strict=True)]
    grid = common_grid(grids)
    return [
        script(),
        "<h1>Do two comparisons agree?</h1>",
        f'<p class="lead"><b>{names[0]}</b> and <b>{names[1]}</b> have {len(common)} optimizers in common. '
        f"{_agreement(final)}</p>",
        "<h2>The incumbent's error over time</h2>",
        '<div class="two">',
        *(
            f"<div><p>{name}</p>{figure_html(error_figure(some, look, own), 420)}</div>"
            for name, some, own in zip(names, runs, grids, strict=True)
        ),
        "</div>",
        "<h2>The table</h2>",
        table_html(
            ("optimizer", "final error, first", "second", "rank, first", "second", "trajectories' correlation"),
            [
                (
                    name,
                    f"{final[0][i]:.2%}",
                    f"{final[1][i]:.2%}",
                    f"{ranks[0][i]:g}",
                    f"{ranks[1][i]:g}",
                    _shown(trajectory_correlation(runs[0][name], runs[1][name], grid)),
                )
                for i, name in enumerate(common)
            ],
            look,
        ),
        '<p class="note">Final validation errors are medians over seeds; ranks are among the optimizers of this table. '
        "The last column is Spearman's rank correlation of the two median trajectories over the times that both "
        "comparisons have.</p>",
        "<h2>The same again</h2>",
        *(
            f"<pre>{html.escape(chr(10).join(read_content(folder)['commands']))}</pre>"
            f"{table_html(('setting', 'value'), plain(read_content(folder)['settings']), kind='words')}"
            for folder in folders
        ),
    ]


def common_grid(grids: Sequence[FloatArray]) -> FloatArray:
    """Logarithmic times (seconds) at which both comparisons have something; empty if there are none."""
    low, high = max(grid[0] for grid in grids), min(grid[-1] for grid in grids)
    return np.geomspace(low, high, len(grids[0])) if low < high else np.empty(0)


def trajectory_correlation(first: Sequence[Trajectory], second: Sequence[Trajectory], grid: FloatArray) -> float:
    """Spearman's rank correlation of two median trajectories over a grid of times; NaN where one does not change."""
    from scipy.stats import spearmanr

    if not len(grid):
        return float("nan")
    medians = np.stack([band(runs, grid)[1] for runs in (first, second)])
    medians = medians[:, ~np.isnan(medians).any(axis=0)]
    if any(len(np.unique(median)) < 2 for median in medians):
        return float("nan")
    return float(spearmanr(*medians).statistic)


def _ranks(errors: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    ranks: FloatArray = rankdata(errors)
    return ranks


def _agreement(final: Sequence[FloatArray]) -> str:
    from scipy.stats import kendalltau, spearmanr

    if len(final[0]) < 3:
        return "That is too few for a correlation."
    rho, tau = spearmanr(*final), kendalltau(*final)
    return (
        f"Their orders by final validation error correlate with Spearman's rho {rho.statistic:.2f} and Kendall's tau "
        f"{tau.statistic:.2f} (p = {tau.pvalue:.2f})."
    )


def _shown(correlation: Any) -> str:
    return "-" if np.isnan(correlation) else f"{correlation:.2f}"
