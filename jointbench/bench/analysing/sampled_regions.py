"""Which regions of the space each optimizer sampled: a map in two dimensions that keeps distances as well as it can."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.exhibit import Exhibit, Figure
from jointbench.bench.analysing.file_names import plain
from jointbench.bench.analysing.resampling import mean_interval
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

#: Evaluations of each optimizer that are placed on the map.
PLACED = 300


def classical_mds(points: FloatArray, dimensions: int = 2) -> tuple[FloatArray, float]:
    """Places (n, dimensions) whose distances are as those of the points (n, d), and the share of the squared distances
    that they keep: multidimensional scaling (Torgerson 1952), which for Euclidean distances turns the points so that
    they spread most along the first axes."""
    centred = points - points.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    placed = left[:, :dimensions] * lengths[:dimensions]
    # Of the two directions of an axis, always the same one.
    placed *= np.sign(placed[np.abs(placed).argmax(axis=0), np.arange(placed.shape[1])])
    total = float(np.square(lengths).sum())
    return placed, float(np.square(lengths[:dimensions]).sum()) / total if total else 1.0


def sampled_regions(compared: Compared) -> Exhibit:
    name, title = "sampled_regions", "Which regions each optimizer sampled"
    frame, rng = compared.frame, np.random.default_rng(0)
    chosen = list[int]()
    for optimizer in compared.optimizers:
        own = np.flatnonzero((frame["optimizer"] == optimizer).to_numpy())
        chosen += rng.choice(own, min(PLACED, len(own)), replace=False).tolist()
    if len(chosen) < 3:
        return Exhibit(name, title, missing=[f"{counted(len(chosen), 'evaluation')} in all; a map needs 3."])
    placed, kept = classical_mds(compared.points[chosen])
    finding = _late(compared)
    words = (
        f"Up to {PLACED} evaluations of each optimizer, placed by multidimensional scaling of their distances in the "
        f"unit cube of {counted(len(compared.task.space.names), 'hyperparameter')}; two dimensions keep {kept:.0%} of "
        "the squared distances, so that what is close here may be far apart. The lighter, the later in its run; grey "
        f"are the others' evaluations. {finding}".rstrip()
    )
    figures = [
        Figure(f"sampled_regions_{plain(one)}", one, _draw(compared, one, chosen, placed), 380, half=True)
        for one in compared.optimizers
    ]
    return Exhibit(name, title, [words], figures, finding=finding)


def _late(compared: Compared) -> str:
    """Whose late proposals lie closest together, and whose widest apart; empty where nobody has two in a run."""
    each = {one: _spread(compared, one) for one in compared.optimizers}
    spread = {one: of for one, of in each.items() if len(of)}
    if not spread:
        return ""
    narrow, wide = (pick(spread, key=lambda one: spread[one].mean()) for pick in (min, max))
    said = f"Late proposals (the last quarter of a run) of {narrow} lie closest together, {_from_mean(spread[narrow])}"
    return f"{said}, and those of {wide} widest apart, {_from_mean(spread[wide])}." if wide != narrow else f"{said}."


def _from_mean(spread: FloatArray) -> str:
    low, high = mean_interval(spread)
    within = f" (95 % interval {low:.2f} to {high:.2f})" if np.isfinite(low) else ""
    return f"on average {spread.mean():.2f}{within} from their mean"


def _spread(compared: Compared, optimizer: str) -> FloatArray:
    """Mean distance of the last quarter of each run's evaluations from their mean, (runs,), of runs where these are
    two or more: a single one is its own mean."""
    own = compared.frame["optimizer"] == optimizer
    found = []
    for _, run in compared.frame[own].groupby("run_seed"):
        points = compared.points[run.index[len(run) - len(run) // 4 :]]
        if len(points) < 2:
            continue
        found.append(np.sqrt(np.square(points - points.mean(axis=0)).sum(axis=1)).mean())
    return np.array(found)


def _draw(compared: Compared, optimizer: str, chosen: list[int], placed: FloatArray) -> Callable[[], Any]:
    def drawn() -> Any:
        import plotly.graph_objects as go

        rows = compared.frame.iloc[chosen]
        own = (rows["optimizer"] == optimizer).to_numpy()
        ends = rows["end"].to_numpy(float)
        figure = go.Figure()
        figure.add_scatter(
            x=placed[~own, 0],
            y=placed[~own, 1],
            mode="markers",
            marker={"size": 4, "color": "#b5b5b0", "opacity": 0.25},
            showlegend=False,
            hoverinfo="skip",
        )
        longest = max(float(compared.frame["end"].max()), 1e-9)
        figure.add_scatter(
            x=placed[own, 0],
            y=placed[own, 1],
            mode="markers",
            marker={
                "size": 6,
                "color": ends[own] / longest,
                "colorscale": "Viridis",
                "cmin": 0,
                "cmax": 1,
                "opacity": 0.85,
                "colorbar": {"thickness": 8, "tickformat": ".0%", "tickvals": [0, 0.5, 1]},
            },
            showlegend=False,
            hovertemplate="after %{marker.color:.0%} of the time<extra></extra>",
        )
        figure.update_xaxes(title_text="first axis", showticklabels=False)
        figure.update_yaxes(title_text="second axis", showticklabels=False)
        return figure

    return drawn
