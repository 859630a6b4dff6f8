"""How evaluations fail, and where in the space."""

from dataclasses import dataclass
from typing import Any

from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.few_ticks import few_ticks
from jointbench.bench.analysing.resampling import LEVEL
from jointbench.bench.drawing.palette import BLACK, VERMILION, rung_colour
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Status
from jointbench.data.frames import configurations_of
from jointbench.data.quantities import counted

#: Failures below which nothing is said of where they happen.
FEWEST = 10


@dataclass(frozen=True)
class Shift:
    """How a hyperparameter's values among failures differ from those among evaluations that ended ok: `above`, the
    chance that a failure has the larger one, ties half (the area under the ROC curve); `p` of the Mann-Whitney test,
    after Holm's correction over all hyperparameters."""

    name: str
    above: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p < LEVEL


def failures(evidence: Evidence) -> Exhibit:
    name, title = "failures", "Failures: by cause, and where in the space"
    if evidence.frame is None or not len(evidence.frame):
        return Exhibit(name, title, missing=["There are no evaluations."])
    every = evidence.all
    failed = every["status"] != Status.OK.value
    if not failed.any():
        return Exhibit(name, title, [f"None of {counted(len(every), 'evaluation')} failed."])
    counts = every[failed].groupby(["status", "rung"]).size()
    causes = [str(cause) for cause in every.loc[failed, "status"].value_counts().index]
    words = f"{int(failed.sum()):,} of {counted(len(every), 'evaluation')} failed ({failed.mean():.1%})."
    rows = [
        [cause.replace("_", " "), *(f"{int(counts.get((cause, index), 0)):,}" for index in range(len(evidence.rungs)))]
        for cause in causes
    ]
    numbers: dict[str, list[Any]] = {"cause": causes}
    for index, rung in enumerate(evidence.rungs):
        numbers[f"after_{rung:g}"] = [int(counts.get((cause, index), 0)) for cause in causes]
    headings = ["cause", *(evidence.amount(index) for index in range(len(evidence.rungs)))]
    tables = [Table("failures", "Failures by cause and budget", headings, rows, numbers, ("cause",))]
    figures = [
        Figure(
            "failures",
            "How many of each budget failed, and why.",
            lambda: _bars(evidence, causes, counts),
            140 + 44 * len(causes),
        )
    ]
    if failed.sum() < FEWEST or (~failed).sum() < FEWEST:
        missing = [
            f"{counted(int(failed.sum()), 'evaluation')} failed; where they happen needs {FEWEST}, and as many that "
            "ended ok."
        ]
        return Exhibit(name, title, [words], figures, tables, missing)
    units = evidence.unit_rows(every)
    found = shifts(evidence.task.space.names, units[failed.to_numpy()], units[~failed.to_numpy()])
    apart = [one for one in found if one.significant]
    if apart:
        most = ", ".join(f"{'high' if one.above > 0.5 else 'low'} {one.name} ({one.above:.2f})" for one in apart[:4])
        words += (
            f" They lie where the following are: {most}; in brackets, the chance that a failure has the larger value "
            "than an evaluation that ended ok, 0.5 being no difference (Mann-Whitney, Holm)."
        )
        tables.append(_where(found))
        first, second = (apart[0].name, (apart[1] if len(apart) > 1 else found[1]).name)
        figures.append(
            Figure(
                "failures_where",
                f"Failures (crosses) among all evaluations, by the two that tell them apart best: {first} and "
                f"{second}.",
                lambda: _map(evidence, first, second),
                420,
            )
        )
    else:
        words += " No hyperparameter tells them from the others."
    return Exhibit(name, title, [words], figures, tables)


def shifts(names: "tuple[str, ...]", failed: FloatArray, ok: FloatArray) -> list[Shift]:
    """Of values (n, hyperparameters) and (m, hyperparameters), the one that tells them apart best first."""
    from scipy.stats import mannwhitneyu
    from statsmodels.stats.multitest import multipletests

    tested = [mannwhitneyu(failed[:, k], ok[:, k]) for k in range(len(names))]
    corrected = multipletests([float(one.pvalue) for one in tested], method="holm")[1]
    found = [
        Shift(name, float(one.statistic) / (len(failed) * len(ok)), float(p))
        for name, one, p in zip(names, tested, corrected, strict=True)
    ]
    return sorted(found, key=lambda one: -abs(one.above - 0.5))


def _where(found: list[Shift]) -> Table:
    rows = [[one.name, f"{one.above:.2f}", f"{one.p:.2g}"] for one in found]
    numbers: dict[str, list[Any]] = {
        "hyperparameter": [one.name for one in found],
        "above": [one.above for one in found],
        "p_holm": [one.p for one in found],
    }
    headings = ["hyperparameter", "chance that a failure's is larger", "p after Holm"]
    return Table("failures_where", "Where failures are", headings, rows, numbers, ("hyperparameter",), folded=True)


def _numbers(evidence: Evidence, frame: Any, name: str) -> list[float]:
    space = evidence.task.space
    found: list[float] = space.rows(configurations_of(frame, space.names))[:, space.names.index(name)].tolist()
    return found


def _bars(evidence: Evidence, causes: list[str], counts: Any) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for index in range(len(evidence.rungs)):
        own = [int(counts.get((cause, index), 0)) for cause in causes]
        if any(own):
            figure.add_bar(
                y=[cause.replace("_", " ") for cause in causes],
                x=own,
                orientation="h",
                marker_color=rung_colour(index),
                name=evidence.amount(index),
                hovertemplate="%{x:,}",
            )
    figure.update_layout(barmode="stack", showlegend=True, bargap=0.4, legend_traceorder="normal")
    figure.update_xaxes(title_text="evaluations that failed", rangemode="tozero", tickformat=",~r")
    figure.update_yaxes(autorange="reversed")
    return figure


def _map(evidence: Evidence, first: str, second: str) -> Any:
    import plotly.graph_objects as go

    every, figure = evidence.all, go.Figure()
    failed = every["status"] != Status.OK.value
    for own, label, look in (
        (every[~failed], "ended ok", {"size": 4, "opacity": 0.35, "color": BLACK}),
        (every[failed], "failed", {"size": 8, "symbol": "x-thin", "line": {"color": VERMILION, "width": 1.6}}),
    ):
        figure.add_scatter(
            x=_numbers(evidence, own, first),
            y=_numbers(evidence, own, second),
            mode="markers",
            marker=look,
            name=label,
            hovertemplate="%{x:.3~g}, %{y:.3~g}",
        )
    for name, update in ((first, figure.update_xaxes), (second, figure.update_yaxes)):
        hyperparameter = evidence.task.space.by_name[name]
        update(title_text=name, type="log" if hyperparameter.log else "linear", **few_ticks(hyperparameter))
    return figure
