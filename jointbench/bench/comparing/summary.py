"""The table that sums a comparison up, for the terminal and for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.speedup import Speedup, speedup
from jointbench.bench.comparing.statistics import mean_ranks
from jointbench.bench.comparing.trajectories import (
    Runs,
    best_value,
    final_losses,
    held_out,
    objective_of,
    read_trajectories,
    shared_seeds,
)
from jointbench.data.metrics import VALIDATION_ERROR, Metric

#: The optimizer that the others' speed is measured against.
YARDSTICK = "random"


@dataclass(frozen=True)
class Row:
    """An optimizer in the table; medians and quartiles over seeds.

    `value`, `quartiles`: of the final `objective`; `held_out`: the median of the metric `judged`, by which the
    incumbents are judged besides, if there is any. `regret`: how far `value` is from the best true objective that any
    incumbent of the comparison ever had. `rank`: mean over the seeds that all optimizers have of the rank by the final
    objective, 1 the best; None where they share no seed. `speedup`: None when random search is not in the comparison.
    `ends`: mean seconds at which its runs end, where that differs from optimizer to optimizer; None where all have the
    same time.
    """

    optimizer: str
    seeds: int
    evaluations: int
    value: float
    quartiles: tuple[float, float]
    held_out: float | None
    regret: float
    rank: float | None
    speedup: Speedup | None
    ends: float | None = None
    objective: Metric = VALIDATION_ERROR
    judged: Metric | None = None


def headings(rows: Sequence[Row]) -> tuple[str, ...]:
    """What stands above `cells`."""
    first = rows[0]
    return (
        "optimizer",
        "seeds",
        "evaluations",
        f"final {first.objective.label}",
        "quartiles",
        *([] if first.judged is None else [f"final {first.judged.label}"]),
        "regret",
        "mean rank",
        "speed-up over random",
    )


def cells(row: Row) -> tuple[str, ...]:
    """A row as the terminal and the page both print it, below `headings`."""
    shown = row.objective.shown
    return (
        row.optimizer,
        str(row.seeds),
        f"{row.evaluations:,}",
        shown(row.value) + ("" if row.ends is None else f" at {row.ends:,.{0 if row.ends >= 10 else 2}f} s"),
        f"{shown(row.quartiles[0])} to {shown(row.quartiles[1])}",
        *([] if row.judged is None or row.held_out is None else [row.judged.shown(row.held_out)]),
        shown(row.regret),
        "-" if row.rank is None else f"{row.rank:.2f}",
        "-" if row.speedup is None else str(row.speedup),
    )


def summary(folder: Path) -> list[Row]:
    """The table of the comparison in a folder. Raises LogError when it has no finished run."""
    return rows(read_trajectories(folder), one_time=Settings.read(folder).time is not None)


def rows(runs: Runs, *, one_time: bool = True) -> list[Row]:
    """An optimizer each, the best mean rank first, then the best value; `one_time`: whether all runs have the same
    time, at which they are read."""
    objective, judged = objective_of(runs), held_out(runs)
    best, ranks, found = best_value(runs), _ranks(runs), list[Row]()
    for name, several in runs.items():
        lower, median, upper = np.quantile([run.values[-1] for run in several], [0.25, 0.5, 0.75])
        found.append(
            Row(
                name,
                len(several),
                sum(run.evaluations for run in several),
                float(median),
                (float(lower), float(upper)),
                None if judged is None else float(np.median([run.metrics[judged.name][-1] for run in several])),
                float(objective.losses(median) - objective.losses(best)),
                ranks.get(name),
                speedup(runs[YARDSTICK], several) if YARDSTICK in runs else None,
                None if one_time else float(np.mean([run.seconds[-1] for run in several])),
                objective,
                judged,
            )
        )
    return sorted(found, key=lambda row: (row.rank or 0.0, objective.loss(row.value)))


def _ranks(runs: Runs) -> dict[str, float]:
    seeds: Sequence[int] = shared_seeds(runs)
    if not seeds:
        return {}
    final = final_losses(runs)
    losses = np.array([[final[name][seed] for seed in seeds] for name in runs])
    return dict(zip(runs, mean_ranks(losses).tolist(), strict=True))
