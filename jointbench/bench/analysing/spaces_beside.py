"""Two spaces beside each other, searched by the same optimizer with the same budgets: errors, memory and fronts.

Ru et al. 2020 (Table 2) hold hierarchical generators (HNAG) against randomly wired ones (RNAG).
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import metric_axis
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.resampling import RESAMPLES, ends
from jointbench.bench.comparing.front_box import Axis, dominated
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.metrics import METRICS
from jointbench.data.pareto import non_dominated

if TYPE_CHECKING:
    from pandas import DataFrame

#: Evaluations at a rung below which a space is not held against another.
FEWEST = 5

#: The best that a search found, so many of them: the very best alone is luck.
BEST = 5

_MEMORY = METRICS["sample_memory"]


def searched(evidence: Evidence, optimizer: str) -> "DataFrame":
    """The evaluations of an optimizer that ended ok, in the order in which they did."""
    own = evidence.ok[evidence.ok["optimizer"].str.split(":").str[0] == optimizer]
    return own.sort_values("trial", kind="stable").reset_index(drop=True)


def equally_long(first: "DataFrame", second: "DataFrame") -> "tuple[DataFrame, DataFrame, float]":
    """The beginnings of both that spent the same sum of budgets, and that sum."""
    spent = [frame["budget"].cumsum() for frame in (first, second)]
    limit = min(float(one.iloc[-1]) for one in spent) * (1 + 1e-9)
    kept = [frame[one <= limit] for frame, one in zip((first, second), spent, strict=True)]
    return kept[0], kept[1], limit


def spaces_beside(evidence: Evidence, other: Evidence | None, optimizer: str = "bohb") -> Exhibit:
    name, title = "spaces_beside", "Beside another space"
    mine = evidence.task.space.name
    missing = _missing(evidence, other, optimizer)
    if other is None or missing:
        return Exhibit(name, title, missing=[missing])
    theirs = other.task.space.name
    ours, rival, spent = equally_long(searched(evidence, optimizer), searched(other, optimizer))
    rows, numbers = list[list[str]](), dict[str, list[Any]]()
    shown, objective = evidence.objective.shown, evidence.objective
    for rung, budget in enumerate(evidence.rungs):
        pair = [frame[frame["rung"] == rung] for frame in (ours, rival)]
        if min(map(len, pair)) < FEWEST:
            continue
        losses = [objective.losses(frame["value"].to_numpy(float)) for frame in pair]
        memory = [frame["sample_memory"].to_numpy(float) for frame in pair]
        lowest = [_lowest(one) for one in losses]
        medians = _between(np.median, *losses)
        least = _between(_lowest, *losses)
        factor = tuple(np.exp(one) for one in _between(lambda m: float(np.median(np.log(m))), *memory))
        rows.append(
            [
                evidence.amount(rung),
                " and ".join(f"{len(frame):,}" for frame in pair),
                " and ".join(shown(float(np.median(one))) for one in losses),
                _points(medians),
                " and ".join(shown(one) for one in lowest),
                _points(least),
                f"{factor[0]:.2f} ({factor[1]:.2f} to {factor[2]:.2f})",
            ]
        )
        columns: dict[str, Any] = {"budget": budget, "n": len(pair[0]), "n_beside": len(pair[1])}
        columns |= {"median": np.median(losses[0]), "median_beside": np.median(losses[1])}
        columns |= {"best": lowest[0], "best_beside": lowest[1]}
        for key, (value, low, high) in (
            ("median_difference", medians),
            ("best_difference", least),
            ("memory_ratio", factor),
        ):
            columns |= {key: value, f"{key}_low": low, f"{key}_high": high}
        for key, value in columns.items():
            numbers.setdefault(key, []).append(value)
    if not rows:
        why = f"No budget has {FEWEST} evaluations of {optimizer} in both {mine} and {theirs}: {_UNTOLD}"
        return Exhibit(name, title, missing=[why])
    sides = _sides(evidence, ours, rival)
    fronts = [_front(frame, sides) for frame in (ours, rival)]
    volumes = [dominated(front, sides) for front in fronts]
    words = [
        f"{mine} and {theirs}, each searched by {optimizer}, the first {spent:,.0f} {evidence.task.ladder.unit} of "
        f"both: {len(ours):,} and {len(rival):,} evaluations that ended ok. Differences are of {mine} less {theirs}, "
        f"below 0 where {mine} is better; intervals (95 %) are over resampled evaluations of both, that is over what "
        f"one run of each tried, and not over runs. The best: mean of the {BEST} lowest.",
        f"The front of {mine}'s largest budget dominates {volumes[0]:.1%} of the box, that of {theirs} "
        f"{volumes[1]:.1%}: from an error of 0 to guessing, and from the least to the largest memory of both (by its "
        "logarithm). One run of each was made, which gives no interval.",
    ]
    headings = ["budget", f"evaluations of {mine} and {theirs}", f"median {objective.label}", "difference"]
    headings += [f"best {BEST}", "difference of the best", "ratio of median memory"]
    table = Table(name, f"{mine} and {theirs}", headings, rows, numbers, ("budget",))
    figure = Figure(name, "", lambda: _draw(evidence, other, ours, rival), 440)
    return Exhibit(name, title, words, [figure], [table], finding=_finding(mine, theirs, rows, numbers, volumes))


_UNTOLD = "which space is the better one cannot be told."


def _missing(evidence: Evidence, other: Evidence | None, optimizer: str) -> str:
    mine = evidence.task.space.name
    if other is None:
        return f"No evidence of another space was given to be held against {mine} (`--beside LOG`): {_UNTOLD}"
    theirs = other.task
    if replace(theirs, space=evidence.task.space) != evidence.task:
        return f"The evidence of {theirs.space.name} is of other images, budgets or metrics: {_UNTOLD}"
    for one in (evidence, other):
        if not len(searched(one, optimizer)):
            return f"{optimizer} has not searched {one.task.space.name}: {_UNTOLD}"
    return ""


def _lowest(losses: FloatArray) -> float:
    return float(np.sort(losses)[:BEST].mean())


def _between(statistic: Any, first: FloatArray, second: FloatArray) -> tuple[float, float, float]:
    """The first's less the second's, and its interval, each resampled on its own."""
    rng = np.random.default_rng(0)
    drawn = [
        float(statistic(rng.choice(first, len(first))) - statistic(rng.choice(second, len(second))))
        for _ in range(RESAMPLES)
    ]
    return float(statistic(first) - statistic(second)), *ends(drawn)


def _points(known: tuple[float, float, float]) -> str:
    value, low, high = (100 * one for one in known)
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f}) points"


def _sides(evidence: Evidence, *frames: "DataFrame") -> tuple[Axis, Axis]:
    images = evidence.task.images
    guessing = evidence.objective.guessing(None if images is None else images.classes)
    memory = np.concatenate([frame["sample_memory"].to_numpy(float) for frame in frames])
    worst = evidence.objective.bounds[1] if guessing is None else guessing
    return Axis(evidence.objective, 0.0, worst), Axis(_MEMORY, float(memory.min()), float(memory.max()))


def _front(frame: "DataFrame", sides: tuple[Axis, Axis]) -> FloatArray:
    """The front of what was seen at the largest budget, (n, 2)."""
    largest = frame[frame["rung"] == frame["rung"].max()]
    points = largest[["value", "sample_memory"]].to_numpy(float)
    return np.asarray(points[non_dominated(points)])


def _finding(mine: str, theirs: str, rows: list[list[str]], numbers: dict[str, list[Any]], volumes: list[float]) -> str:
    """Of the largest budget."""
    low, high = numbers["best_difference_low"][-1], numbers["best_difference_high"][-1]
    verdict = "holds" if high < 0 else "does not hold" if low > 0 else "cannot be told with this evidence"
    factor = rows[-1][-1]
    return (
        f"{mine} is better than {theirs}: in error this {verdict} (the best {BEST} of each after {rows[-1][0]}: "
        f"{rows[-1][4]}, a difference of {rows[-1][5]}; medians differ by {rows[-1][3]}); {mine}'s networks need "
        f"{factor} times the memory; its front dominates {volumes[0]:.1%} of the box, that of {theirs} "
        f"{volumes[1]:.1%}."
    )


def _draw(evidence: Evidence, other: Evidence, ours: "DataFrame", rival: "DataFrame") -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for colour, one, frame in ((2, evidence, ours), (0, other, rival)):
        largest = frame[frame["rung"] == frame["rung"].max()]
        figure.add_scatter(
            x=largest["sample_memory"],
            y=evidence.drawn(largest["value"]),
            mode="markers",
            marker={"size": 8, "opacity": 0.7, "color": rung_colour(colour)},
            name=one.task.space.name,
            hovertemplate="%{y:.2%}, %{x:.4~s}B",
        )
    both = [frame[column] for column in ("sample_memory", "value") for frame in (ours, rival)]
    memory, values = np.concatenate(both[:2]), np.concatenate(both[2:])
    figure.update_xaxes(**metric_axis(_MEMORY, memory.astype(float)))
    figure.update_yaxes(**metric_axis(evidence.objective, evidence.drawn(values.astype(float))))
    figure.update_layout(showlegend=True)
    return figure
