"""The paper's Figure 2: how much each hyperparameter and each pair of them matters at each budget, and in which way.

A forest is fitted at each budget to what the surrogate expects of random configurations, and another to the trainings
themselves, as the paper did; both are taken apart by fANOVA. Trainings are where searches went, and no sample of the
space: the surrogate's forest has no such bias, and has the surrogate's instead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import hover
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.expected import expected
from jointbench.bench.analysing.fanova import BoxTree, Importances
from jointbench.bench.analysing.fanova_package import by_package
from jointbench.bench.analysing.few_ticks import few_ticks
from jointbench.bench.analysing.forest import SpaceForest
from jointbench.bench.analysing.inert import inert_words
from jointbench.bench.analysing.resampling import ends
from jointbench.bench.drawing.axes import share_axis
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted
from jointbench.data.spaces.hyperparameters import Hyperparameter
from jointbench.surrogate.judging.scores import side_by_side

if TYPE_CHECKING:
    from pandas import DataFrame

#: Trainings at a budget below which no forest is fitted to them.
FEWEST = 50

#: Random configurations that the surrogate is asked for at each budget, and others on which its forest is tried.
ASKED, TRIED = 8_000, 2_000

#: Trees of a forest, and the fewest examples of a leaf: of the surrogate, which has no noise, and of trainings.
TREES, LEAST_ASKED, LEAST_TRAINED = 24, 5, 2

#: Resamples of the log's configurations, and the trees that are fitted to each.
BOOTSTRAPS, BOOTSTRAP_TREES = 40, 4

#: Hyperparameters whose curves are drawn beside the importances; the others are folded. Pairs that are drawn as maps.
SHOWN, SHOWN_PAIRS = 6, 3

#: Rows of the table of pairs.
PAIR_ROWS = 12

#: Points of a curve, and cells on a side of a map.
_POINTS, _CELLS = 80, 28


@dataclass(frozen=True)
class Fitted:
    """A forest at a rung: its trees and importances; `r2`, of the surrogate, the share of its variance over random
    configurations that the forest explains; `resampled`, of trainings, the importances of each hyperparameter in
    resamples of the log's configurations (resamples, hyperparameters).
    """

    rung: int
    trees: Sequence[BoxTree]
    found: Importances
    examples: int
    r2: float = float("nan")
    resampled: FloatArray | None = None


def importance(evidence: Evidence) -> Exhibit:
    name, title = "figure_2", "Figure 2: which choices matter, at which budget (fANOVA)"
    asked, trained = list(of_surrogate(evidence)), list(of_trainings(evidence))
    main = asked or trained
    missing = _missing(evidence, trained)
    if not main:
        return Exhibit(name, title, missing=missing)
    names = evidence.task.space.names
    order = _order(evidence, main)
    pairs = _first_pairs(main, names)
    source = "the surrogate" if asked else "the trainings"
    words = [_how(evidence, asked, trained, source), *inert_words(evidence.task.space)]
    figures = [
        Figure(
            "figure_2_importance",
            f"Share of the variance of {evidence.objective.label} that each hyperparameter explains by itself, by "
            f"{source}: the mean over trees, with the middle 95 % of them.",
            lambda: _dots(evidence, main, order),
            90 + 27 * len(names),
        )
    ]
    figures += [
        Figure(
            f"figure_2_{one}",
            f"{one}: {_shares(evidence, main, names.index(one))}",
            _curves(evidence, main, one),
            330,
            half=True,
            folded=place >= SHOWN,
        )
        for place, one in enumerate(order)
    ]
    ends_of_ladder = [main[0], main[-1]] if len(main) > 1 else main
    figures += [
        Figure(
            f"figure_2_{first}_and_{second}_{evidence.rungs[one.rung]:g}",
            f"{first} and {second} after {evidence.amount(one.rung)}, beyond what each does: "
            f"{_pair_share(one, names, first, second)}",
            _map(evidence, one, first, second),
            380,
            half=True,
        )
        for first, second in pairs
        for one in ends_of_ladder
    ]
    tables = []
    if asked:
        tables += [_singles(evidence, "figure_2_by_the_surrogate", "by the surrogate", asked, order)]
    if trained:
        tables += [_singles(evidence, "figure_2_by_trainings", "by the trainings", trained, order)]
    tables += [_pairs(evidence, main)]
    return Exhibit(name, title, words, figures, tables, missing, _finding(evidence, main, names))


def shares_by_surrogate(evidence: Evidence) -> Table | None:
    """What each hyperparameter explains by itself, the most important first; None where no forest can be fitted."""
    asked = of_surrogate(evidence)
    if not asked:
        return None
    return _singles(evidence, "figure_2_by_the_surrogate", "by the surrogate", asked, _order(evidence, asked))


def _order(evidence: Evidence, main: "Sequence[Fitted]") -> list[str]:
    """Hyperparameters, the one first that explains most at any budget."""
    mean = np.array([one.found.alone.mean(axis=0) for one in main])
    return [evidence.task.space.names[k] for k in np.argsort(-mean.max(axis=0), kind="stable")]


def of_surrogate(evidence: Evidence) -> "list[Fitted]":
    """A forest at each of the benchmark's rungs, fitted to what it expects of random configurations that it does not
    expect to fail; none without a benchmark."""
    benchmark = evidence.benchmark
    if benchmark is None:
        return []
    space = benchmark.space
    rows = space.rows_at(np.random.default_rng(0).random((ASKED + TRIED, len(space.names))))
    units = space.encode(rows, inactive=0.5)

    def fitted(rung: float) -> Fitted | None:
        values, ok = expected(benchmark, rows, rung, evidence.objective.name)
        seen, new = ok & (np.arange(len(ok)) < ASKED), ok & (np.arange(len(ok)) >= ASKED)
        if seen.sum() < FEWEST or not new.any():
            return None
        forest = SpaceForest(space, trees=TREES, least=LEAST_ASKED).fit(units[seen], values[seen])
        trees = forest.trees()
        r2 = 1 - float(np.mean((forest.predict(units[new]) - values[new]) ** 2) / max(values[new].var(), 1e-300))
        return Fitted(evidence.task.ladder.rung_of(rung), trees, Importances.of(trees), int(seen.sum()), r2)

    return [one for one in side_by_side(fitted, benchmark.ladder.rungs) if one is not None and len(one.found.alone)]


def of_trainings(evidence: Evidence) -> "list[Fitted]":
    """A forest at each rung with enough trainings that ended ok, and its importances in resamples of the
    configurations; evaluations of one configuration are no independent evidence, and are drawn together."""
    found = [_of_trainings(evidence, index, frame) for index, _, frame in evidence.by_rung() if len(frame) >= FEWEST]
    return [one for one in found if len(one.found.alone)]


def _of_trainings(evidence: Evidence, index: int, frame: "DataFrame") -> Fitted:
    space = evidence.task.space
    units, values = evidence.unit_rows(frame), frame["value"].to_numpy(np.float64)
    trees = SpaceForest(space, trees=TREES, least=LEAST_TRAINED).fit(units, values).trees()
    group, rng = frame["group"].to_numpy(), np.random.default_rng(index)
    members = [np.flatnonzero(group == one) for one in np.unique(group)]
    drawn = [rng.integers(len(members), size=len(members)) for _ in range(BOOTSTRAPS)]

    def resampled(seed: int) -> FloatArray:
        own = np.concatenate([members[k] for k in drawn[seed]])
        forest = SpaceForest(space, trees=BOOTSTRAP_TREES, least=LEAST_TRAINED, seed=seed)
        found = np.array([tree.alone() for tree in forest.fit(units[own], values[own]).trees()])
        varying = np.isfinite(found).all(axis=1)
        return found[varying].mean(axis=0) if varying.any() else np.full(len(space.names), np.nan)

    shares = [one for one in side_by_side(resampled, range(BOOTSTRAPS)) if np.isfinite(one).all()]
    return Fitted(index, trees, Importances.of(trees), len(frame), resampled=np.array(shares))


def _how(evidence: Evidence, asked: Sequence[Fitted], trained: Sequence[Fitted], source: str) -> str:
    parts = []
    if asked:
        shares = ", ".join(f"{one.r2:.0%} after {evidence.amount(one.rung)}" for one in asked)
        parts.append(
            f"{TREES} trees are fitted at each budget to what the surrogate expects of {ASKED:,} random configurations "
            f"(of others they explain {shares} of its variance)"
        )
    if trained:
        counts = ", ".join(f"{one.examples:,} after {evidence.amount(one.rung)}" for one in trained)
        parts.append(
            f"{TREES} trees to the trainings themselves, as in the paper ({counts}), where searches went and no sample "
            "of the space"
        )
    return (
        f"{', and '.join(parts)}. Their variance over the whole space is taken apart exactly (Hutter, Hoos and "
        "Leyton-Brown 2014): what a hyperparameter explains by itself, and a pair beyond what its two do. Curves are "
        f"means over all other choices, by {source}, with the middle 95 % of the trees as a band; the dashed line is "
        "the best configuration found at that budget, a cross in the maps."
    )


def _missing(evidence: Evidence, trained: Sequence[Fitted]) -> list[str]:
    if evidence.frame is None:
        return ["The benchmark came without its trainings: importances are those of its surrogate alone."]
    said = []
    there = {one.rung for one in trained}
    for index in range(len(evidence.rungs)):
        count = int((evidence.ok["rung"] == index).sum())
        if index not in there:
            said.append(
                f"{counted(count, 'training')} of {evidence.amount(index)} ended ok; a forest of "
                f"trainings needs {FEWEST}, and values that differ."
            )
    if evidence.benchmark is None:
        said.append("Importances by a surrogate are missing: `jointbench fit` makes a benchmark of the log.")
    return said


def _first_pairs(main: Sequence[Fitted], names: Sequence[str]) -> list[tuple[str, str]]:
    """Those that explain most at the smallest or the largest budget, in the space's order."""
    strongest = np.maximum(main[0].found.pairs.mean(axis=0), main[-1].found.pairs.mean(axis=0))
    every = sorted(combinations(range(len(names)), 2), key=lambda pair: -strongest[pair])
    return [(names[a], names[b]) for a, b in every[:SHOWN_PAIRS]]


def _shares(evidence: Evidence, main: Sequence[Fitted], place: int) -> str:
    shares = (f"{one.found.alone[:, place].mean():.1%} after {evidence.amount(one.rung)}" for one in main)
    return "; ".join(shares)


def _pair_share(one: Fitted, names: Sequence[str], first: str, second: str) -> str:
    shares = one.found.pairs[:, names.index(first), names.index(second)]
    low, high = ends(shares)
    return f"{shares.mean():.1%} ({low:.1%} to {high:.1%})"


def _finding(evidence: Evidence, main: Sequence[Fitted], names: Sequence[str]) -> str:
    def said(one: Fitted, place: int) -> str:
        low, high = ends(one.found.alone[:, place])
        return f"{one.found.alone[:, place].mean():.0%} (95 % of trees {low:.0%} to {high:.0%})"

    last, first = main[-1], main[0]
    top = int(np.argmax(last.found.alone.mean(axis=0)))
    sentence = (
        f"After {evidence.amount(last.rung)} {names[top]} matters most, by itself {said(last, top)} of the variance of "
        f"{evidence.objective.label}"
    )
    if first is last:
        return f"{sentence}."
    early = int(np.argmax(first.found.alone.mean(axis=0)))
    then = f"after {evidence.amount(first.rung)}"
    before = f"as {then}" if early == top else f"{then} it is {names[early]}"
    return f"{sentence}; {before}, with {said(first, early)}."


def _singles(evidence: Evidence, name: str, how: str, found: Sequence[Fitted], order: Sequence[str]) -> Table:
    """A row a hyperparameter, the most important first; fanova's own numbers beside those of the trainings, where it is
    installed."""
    names = evidence.task.space.names
    headings, rows = ["hyperparameter"], [[one] for one in order]
    numbers: dict[str, list[Any]] = {"hyperparameter": list(order)}
    for one in found:
        budget = f"{evidence.rungs[one.rung]:g}"
        headings.append(f"after {evidence.amount(one.rung)}")
        package = by_package(evidence, one.rung) if one.resampled is not None else None
        for row, label in zip(rows, order, strict=True):
            place = names.index(label)
            share = one.found.alone[:, place]
            intervals = {"trees": ends(share)}
            cell = f"{share.mean():.1%} ({intervals['trees'][0]:.1%} to {intervals['trees'][1]:.1%})"
            if one.resampled is not None and len(one.resampled):
                intervals["log"] = ends(one.resampled[:, place])
                cell = f"{share.mean():.1%} ({intervals['log'][0]:.1%} to {intervals['log'][1]:.1%})"
            values: dict[str, Any] = {"": share.mean()}
            for over, (low, high) in intervals.items():
                values |= {f"_low_over_{over}": low, f"_high_over_{over}": high}
            if package is not None:
                values["_by_fanova"] = package[label]
                cell += f"; fanova {package[label]:.1%}"
            row.append(cell)
            for key, value in values.items():
                numbers.setdefault(f"after_{budget}{key}", []).append(value)
    over = "the middle 95 % of trees" if found[0].resampled is None else f"95 % over {BOOTSTRAPS} resamples of the log"
    title = f"Share of the variance that each hyperparameter explains by itself, {how} ({over})"
    return Table(name, title, headings, rows, numbers, ("hyperparameter",), folded=True)


def _pairs(evidence: Evidence, main: Sequence[Fitted]) -> Table:
    """The strongest pairs in words, all of them in the numbers."""
    names = evidence.task.space.names
    mean = {one.rung: one.found.pairs.mean(axis=0) for one in main}
    strongest = np.max(list(mean.values()), axis=0)
    every = sorted(combinations(range(len(names)), 2), key=lambda pair: -strongest[pair])
    numbers: dict[str, list[Any]] = {"first": [names[a] for a, _ in every], "second": [names[b] for _, b in every]}
    for one in main:
        budget = f"{evidence.rungs[one.rung]:g}"
        own = [one.found.pairs[:, a, b] for a, b in every]
        numbers[f"after_{budget}"] = [float(share.mean()) for share in own]
        for key, place in (("low", 0), ("high", 1)):
            numbers[f"after_{budget}_{key}_over_trees"] = [ends(share)[place] for share in own]
    rows = [
        [names[a], names[b], *(_pair_share(one, names, names[a], names[b]) for one in main)]
        for a, b in every[:PAIR_ROWS]
    ]
    headings = ["hyperparameter", "and", *(f"after {evidence.amount(one.rung)}" for one in main)]
    title = f"The {min(PAIR_ROWS, len(every))} of {len(every)} pairs that explain most beyond what each does by itself"
    return Table("figure_2_pairs", title, headings, rows, numbers, ("hyperparameter", "and"), folded=True)


def _dots(evidence: Evidence, main: Sequence[Fitted], order: Sequence[str]) -> Any:
    import plotly.graph_objects as go

    names, figure = evidence.task.space.names, go.Figure()
    for shift, one in enumerate(main):
        means, lows, highs = [], [], []
        for label in order:
            share = one.found.alone[:, names.index(label)]
            low, high = ends(share)
            means.append(float(share.mean()))
            lows.append(low)
            highs.append(high)
        figure.add_scatter(
            x=means,
            y=[place + 0.17 * (shift - (len(main) - 1) / 2) for place in range(len(order))],
            mode="markers",
            marker={"size": 7, "color": rung_colour(one.rung)},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.subtract(highs, means),
                "arrayminus": np.subtract(means, lows),
                "thickness": 1.2,
                "width": 0,
                "color": rung_colour(one.rung),
            },
            name=evidence.amount(one.rung),
            text=list(order),
            hovertemplate="%{text}: %{x:.1%}",
        )
    figure.update_xaxes(title_text="share of the variance", rangemode="tozero", **share_axis())
    ticks = {"tickvals": list(range(len(order))), "ticktext": list(order), "range": [len(order) - 0.4, -0.6]}
    figure.update_yaxes(title_text="", **ticks)
    return figure


def _curves(evidence: Evidence, main: Sequence[Fitted], name: str) -> Callable[[], Any]:
    def drawn() -> Any:
        import plotly.graph_objects as go

        hyperparameter = evidence.task.space.by_name[name]
        place = evidence.task.space.names.index(name)
        points = _points(hyperparameter, _POINTS)
        x = _values(hyperparameter, points)
        lines, bands, drawn_values = [], [], []
        for one in main:
            curves = np.array([tree.marginal(place, points) for tree in one.trees])
            mean, (low, high) = curves.mean(axis=0), np.quantile(curves, [0.025, 0.975], axis=0)
            colour, group = rung_colour(one.rung), evidence.amount(one.rung)
            hidden = {"legendgroup": group, "showlegend": False, "hoverinfo": "skip", "mode": "lines", "x": x}
            bands.append(go.Scatter(y=high, line={"width": 0}, **hidden))
            bands.append(go.Scatter(y=low, line={"width": 0}, fill="tonexty", fillcolor=_faded(colour), **hidden))
            lines.append(
                go.Scatter(
                    x=x,
                    y=mean,
                    mode="lines+markers" if hyperparameter.integer else "lines",
                    line={"color": colour, "width": 2.2},
                    marker={"size": 5},
                    name=group,
                    legendgroup=group,
                    hovertemplate=f"%{{x:.3~g}}: {hover(evidence.objective)}",
                )
            )
            drawn_values += [low, high]
        figure = go.Figure([*bands, *lines])
        lowest, highest = np.min(drawn_values), np.max(drawn_values)
        for one in main:
            best = best_at(evidence, one.rung)
            if best is not None:
                at = _values(
                    hyperparameter,
                    hyperparameter.encode(np.array([hyperparameter.number(best[name])], dtype=np.float64)),
                )[0]
                line = {"color": rung_colour(one.rung), "width": 1.6, "dash": "dash"}
                shown = {"mode": "lines", "line": line, "showlegend": False, "hoverinfo": "skip"}
                figure.add_scatter(x=[at, at], y=[lowest, highest], **shown)
        figure.update_xaxes(
            title_text=name, type="log" if hyperparameter.log else "linear", **few_ticks(hyperparameter)
        )
        scale = share_axis() if evidence.objective.fraction else {}
        figure.update_yaxes(title_text=f"mean {evidence.objective.label}", **scale)
        return figure

    return drawn


def best_at(evidence: Evidence, rung: int) -> Mapping[str, Any] | None:
    """The configuration with the best objective that was trained at a rung; None without trainings there."""
    own = evidence.ok[evidence.ok["rung"] == rung]
    if not len(own):
        return None
    best = own.iloc[int(np.argmin(evidence.objective.losses(own["value"])))]
    return {name: best[name] for name in evidence.task.space.names}


def _map(evidence: Evidence, one: Fitted, first: str, second: str) -> Callable[[], Any]:
    def drawn() -> Any:
        import plotly.graph_objects as go
        from threadpoolctl import threadpool_limits

        space = evidence.task.space
        axes = [(space.by_name[name], space.names.index(name)) for name in (first, second)]
        (a, first_edges), (b, second_edges) = (_cells(hyperparameter) for hyperparameter, _ in axes)
        # As in `Importances.of`.
        with threadpool_limits(1):
            means = [tree.marginal_of_two(axes[0][1], axes[1][1], a, b) for tree in one.trees]
        objective = evidence.objective
        scale = {"tickformat": ".3~%"} if objective.fraction else {}
        figure = go.Figure(
            go.Heatmap(
                z=np.mean(means, axis=0).T,
                x=first_edges,
                y=second_edges,
                colorscale="Viridis",
                reversescale=objective.maximize,
                colorbar={"thickness": 10, **scale},
                hovertemplate=f"{hover(objective, 'z')}<extra></extra>",
            )
        )
        best = best_at(evidence, one.rung)
        if best is not None:
            at = [_values(h, h.encode(np.array([h.number(best[h.name])], dtype=np.float64)))[:1] for h, _ in axes]
            look = {"symbol": "x", "size": 12, "color": "#ffffff", "line": {"color": "#1c1c1c", "width": 1.5}}
            figure.add_scatter(x=at[0], y=at[1], mode="markers", marker=look, showlegend=False, hoverinfo="skip")
        for update, (hyperparameter, _) in zip((figure.update_xaxes, figure.update_yaxes), axes, strict=True):
            kind = "log" if hyperparameter.log else "linear"
            update(title_text=hyperparameter.name, type=kind, **few_ticks(hyperparameter))
        return figure

    return drawn


def _points(hyperparameter: Hyperparameter, count: int) -> FloatArray:
    """Places in the unit interval: of each whole number, or evenly spaced."""
    if hyperparameter.integer and hyperparameter.high - hyperparameter.low < count:
        return np.asarray(hyperparameter.encode(np.arange(hyperparameter.low, hyperparameter.high + 1)))
    return np.linspace(0.0, 1.0, count)


def _values(hyperparameter: Hyperparameter, points: FloatArray) -> FloatArray:
    return np.asarray(hyperparameter.decode_all(points), dtype=np.float64)


def _cells(hyperparameter: Hyperparameter) -> tuple[FloatArray, FloatArray]:
    """Middles of cells in the unit interval, and the ends of the cells as values."""
    points = _points(hyperparameter, _CELLS)
    if len(points) < _CELLS or hyperparameter.integer:
        values = np.unique(_values(hyperparameter, points))
        middles = np.asarray(hyperparameter.encode(values))
        between = (values[1:] + values[:-1]) / 2
        # On a logarithmic axis the least value must stay above nought.
        return middles, np.concatenate([[values[0] - 0.5], between, [values[-1] + 0.5]])
    cuts = np.linspace(0.0, 1.0, _CELLS + 1)
    return (cuts[1:] + cuts[:-1]) / 2, _values(hyperparameter, cuts)


def _faded(colour: str, opacity: float = 0.16) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
