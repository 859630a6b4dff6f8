"""How much generators differ, and how much of an evaluation is luck: of the network drawn, and of its training.

Ru et al. 2020 (Figure 2) find that good generators vary little. Their spread holds the luck of training, too; here it
is taken off, by trainings of one network with other seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jointbench.bench.analysing.axes_of_metrics import metric_axis
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.resampling import RESAMPLES, ends
from jointbench.bench.drawing.palette import rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted
from jointbench.surrogate.luck_of_draws import Networks, squares

#: Generators with several networks below which nothing is said of a budget, and those with several trainings of one
#: network below which nothing is said of a group's.
FEWEST, FEWEST_TRAINED = 8, 2

#: Value of the objective's loss and its interval; NaN where it is not known.
Known = tuple[float, float, float]


@dataclass(frozen=True)
class Drawn:
    """The generators at one rung that have several networks: their losses, and their sizes of a sample (`memory`, one
    for each network)."""

    rung: int
    generators: Sequence[Networks]
    memory: Sequence[FloatArray]

    @property
    def means(self) -> FloatArray:
        """Over networks of one training each (generators,)."""
        return np.array([np.mean([losses[0] for losses in one]) for one in self.generators])


def drawn_generators(evidence: Evidence) -> list[Drawn]:
    """A rung each that has any."""
    found = []
    for rung, _, frame in evidence.by_rung():
        generators, memory = list[Networks](), list[FloatArray]()
        for _, own in frame.groupby("group"):
            losses = evidence.objective.losses(own["value"].to_numpy(float))
            seeds = own["architecture_seed"].to_numpy()
            different = list(dict.fromkeys(seeds))
            if len(different) > 1:
                generators.append([list(losses[seeds == seed]) for seed in different])
                if "sample_memory" in own:
                    memory.append(own["sample_memory"].to_numpy(float)[[int(np.argmax(seeds == s)) for s in different]])
        if generators:
            found.append(Drawn(rung, generators, memory))
    return found


#: Columns of what is known of each generator, and resampled: its mean loss and number of networks, of one training
#: each; then as `squares` has them.
_MEAN, _NETWORKS, _BETWEEN, _OF_NETWORKS, _WITHIN, _OF_TRAININGS = range(6)


def known_of(generators: Sequence[Networks]) -> FloatArray:
    """A row a generator, (generators, 6)."""
    means = [(float(np.mean([losses[0] for losses in one])), len(one)) for one in generators]
    return np.array([[*mean, *squares(one)] for mean, one in zip(means, generators, strict=True)])


def shares(known: FloatArray) -> FloatArray:
    """Of the variance of one evaluation of one of these generators: what lies between generators, between networks of
    one, and between trainings of one network, (3,); NaN where one is not known."""
    both, trained = _variances(known)
    if len(known) < 2 or not np.isfinite(both + trained):
        return np.full(3, np.nan)
    # A mean of a few networks has its share of what lies between them.
    of_means = float(np.mean(both / known[:, _NETWORKS]))
    between = max(0.0, float(known[:, _MEAN].var(ddof=1)) - of_means)
    parts = np.array([between, max(0.0, both - trained), min(trained, both)])
    return np.asarray(parts / parts.sum()) if parts.sum() > 0 else np.full(3, np.nan)


def spread(known: FloatArray) -> FloatArray:
    """Standard deviations inside of a generator: of networks of one training each, of the trainings of one network, and
    of networks alone, (3,); NaN where one is not known."""
    both, trained = _variances(known)
    if (known[:, _OF_TRAININGS] > 0).sum() < FEWEST_TRAINED:
        trained = np.nan
    return np.asarray(np.sqrt([both, trained, np.maximum(0.0, both - trained)]))


def _variances(known: FloatArray) -> tuple[float, float]:
    between, of_networks, within, of_trainings = known[:, _BETWEEN:].sum(axis=0)
    return between / of_networks if of_networks else np.nan, within / of_trainings if of_trainings else np.nan


def best(known: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
    """The share of them that has the lowest mean losses, at least one, and the others."""
    ordered = known[np.argsort(known[:, _MEAN], kind="stable")]
    count = max(1, round(share * len(known)))
    return ordered[:count], ordered[count:]


def ratio(known: FloatArray) -> float:
    """The spread of the best quarter's networks, of that of the others'."""
    good, others = best(known, 0.25)
    return float(spread(good)[0] / spread(others)[0])


def resampled(statistic: Callable[[FloatArray], FloatArray], known: FloatArray) -> list[Known]:
    """Numbers that a statistic gives (k,), each with its interval over resampled generators."""
    rng, count = np.random.default_rng(0), len(known)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = statistic(known)
        drawn = [statistic(known[rng.integers(count, size=count)]) for _ in range(RESAMPLES)]
    return [(float(value), *ends(column)) for value, column in zip(found, np.transpose(drawn), strict=True)]


#: Which generators a row of the table is about.
GROUPS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "the best quarter": lambda known: best(known, 0.25)[0],
    "the others": lambda known: best(known, 0.25)[1],
    "the better half": lambda known: best(known, 0.5)[0],
    "all": lambda known: known,
}


def numbers_of(known: FloatArray) -> FloatArray:
    """Of each group the mean loss and `spread`, then `shares`, then `ratio`."""
    groups = [chosen(known) for chosen in GROUPS.values()]
    of_groups = [[own[:, _MEAN].mean(), *spread(own)] for own in groups]
    return np.array([*np.ravel(of_groups), *shares(known), ratio(known)])


def luck_of_generators(evidence: Evidence) -> Exhibit:
    name, title = "luck_of_generators", "Generators: what differs, and what is luck"
    rungs = [one for one in drawn_generators(evidence) if len(one.generators) >= FEWEST]
    if not rungs:
        why = (
            f"No budget has {FEWEST} generators with several networks (a part `draws` of a plan trains them, or "
            "`jointbench collect --architectures 8`): how much good generators vary cannot be told."
        )
        return Exhibit(name, title, missing=[why])
    # The one with the most generators.
    drawn = max(rungs, key=lambda one: len(one.generators))
    known, label = known_of(drawn.generators), evidence.objective.label
    found = resampled(numbers_of, known)
    *between, apart = found[4 * len(GROUPS) :]
    rows, numbers = list[list[str]](), dict[str, list[Any]]()
    alone = dict[str, Known]()
    for k, (group, chosen) in enumerate(GROUPS.items()):
        own, own_numbers = chosen(known), found[4 * k : 4 * k + 4]
        trained = int((own[:, _OF_TRAININGS] > 0).sum())
        shown = [_cell(evidence, one) for one in own_numbers]
        rows.append([group, f"{len(own)}", *shown[:2], f"{trained}", *shown[2:]])
        columns = dict(zip(("mean", "one_training_each", "trainings", "networks_alone"), own_numbers, strict=True))
        _add(numbers, {"generators": group, "n": len(own), "with_several_trainings": trained}, columns)
        alone[group] = own_numbers[3]
    words = [
        f"Standard deviations of the {label} inside of a generator, after {evidence.amount(drawn.rung)}: of its "
        "networks, trained once each; of trainings of one network with other seeds, where there are several; and of "
        "networks alone, which is the first less the second as variances, and at least 0. Pooled over generators, with "
        "95 % intervals over resampled ones, whose quarters and halves are taken anew.",
    ]
    headings = ["generators", "n", f"mean {label}", "networks, one training each", "with several trainings"]
    headings += ["trainings of one network", "networks alone"]
    table = Table(name, f"Spread of the {label} inside of generators", headings, rows, numbers, ("generators",))
    parts_of = ("between generators", "between networks", "between trainings")
    split = Table(
        "variance_of_generators",
        f"Of the variance of one evaluation's {label}",
        ("part", "share"),
        [[part, _percent(one)] for part, one in zip(parts_of, between, strict=True)],
        {
            "part": parts_of,
            "share": [one[0] for one in between],
            "low": [one[1] for one in between],
            "high": [one[2] for one in between],
        },
        ("part",),
    )
    missing = []
    if not np.isfinite(between[0][0]):
        missing.append("No network was trained several times at this budget: luck of training cannot be taken off.")
    words += _of_memory(drawn)
    figure = Figure(name, "A point a generator.", lambda: _draw(evidence, drawn), 420)
    finding = _finding(evidence, drawn, apart, between, alone)
    return Exhibit(name, title, words, [figure], [table, split], missing, finding)


def _finding(
    evidence: Evidence, drawn: Drawn, apart: Known, between: Sequence[Known], alone: Mapping[str, Known]
) -> str:
    good, others = best(known_of(drawn.generators), 0.25)
    if not np.isfinite(apart[1]):
        verdict = "cannot be told with this evidence"
    else:
        verdict = "holds" if apart[2] < 1 else "does not hold" if apart[1] > 1 else "cannot be told with this evidence"
    said = (
        f"Good generators vary little: {verdict}. After {evidence.amount(drawn.rung)}, networks of the best "
        f"{len(good)} of {counted(len(drawn.generators), 'generator')} differ in {evidence.objective.label} by a "
        f"standard deviation of {evidence.objective.shown(spread(good)[0])}, those of the others by "
        f"{evidence.objective.shown(spread(others)[0])}: a ratio of {apart[0]:.2f} ({apart[1]:.2f} to {apart[2]:.2f})."
    )
    if np.isfinite(between[0][0]):
        said += f" Of an evaluation's variance {_percent(between[0])} lies between generators."
    # The smallest group of good ones of which it is known.
    group = next((one for one in ("the best quarter", "the better half") if np.isfinite(alone[one][0])), None)
    if group is None:
        return f"{said} How much of the good ones' spread is the luck of training cannot be told."
    missed = "" if group == "the best quarter" else " (of the best quarter too few have several trainings)"
    return (
        f"{said} Without the luck of training, networks of {group} differ by {_cell(evidence, alone[group])}{missed}."
    )


def _of_memory(drawn: Drawn) -> list[str]:
    several = [float(one.std(ddof=1) / one.mean()) for one in drawn.memory if len(one) > 1]
    if not several:
        return []
    return [
        "Memory hardly hangs on the draw: its coefficient of variation inside of a generator is "
        f"{np.median(several):.2%} at the median and {max(several):.2%} at most."
    ]


def _cell(evidence: Evidence, known: Known) -> str:
    value, low, high = known
    if not np.isfinite(value):
        return "-"
    shown = evidence.objective.shown
    return f"{shown(value)} ({shown(low)} to {shown(high)})" if np.isfinite(low) else f"{shown(value)} (-)"


def _percent(known: Known) -> str:
    value, low, high = known
    if not np.isfinite(value):
        return "-"
    return f"{value:.0%} ({low:.0%} to {high:.0%})" if np.isfinite(low) else f"{value:.0%} (-)"


def _add(numbers: dict[str, list[Any]], plain: dict[str, Any], known: dict[str, Known]) -> None:
    ends = {f"{key}{end}": one[k] for key, one in known.items() for k, end in enumerate(("", "_low", "_high"))}
    for key, value in {**plain, **ends}.items():
        numbers.setdefault(key, []).append(value)


def _draw(evidence: Evidence, drawn: Drawn) -> Any:
    import plotly.graph_objects as go

    means = evidence.drawn(drawn.means)
    figure = go.Figure()
    for part, words, colour in ((0, "networks, one training each", 0), (1, "trainings of one network", 2)):
        sums, degrees = known_of(drawn.generators).T[_BETWEEN + 2 * part : _BETWEEN + 2 * part + 2]
        there = degrees > 0
        figure.add_scatter(
            x=means[there],
            y=np.sqrt(sums[there] / degrees[there]),
            mode="markers",
            marker={"size": 8, "opacity": 0.75, "color": rung_colour(colour)},
            name=words,
            hovertemplate="%{y:.2%} around %{x:.2%}<extra></extra>",
        )
    label = evidence.objective.label
    figure.update_xaxes(**metric_axis(evidence.objective, means, f"mean {label} of a generator"))
    figure.update_yaxes(title_text=f"standard deviation of the {label}", rangemode="tozero", tickformat=".3~%")
    figure.update_layout(showlegend=True)
    return figure
