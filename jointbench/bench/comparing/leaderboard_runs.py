"""What the entries of a leaderboard come to: places, regret and ranks, task by task and over all, by what was spent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from jointbench.bench.comparing.across_tasks import AcrossTasks, TaskRuns, interval_over, task_runs
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.leaderboard_folder import Entry, Rules, entry_folder, read_entries, task_folder
from jointbench.bench.comparing.statistics import Interval, mean_ranks
from jointbench.bench.comparing.trajectories import Trajectory, read_trajectories
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError

#: Shares of what a run may spend, at which entries are held against each other.
SPENT = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class Place:
    """Where an entry stands, 1 the best; equal ones share a place. `regret`: the mean over tasks of the mean over seeds
    of the normalised regret; `rank` the same of the ranks among runs of one seed; the 95 % intervals are from tasks,
    and within them seeds, drawn with replacement."""

    place: int
    optimizer: str
    regret: float
    interval: Interval
    rank: float
    rank_interval: Interval


class LeaderboardRuns:
    """The runs of a board's entries. Raises LogError for a folder that is none, or has no entry."""

    def __init__(self, folder: Path) -> None:
        rules = Rules.read(folder)
        self.folder, self.entries = folder, [] if rules is None else read_entries(folder)
        if rules is None or not self.entries:
            raise LogError("leaderboard", str(folder), "a board with entries, as `jointbench leaderboard add` makes it")
        self.rules = rules

    @cached_property
    def tasks(self) -> dict[str, TaskRuns]:
        """By name, with the runs of all entries that have any there."""
        found = {}
        for name, scale in self.rules.tasks.items():
            runs, settings = dict[str, list[Trajectory]](), list[Settings]()
            for entry in self.entries:
                if name in entry.tasks:
                    folder = task_folder(entry_folder(self.folder, entry.name), name)
                    (own,) = read_trajectories(folder).values()
                    runs[entry.name] = [replace(run, optimizer=entry.name) for run in own]
                    settings.append(Settings.read(folder))
            if runs:
                found[name] = task_runs(name, settings[0], runs, scale)
        return found

    @cached_property
    def across(self) -> AcrossTasks | None:
        """The tasks together, with the entries that have run on all; None where none has."""
        whole = [entry.name for entry in self.entries if not self.missing(entry)]
        return AcrossTasks([*self.tasks.values()], (), str(self.folder)) if whole else None

    def missing(self, entry: Entry) -> list[str]:
        """The tasks of the board on which an entry has no runs."""
        return [name for name in self.tasks if name not in entry.tasks]

    def places_over_all(self, share: float = 1.0) -> list[Place]:
        """Of the entries that have run on all tasks, when so much was spent."""
        return [] if self.across is None else places(self.across.tasks, share)

    def places_on(self, task: str, share: float = 1.0) -> list[Place]:
        """Of the entries that have run on a task."""
        return places([self.tasks[task]], share)


def places(tasks: Sequence[TaskRuns], share: float) -> list[Place]:
    """The best first, of optimizers that have run on all of these tasks."""
    at, regrets, ranks = np.array([share]), dict[str, list[FloatArray]](), dict[str, list[FloatArray]]()
    for task in tasks:
        # A seed alone is what `mean_ranks` averages over.
        ranked = mean_ranks(task.losses_spent(at)[:, None, :, 0])
        for (name, own), rank in zip(task.regrets_spent(at).items(), ranked, strict=True):
            regrets.setdefault(name, []).append(own[:, 0])
            ranks.setdefault(name, []).append(rank)
    keys = {name: (_mean(regrets[name]), _mean(ranks[name])) for name in regrets}
    return [
        Place(
            1 + sum(_rounded(other) < _rounded(keys[name]) for other in keys.values()),
            name,
            keys[name][0],
            interval_over(regrets[name]),
            keys[name][1],
            interval_over(ranks[name]),
        )
        for name in sorted(keys, key=lambda name: (_rounded(keys[name]), name))
    ]


def _mean(of: Sequence[FloatArray]) -> float:
    return float(np.mean([one.mean() for one in of]))


def _rounded(key: tuple[float, float]) -> tuple[float, float]:
    """Means of the same numbers may differ in their last bits."""
    return round(key[0], 12), round(key[1], 12)


def versions_of(entry: Entry) -> Mapping[str, str]:
    """Those with which its runs were made again, of all its tasks."""
    found: dict[str, str] = {}
    for verified in entry.tasks.values():
        for name, version in verified.versions.items():
            there = found.get(name, "").split(", ") if name in found else []
            found[name] = ", ".join(dict.fromkeys([*there, version]))
    return found
