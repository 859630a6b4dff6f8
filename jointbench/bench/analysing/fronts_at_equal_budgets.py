"""Fronts of a comparison for several objectives, by hypervolume when all have spent the same budgets.

Ru et al. 2020 hold the front of their search for two objectives against the points that BOHB had found.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.analysing.resampling import mean_interval
from jointbench.bench.analysing.spaces_beside import searched
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.front_box import axes, dominated
from jointbench.bench.comparing.fronts import FrontRun, read_fronts
from jointbench.bench.comparing.trajectories import Runs, Trajectory, read_trajectories
from jointbench.bench.drawing.axes import share_axis
from jointbench.bench.drawing.palette import styles
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted

if TYPE_CHECKING:
    from pandas import DataFrame

#: Shares of the budgets of a run after which fronts are looked at.
SHARES = (0.25, 0.5, 1.0)

#: Whose front is held against those of the others, and against whose real evaluations.
OURS, REAL = "nago-mobo", "bohb"

#: Mean, and its interval.
Known = tuple[float, float, float]


def spent_by_all(runs: Runs) -> float:
    """The sum of budgets that every run has spent."""
    totals = [float(run.budgets.sum()) for several in runs.values() for run in several if run.budgets is not None]
    return min(totals)


def seen_share(run: FrontRun, spent: float) -> float:
    """The share of the box that the front dominates as the optimizer saw it, when it had spent so much."""
    assert run.budgets is not None
    row = int(np.searchsorted(np.cumsum(run.budgets), spent * (1 + 1e-9), side="right"))
    stand = (run.joined < row) & (run.left >= row)
    return dominated(run.seen[stand], run.sides)


def fronts_at_equal_budgets(evidence: Evidence, folder: Path | None) -> Exhibit:
    """`folder`: that of a comparison for several objectives; None without."""
    name, title = "fronts_at_equal_budgets", "Fronts at equal budgets"
    untold = f"whether {OURS}'s front is better than {REAL}'s points cannot be told."
    if folder is None:
        why = "No comparison for several objectives was given (`--fronts COMPARISON`, as `jointbench compare BENCHMARK "
        return Exhibit(name, title, missing=[f"{why}--objectives validation_error,sample_memory` makes it): {untold}"])
    settings = Settings.read(folder)
    if not settings.box or settings.space != evidence.task.space.name:
        why = f"The comparison in {folder} is not one of {evidence.task.space.name} for several objectives: {untold}"
        return Exhibit(name, title, missing=[why])
    runs, unit = read_trajectories(folder), evidence.task.ladder.unit
    total = spent_by_all(runs)
    ours = next((one for one in runs if one.split(":")[0] == OURS), None)
    rows, numbers, against = list[list[str]](), dict[str, list[Any]](), dict[str, Known]()
    order = sorted(runs, key=lambda one: -_known(_shares_at(runs[one], total))[0])
    for one in order:
        at = {share: _known(_shares_at(runs[one], share * total)) for share in SHARES}
        columns: dict[str, Any] = {"optimizer": one, "runs": len(runs[one])}
        for share, known in at.items():
            columns |= dict(zip(_ends(f"at_{share:g}"), known, strict=True))
        apart = (np.nan, np.nan, np.nan)
        if ours is not None and one != ours:
            apart = against[one] = _apart(runs[ours], runs[one], total)
        columns |= dict(zip(_ends("ours_less_it"), apart, strict=True))
        rows.append([one, f"{len(runs[one])}", *map(_cell, at.values()), _points(apart)])
        for key, value in columns.items():
            numbers.setdefault(key, []).append(value)
    objectives = " and ".join(metric.label for metric in settings.objectives)
    words = [
        f"Searches for {objectives} on {settings.name}, by the share of the box that the front dominates (its true "
        f"values, docs/objectives.md), when each had spent a quarter, a half and all of {total:,.0f} {unit}: means "
        f"over runs, and their 95 % intervals (Student's). The difference is that of {ours or OURS} less the other's, "
        "paired by seeds.",
        *_of_real(evidence, folder, settings),
    ]
    headings = ["optimizer", "runs", *(f"{share * total:,.0f} {unit}" for share in SHARES), f"{OURS} less it"]
    table = Table(name, "Hypervolume at equal budgets", headings, rows, numbers, ("optimizer",))
    figure = Figure(name, "", lambda: _draw(runs, total, unit), 440)
    missing = [] if ours is not None else [f"{OURS} is not among the optimizers compared: {untold}"]
    finding = "" if ours is None else _finding(ours, against, runs, total, unit)
    return Exhibit(name, title, words, [figure], [table], missing, finding)


def _shares_at(runs: Sequence[Trajectory], spent: float) -> list[float]:
    return [float(run.spent(np.array([spent]))[0]) for run in runs]


def _apart(ours: Sequence[Trajectory], theirs: Sequence[Trajectory], spent: float) -> Known:
    first, second = (
        dict(zip((run.seed for run in several), _shares_at(several, spent), strict=True)) for several in (ours, theirs)
    )
    return _known([first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())])


def _known(values: Sequence[float]) -> Known:
    array = np.nan_to_num(np.asarray(values, dtype=np.float64))
    return (float(array.mean()), *mean_interval(array)) if len(array) else (np.nan, np.nan, np.nan)


def _ends(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


def _cell(known: Known) -> str:
    value, low, high = known
    return f"{value:.2%} ({low:.2%} to {high:.2%})" if np.isfinite(low) else f"{value:.2%} (-)"


def _points(known: Known) -> str:
    value, low, high = (100 * one for one in known)
    if not np.isfinite(value):
        return ""
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f}) points" if np.isfinite(low) else f"{value:+.2f} (-) points"


def _of_real(evidence: Evidence, folder: Path, settings: Settings) -> list[str]:
    """What BOHB's real evaluations are worth in the same box."""
    if evidence.frame is None:
        return []
    frame: DataFrame = searched(evidence, REAL)
    names = [metric.name for metric in settings.objectives]
    if not len(frame) or not set(names) <= set(frame.columns):
        return []
    spent, unit = float(frame["budget"].sum()), evidence.task.ladder.unit
    share = dominated(frame[names].to_numpy(float), axes(settings.objectives, settings.box))
    said = (
        f"{REAL}'s {len(frame):,} real evaluations that ended ok ({spent:,.0f} {unit}), as it saw them, with their "
        f"luck: {share:.2%} of the same box, of one run."
    )
    simulated = read_fronts(folder).get(REAL, [])
    if simulated and min(float(run.budgets.sum()) for run in simulated if run.budgets is not None) >= spent * 0.99:
        known = _known([seen_share(run, spent) for run in simulated])
        said += f" On the surrogate its runs had seen {_cell(known)} after as many."
    return [said]


def _finding(ours: str, against: dict[str, Known], runs: Runs, total: float, unit: str) -> str:
    seeds = counted(len(runs[ours]), "run")
    if REAL not in against:
        return ""
    apart = against[REAL]
    if not np.isfinite(apart[1]):
        verdict = "cannot be told of one run"
    else:
        verdict = "holds" if apart[1] > 0 else "does not hold" if apart[2] < 0 else "cannot be told with this evidence"
    others = {name: known for name, known in against.items() if name != REAL}
    better = [name for name, known in others.items() if known[1] > 0]
    worse = [name for name, known in others.items() if known[2] < 0]
    open_ = [name for name in others if name not in better and name not in worse]
    beside = [
        f"{words} {', '.join(several)}"
        for words, several in (("ahead of", better), ("behind", worse), ("not told apart from", open_))
        if several
    ]
    return (
        f"{ours}'s front is larger than that of {REAL}'s points: on the surrogate, after {total:,.0f} {unit} each, "
        f"this {verdict} (hypervolume {_cell(_known(_shares_at(runs[ours], total)))} against "
        f"{_cell(_known(_shares_at(runs[REAL], total)))}, a difference of {_points(apart)}, {seeds} each)"
        + (f"; it is {', '.join(beside)}" if beside else "")
        + "."
    )


def _draw(runs: Runs, total: float, unit: str) -> Any:
    import plotly.graph_objects as go

    grid: FloatArray = np.linspace(0, total, 101)[1:]
    look, figure = styles(runs), go.Figure()
    for name, several in runs.items():
        values = np.nan_to_num(np.stack([run.spent(grid) for run in several]))
        style = look[name]
        figure.add_scatter(
            x=grid,
            y=values.mean(axis=0),
            mode="lines",
            line={"color": style.colour, "dash": style.dash, "width": 2.2},
            name=name,
            hovertemplate="%{y:.2%}",
        )
    figure.update_xaxes(title_text=f"{unit} spent")
    figure.update_yaxes(title_text="hypervolume, mean over runs", **share_axis())
    figure.update_layout(showlegend=True)
    return figure
