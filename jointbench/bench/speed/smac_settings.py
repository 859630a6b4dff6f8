"""Speed of SMAC's settings is bought with nothing that shows: `smac` beside plain smac on the released benchmark.

Runs `smac` and `smac-default` (plain smac's proposals) with the same seeds on digits-cpu, or reads comparisons that
`jointbench compare` made, and says by how much the incumbents' true validation errors differ over the seeds, with what
certainty, and which difference so many seeds would have shown.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jointbench.bench.comparing.statistics import LEVEL, bootstrap, wilcoxon
from jointbench.bench.comparing.trajectories import Trajectory, read_trajectories
from jointbench.bench.speed.measure import parser, present, progress
from jointbench.data.arrays import FloatArray

OURS, PLAIN = "smac", "smac-default"
SEEDS, QUICK_SEEDS = 50, 2
FULL_BUDGETS, QUICK_FULL_BUDGETS = 64.0, 4.0
#: Shares of the simulated time of a run at which the incumbents are compared; before, both draw the same.
SHARES = (0.5, 0.75, 1.0)
#: The sum of the normal quantiles of a two-sided test at 5 % and of a power of 80 %.
FOUND = 1.960 + 0.842


def make(folder: Path, seeds: int, full_budgets: float) -> None:
    """The comparison, one run after the other: what is measured is quality, and others may use the machine."""
    from jointbench.bench.comparing.comparison import compare
    from jointbench.bench.comparing.simulated_objective import simulated_settings
    from jointbench.bench.running.surrogate_objective import SurrogateObjective
    from jointbench.surrogate.stored import load_benchmark

    objective = SurrogateObjective(load_benchmark("digits-cpu"))
    names = (OURS, PLAIN)
    compare(
        simulated_settings(objective, workers=10, full_budgets=full_budgets, overhead=0.0, death_rate=0.0),
        names,
        seeds=dict.fromkeys(names, seeds),
        out=folder,
        jobs=1,
        command="",
        progress=lambda done, expected: None,
    )


def at_share(runs: Sequence[Trajectory], seeds: Sequence[int], share: float) -> FloatArray:
    """The incumbents' true validation errors (seeds,) after a share of each run's time."""
    by_seed = {run.seed: run for run in runs}
    return np.array([float(by_seed[seed].at(by_seed[seed].seconds[-1:] * share)[0]) for seed in seeds])


def mean_interval(differences: FloatArray) -> tuple[float, float]:
    """A 95 % bootstrap interval of the mean difference."""
    interval = bootstrap(lambda drawn: differences[drawn[0]].mean(axis=-1), [len(differences)], resamples=10_000)
    return interval if interval is not None else (float("nan"), float("nan"))


def compared(runs: Mapping[str, Sequence[Trajectory]]) -> tuple[list[tuple[str, ...]], dict[str, float | int | str]]:
    """A row of the table for each share, and the figures; errors are fractions."""
    seeds = sorted({run.seed for run in runs[OURS]} & {run.seed for run in runs[PLAIN]})
    rows: list[tuple[str, ...]] = []
    figures = dict[str, float | int | str](seeds=len(seeds))
    for share in SHARES:
        ours, plain = (at_share(runs[name], seeds, share) for name in (OURS, PLAIN))
        differences = ours - plain
        low, high = mean_interval(differences)
        p = wilcoxon(differences)
        detectable = FOUND * float(differences.std(ddof=1)) / len(seeds) ** 0.5
        key = f"at_{share:.0%}".replace("%", "_percent")
        figures |= {
            f"{key}_smac_median": float(np.median(ours)),
            f"{key}_smac_default_median": float(np.median(plain)),
            f"{key}_mean_difference": float(differences.mean()),
            f"{key}_low": low,
            f"{key}_high": high,
            f"{key}_median_difference": float(np.median(differences)),
            f"{key}_p": p,
            f"{key}_detectable": detectable,
        }
        difference = f"{differences.mean():+.2%} ({low:+.2%} to {high:+.2%})"
        medians = (f"{one:.2%}" for one in (np.median(ours), np.median(plain)))
        rows.append(
            (f"{share:.0%}", *medians, difference, f"{np.median(differences):+.2%}", f"{p:.2f}", f"{detectable:.2%}")
        )
    return rows, figures


def main() -> None:
    program = parser(__doc__ or "")
    program.add_argument("folders", nargs="*", type=Path, help="comparisons to read instead of making one")
    program.add_argument("--seeds", type=int, default=SEEDS, help=f"default {SEEDS}, a minute or two each")
    arguments = program.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folders = arguments.folders
        if not folders:
            folders = [Path(temporary) / "comparison"]
            seeds = QUICK_SEEDS if arguments.quick else arguments.seeds
            progress(f"running both with {seeds} seeds")
            make(folders[0], seeds, QUICK_FULL_BUDGETS if arguments.quick else FULL_BUDGETS)
        runs = {name: several for folder in folders for name, several in read_trajectories(folder).items()}
    rows, figures = compared(runs)
    present(
        f"true validation error of the incumbents, {figures['seeds']} seeds",
        (
            *("share of the run", OURS, PLAIN, f"mean difference ({1 - LEVEL:.0%} interval)", "median difference"),
            *("Wilcoxon's p", "would be found"),
        ),
        rows,
        figures,
        as_json=arguments.json,
        libraries=("numpy", "scipy", "scikit-learn", "smac"),
        notes=["would be found: a difference of the means that so many seeds show four times in five, at 5 %"],
    )


if __name__ == "__main__":
    main()
