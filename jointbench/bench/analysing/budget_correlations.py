"""The paper's Table 1: Spearman's rank correlation of the objective between every pair of budgets.

Three times: of the configurations that were trained at both; of those among them that no search chose for the larger
budget (footnote 3 of the paper: promotion selects, and skews the sample towards good configurations) apart from those
that were promoted, where the log says who searched; and as the surrogate predicts random configurations.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.bench.analysing.axes_of_metrics import hover, metric_axis
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.expected import expected
from jointbench.bench.analysing.resampling import RESAMPLES, spearman, spearman_interval
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

#: Configurations trained at both budgets below which no correlation is given.
FEWEST = 20

#: Random configurations that the surrogate is asked for.
SAMPLED = 2_000

#: The rank correlation of the two largest budgets that Ru et al. 2020 (Figure 9) report.
CLAIMED = 0.8

#: Optimizers that choose what they train at the largest budget without having seen it at a smaller one, or that train
#: a fixed list: what they trained at two budgets is no selection by the smaller one. (Neighbours of the best are a list
#: too, but one that is chosen by what is good.)
UNSELECTED = ("random", "repeats", "sobol", "replicates")


@dataclass(frozen=True)
class Correlation:
    """Of the `n` configurations that have values at both rungs (their places); NaN where there are fewer than needed,
    or where all values are equal. `values` (2, n)."""

    low: int
    high: int
    n: int
    rho: float
    interval: tuple[float, float]
    values: FloatArray

    @property
    def known(self) -> bool:
        return bool(np.isfinite(self.rho))

    @property
    def words(self) -> str:
        if not self.known:
            return f"- (n = {self.n:,})"
        return f"{self.rho:.2f} ({self.interval[0]:.2f} to {self.interval[1]:.2f}; n = {self.n:,})"

    @property
    def cell(self) -> str:
        """As `words`, for a table with many columns."""
        return self.words.replace("n = ", "")


def mean_values(evidence: Evidence) -> FloatArray:
    """Mean value of each configuration's evaluations at each rung that ended ok, (rungs, configurations); NaN without.
    Only where there is a frame."""
    means = np.full((len(evidence.rungs), int(evidence.all["group"].max()) + 1), np.nan)
    table = evidence.ok.groupby(["rung", "group"], as_index=False)["value"].mean()
    means[table["rung"].to_numpy(), table["group"].to_numpy()] = table["value"]
    return means


def correlations(values: FloatArray) -> list[Correlation]:
    """Of values (rungs, configurations), NaN where there are none: one for every pair of rungs."""
    found = []
    for low, high in combinations(range(len(values)), 2):
        both = np.isfinite(values[low]) & np.isfinite(values[high])
        pair = values[[low, high]][:, both]
        n = pair.shape[1]
        rho, interval = float("nan"), (float("nan"), float("nan"))
        if n >= FEWEST:
            rho, interval = spearman(*pair), spearman_interval(*pair)
        found.append(Correlation(low, high, n, rho, interval, pair))
    return found


def promoted(evidence: Evidence) -> "npt.NDArray[np.bool_]":
    """Which configurations (by `group`) a search trained at a larger budget after it had seen them at a smaller one."""
    frame = evidence.all[evidence.all["optimizer"].ne("")]
    chosen = np.zeros(int(evidence.all["group"].max()) + 1, dtype=bool)
    searched = frame[~frame["optimizer"].str.split(":").str[0].isin(UNSELECTED)]
    rungs = searched.groupby(["run", "group"])["rung"].nunique()
    chosen[rungs[rungs > 1].index.get_level_values("group").to_numpy()] = True
    return chosen


def surrogate_values(evidence: Evidence, count: int = SAMPLED) -> FloatArray:
    """What the benchmark expects of random configurations at each rung, (rungs, count)."""
    benchmark = evidence.benchmark
    assert benchmark is not None
    configurations = benchmark.sample(count, seed=0)
    rows = benchmark.space.rows(configurations)
    said = [expected(benchmark, rows, rung, evidence.objective.name) for rung in benchmark.ladder.rungs]
    ok = np.all([each for _, each in said], axis=0)
    return np.array([values[ok] for values, _ in said])


def budget_correlations(evidence: Evidence) -> Exhibit:
    name, title = "table_1", "Table 1: what a short training tells of a long one"
    kinds = _kinds(evidence)
    if len(evidence.rungs) < 2:
        return Exhibit(name, title, missing=["There is one budget only; a correlation needs two."])
    if not kinds:
        return Exhibit(name, title, missing=["No evaluation ended ok."])
    label, missing = evidence.objective.label, []
    rows, numbers = list[list[str]](), dict[str, list[Any]]()
    pairs = list(combinations(range(len(evidence.rungs)), 2))
    for place, (low, high) in enumerate(pairs):
        own = {kind: found[place] for kind, found in kinds.items()}
        rows.append([f"{evidence.rungs[low]:g} and {evidence.amount(high)}", *(one.cell for one in own.values())])
        for key, value in (("low", evidence.rungs[low]), ("high", evidence.rungs[high])):
            numbers.setdefault(key, []).append(value)
        for kind, one in own.items():
            column = kind.replace(" ", "_")
            for key, value in (("", one.rho), ("_low", one.interval[0]), ("_high", one.interval[1]), ("_n", one.n)):
                numbers.setdefault(f"{column}{key}", []).append(value)
    for one in kinds.get("trained at both", []):
        if one.n < FEWEST:
            there = counted(one.n, "configuration was", "configurations were")
            missing.append(
                f"{there} trained at both {evidence.amount(one.low)} and "
                f"{evidence.amount(one.high)}; a correlation needs {FEWEST}."
            )
    if "unselected" in kinds and not any(one.known for one in kinds["unselected"]):
        missing.append(
            "No pair of budgets has enough configurations that nobody promoted: train a random list at all budgets by "
            "`jointbench collect --optimizer random` with ladders of one budget each, into one log."
        )
    if "surrogate" not in kinds:
        missing.append("What a surrogate predicts is missing: `jointbench fit` makes a benchmark of the log.")
    if "trained at both" not in kinds:
        missing.append("The benchmark came without its trainings: only what its surrogate predicts is shown.")
    selected = (
        "; of those among them that no search had promoted (the paper's footnote 3: promotion selects, so that what "
        "reached the larger budget is skewed towards good configurations), and of the promoted ones"
        if evidence.frame is None or not len(evidence.ok) or "promoted" in kinds
        else " (the log names no optimizers, so that what was chosen for the larger budget by the smaller one cannot "
        "be told apart)"
    )
    words = [
        f"Spearman's rank correlation of the {label} at two budgets; in brackets, its 95 % interval over {RESAMPLES} "
        f"resamples of the configurations, and their number n. Of the configurations that were trained at both"
        f"{selected}; and of random configurations as the surrogate predicts them, without noise.",
    ]
    headings = ["budgets", *kinds]
    table = Table(name, f"Spearman between budgets, {label}", headings, rows, numbers, ("budgets",))
    main = "trained at both" if "trained at both" in kinds else "surrogate"
    figures = [
        Figure(
            "table_1_heat_map",
            f"The same as a heat map: {main} above the diagonal"
            + (", the surrogate's below." if main != "surrogate" and "surrogate" in kinds else "."),
            lambda: _heat_map(evidence, kinds[main], kinds.get("surrogate") if main != "surrogate" else None),
            440,
        )
    ]
    figures += [
        Figure(
            f"table_1_{evidence.rungs[one.low]:g}_and_{evidence.rungs[one.high]:g}",
            f"{evidence.amount(one.low)} and {evidence.amount(one.high)}: {one.words}",
            _scatter(evidence, one),
            330,
            half=True,
        )
        for one in kinds[main]
        if one.n >= 2
    ]
    return Exhibit(name, title, words, figures, [table], missing, _finding(evidence, kinds))


def ranks_of_generators(evidence: Evidence) -> Exhibit:
    """The same, held against what Ru et al. 2020 report of the two largest budgets."""
    exhibit, kinds = budget_correlations(evidence), _kinds(evidence)
    if len(evidence.rungs) < 2 or not kinds:
        return exhibit
    pair = f"{evidence.rungs[-2]:g} and {evidence.amount(len(evidence.rungs) - 1)}"
    told = [_claimed(kind, kinds[kind][-1]) for kind in ("unselected", "promoted", "surrogate") if kind in kinds]
    finding = f"Ranks after {pair} correlate to at least {CLAIMED:g} (Spearman): {'; '.join(told)}."
    return replace(exhibit, finding=finding)


def _claimed(kind: str, one: Correlation) -> str:
    of = {"surrogate": "random configurations as the surrogate predicts them"}.get(kind, f"{kind} configurations")
    if not one.known:
        verb = "was" if one.n == 1 else "were"
        return f"of {of} this cannot be told ({one.n:,} {verb} trained at both, {FEWEST} are needed)"
    low, high = one.interval
    verdict = "holds" if low >= CLAIMED else "does not hold" if high < CLAIMED else "cannot be told with this evidence"
    return f"of {of} this {verdict} ({one.words})"


def _kinds(evidence: Evidence) -> dict[str, list[Correlation]]:
    found = dict[str, list[Correlation]]()
    if evidence.frame is not None and len(evidence.ok):
        every, chosen = mean_values(evidence), promoted(evidence)
        found["trained at both"] = correlations(every)
        if evidence.all["optimizer"].ne("").any():
            found["unselected"] = correlations(every[:, ~chosen])
            found["promoted"] = correlations(every[:, chosen])
    if evidence.benchmark is not None:
        predicted = surrogate_values(evidence)
        places = [evidence.task.ladder.rung_of(rung) for rung in evidence.benchmark.ladder.rungs]
        whole = np.full((len(evidence.rungs), predicted.shape[1]), np.nan)
        whole[places] = predicted
        found["surrogate"] = correlations(whole)
    return found


def _finding(evidence: Evidence, kinds: dict[str, list[Correlation]]) -> str:
    """Of the pair that is furthest apart and known, of trainings where both know it."""
    known = [(one, kind) for kind in ("trained at both", "surrogate") for one in kinds.get(kind, []) if one.known]
    if not known:
        return ""
    one, kind = max(known, key=lambda each: (each[0].high - each[0].low, each[0].high))
    how = "of configurations trained at both" if kind == "trained at both" else "as the surrogate predicts them"
    near = [other for other in kinds[kind] if other.known and other.high == one.high and other.low > one.low]
    beside = f", and from {evidence.amount(near[-1].low)} to {_ends(near[-1])}" if near else ""
    return (
        f"Between {evidence.amount(one.low)} and {evidence.amount(one.high)} of training, ranks of "
        f"{evidence.objective.label} correlate to {_ends(one)}{beside} (Spearman, {how}, n = {one.n:,})."
    )


def _ends(one: Correlation) -> str:
    return f"{one.rho:.2f} (95 % interval {one.interval[0]:.2f} to {one.interval[1]:.2f})"


def _heat_map(evidence: Evidence, upper: list[Correlation], lower: list[Correlation] | None) -> Any:
    import plotly.graph_objects as go

    count = len(evidence.rungs)
    # By their places: plotly would take the name of a budget for one.
    places = list(range(count))
    ticks = {"tickvals": places, "ticktext": [f"{rung:g}" for rung in evidence.rungs]}
    shown, words = np.full((count, count), np.nan), np.full((count, count), "", dtype=object)
    for one in upper:
        shown[one.low, one.high] = one.rho
        words[one.low, one.high] = f"{one.rho:.2f}" if one.known else f"n = {one.n}"
    for one in lower or []:
        shown[one.high, one.low] = one.rho
        words[one.high, one.low] = f"{one.rho:.2f}" if one.known else f"n = {one.n}"
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            x=places,
            y=places,
            zmin=-1,
            zmax=1,
            colorscale=DIVERGING,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="%{z:.2f}<extra></extra>",
        )
    )
    for (row, column), text in np.ndenumerate(words):
        if text:
            # A dark page makes all text light, which must be read on every colour of the scale.
            colour = "#ffffff" if np.isfinite(shown[row, column]) else "#1c1c1c"
            figure.add_annotation(x=column, y=row, text=text, showarrow=False, font={"color": colour, "size": 14})
    unit = evidence.task.ladder.unit
    figure.update_xaxes(title_text=f"budget, {unit}", **ticks)
    figure.update_yaxes(title_text=f"budget, {unit}", autorange="reversed", **ticks)
    return figure


#: Vermilion over grey to blue: told apart by colour-blind readers, and white can be read on all of them.
DIVERGING = [[0.0, "#B54E00"], [0.5, "#767676"], [1.0, "#0072B2"]]


def _scatter(evidence: Evidence, one: Correlation) -> Callable[[], Any]:
    def drawn() -> Any:
        import plotly.graph_objects as go

        low, high = (evidence.drawn(values) for values in one.values[:, :1_000])
        objective = evidence.objective
        figure = go.Figure(
            go.Scatter(
                x=low,
                y=high,
                mode="markers",
                marker={"size": 5, "opacity": 0.55, "color": rung_colour(one.high)},
                hovertemplate=f"{hover(objective, 'x')} and {hover(objective)}<extra></extra>",
            )
        )
        figure.update_xaxes(**metric_axis(objective, low, f"{objective.label}, {evidence.amount(one.low)}"))
        figure.update_yaxes(**metric_axis(objective, high, f"{evidence.amount(one.high)}"))
        return figure

    return drawn
