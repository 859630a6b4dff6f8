"""The table that sums a comparison up, for the terminal and for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.speedup import Speedup, speedup
from jointbench.bench.comparing.statistics import mean_ranks
from jointbench.bench.comparing.trajectories import Runs, final_errors, lowest_error, read_trajectories, shared_seeds

#: The optimizer that the others' speed is measured against.
YARDSTICK = "random"


@dataclass(frozen=True)
class Row:
    """An optimizer in the table; errors are fractions, medians and quartiles over seeds.

    `regret`: median final validation error less the lowest true error that any incumbent of the comparison ever had.
    `rank`: mean over the seeds that all optimizers have of the rank by final validation error, 1 the best; None where
    they share no seed. `speedup`: None when random search is not in the comparison. `ends`: mean seconds at which its
    runs end, where that differs from optimizer to optimizer; None where all have the same time.
    """

    optimizer: str
    seeds: int
    evaluations: int
    validation_error: float
    quartiles: tuple[float, float]
    test_error: float
    regret: float
    rank: float | None
    speedup: Speedup | None
    ends: float | None = None


HEADINGS = (
    "optimizer",
    "seeds",
    "evaluations",
    "final validation error",
    "quartiles",
    "final test error",
    "regret",
    "mean rank",
    "speed-up over random",
)


def cells(row: Row) -> tuple[str, ...]:
    """A row as the terminal and the page both print it, in the order of HEADINGS."""
    return (
        row.optimizer,
        str(row.seeds),
        f"{row.evaluations:,}",
        f"{row.validation_error:.2%}"
        + ("" if row.ends is None else f" at {row.ends:,.{0 if row.ends >= 10 else 2}f} s"),
        f"{row.quartiles[0]:.2%} to {row.quartiles[1]:.2%}",
        f"{row.test_error:.2%}",
        f"{row.regret:.2%}",
        "-" if row.rank is None else f"{row.rank:.2f}",
        "-" if row.speedup is None else str(row.speedup),
    )


def summary(folder: Path) -> list[Row]:
    """The table of the comparison in a folder. Raises LogError when it has no finished run."""
    return rows(read_trajectories(folder), one_time=Settings.read(folder).time is not None)


def rows(runs: Runs, *, one_time: bool = True) -> list[Row]:
    """An optimizer each, the best mean rank first, then the lowest error; `one_time`: whether all runs have the same
    time, at which they are read."""
    least, ranks, found = lowest_error(runs), _ranks(runs), list[Row]()
    for name, several in runs.items():
        lower, median, upper = np.quantile([run.validation_error[-1] for run in several], [0.25, 0.5, 0.75])
        found.append(
            Row(
                name,
                len(several),
                sum(run.evaluations for run in several),
                float(median),
                (float(lower), float(upper)),
                float(np.median([run.test_error[-1] for run in several])),
                float(median) - least,
                ranks.get(name),
                speedup(runs[YARDSTICK], several) if YARDSTICK in runs else None,
                None if one_time else float(np.mean([run.seconds[-1] for run in several])),
            )
        )
    return sorted(found, key=lambda row: (row.rank or 0.0, row.validation_error))


def _ranks(runs: Runs) -> dict[str, float]:
    seeds: Sequence[int] = shared_seeds(runs)
    if not seeds:
        return {}
    final = final_errors(runs)
    errors = np.array([[final[name][seed] for seed in seeds] for name in runs])
    return dict(zip(runs, mean_ranks(errors).tolist(), strict=True))
