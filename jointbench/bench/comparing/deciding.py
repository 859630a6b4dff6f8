"""Adding seeds until a comparison is decided, and what looking repeatedly costs."""

from math import comb
from pathlib import Path

from jointbench.bench.comparing.comparison_folder import looks
from jointbench.bench.comparing.statistics import LEVEL, Pair, pairs, seeds_needed
from jointbench.bench.comparing.summary import rows
from jointbench.bench.comparing.trajectories import final_losses, read_trajectories

#: Every pair of so many of the best is to be decided.
BEST = 3


def planned_looks(first: int, most: int, optimizers: int) -> list[int]:
    """The numbers of seeds at which a comparison is looked at: each twice the one before, up to `most`.

    All looks are planned before the first, since each tests at the level divided by their number. That all of them
    together err no more often than one at the whole level is Bonferroni's inequality (Dunn 1961, Multiple comparisons
    among means); it holds for Holm's procedure at each look and for tests that depend on each other. A look at fewer
    seeds than can show anything is left out.
    """
    start = min(first, most)
    while True:
        found = [start]
        while found[-1] < most:
            found.append(min(2 * found[-1], most))
        least = seeds_needed(comb(optimizers, 2), LEVEL / len(found))
        if start >= min(least, most):
            return found
        start = min(least, most)


def undecided(folder: Path) -> list[Pair]:
    """The pairs among the best three, by mean rank, that cannot be told apart yet."""
    runs = read_trajectories(folder)
    best = [row.optimizer for row in rows(runs)][:BEST]
    tested = pairs(final_losses(runs), LEVEL / looks(folder))
    return [pair for pair in tested if pair.first in best and pair.second in best and not pair.significant]
