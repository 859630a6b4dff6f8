"""What several comparisons say together: one optimizer, one number, over tasks whose errors have no common scale."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.statistics import RESAMPLES, Interval, Omnibus, Pair, mean_ranks, omnibus, pairs
from jointbench.bench.comparing.trajectories import Trajectory, read_trajectories, shared_seeds
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError
from jointbench.data.files import write_whole
from jointbench.data.json_text import read_json

#: The file that says which tasks a folder compares on.
TASKS = "tasks.json"

#: Shares of the time that runs of a task have, at which ranks are shown.
SHARES = np.geomspace(0.005, 1.0, 120)


@dataclass(frozen=True)
class TaskRuns:
    """One task's comparison: optimizer to its runs, and what scales its losses: `best` is where regret is 0 (the true
    optimum where it is `known`, else the best that any incumbent had), and `usual`, where it is 1, is the median loss
    of random configurations."""

    name: str
    settings: Settings
    runs: Mapping[str, Sequence[Trajectory]]
    best: float
    usual: float
    known: bool

    @property
    def time(self) -> float:
        """Seconds that its runs have."""
        ends = [float(run.seconds[-1]) for several in self.runs.values() for run in several]
        return self.settings.time or max(ends)

    @cached_property
    def seeds(self) -> list[int]:
        return shared_seeds(self.runs)

    def regrets(self, shares: FloatArray) -> dict[str, FloatArray]:
        """Optimizer to (seeds, shares): the normalised regret after shares of the time, from 0 to 1; 1 while there is
        no incumbent, and where one is no better than a random configuration."""
        return self._normalised(self.losses(shares))

    def losses(self, shares: FloatArray) -> FloatArray:
        """(optimizers, seeds, shares)."""
        return self._losses(lambda run: run.at(shares * self.time))

    def regrets_spent(self, shares: FloatArray) -> dict[str, FloatArray]:
        """As `regrets`, after shares of what a run may spend: its time, or, where it ends by its budgets, these."""
        return self._normalised(self.losses_spent(shares))

    def losses_spent(self, shares: FloatArray) -> FloatArray:
        """(optimizers, seeds, shares) as `regrets_spent`."""
        if self.settings.time is not None:
            return self.losses(shares)
        whole = self.settings.full_budgets * self.settings.ladder.maximum
        return self._losses(lambda run: run.spent(shares * whole))

    def _normalised(self, losses: FloatArray) -> dict[str, FloatArray]:
        regrets = np.clip((losses - self.best) / max(self.usual - self.best, 1e-300), 0.0, 1.0)
        return dict(zip(self.runs, regrets, strict=True))

    def _losses(self, values: Callable[[Trajectory], FloatArray]) -> FloatArray:
        objective, shared = self.settings.metrics[0], set(self.seeds)
        losses = [
            [objective.losses(values(run)) for run in several if run.seed in shared] for several in self.runs.values()
        ]
        return np.asarray(np.nan_to_num(np.array(losses), nan=np.inf))


@dataclass(frozen=True)
class Standing:
    """An optimizer over all tasks. `regret`: the mean over tasks of the mean over seeds of the final normalised regret,
    with a 95 % interval from tasks, and within them seeds, drawn with replacement; `rank`: mean over tasks; `won`: on
    how many its mean rank is the lowest."""

    optimizer: str
    regret: float
    interval: Interval
    rank: float
    won: int


class AcrossTasks:
    """Comparisons task by task, of the optimizers that ran on all of them, and the commands that made them. Raises
    LogError where there are none; `called`: how a person calls what they are of."""

    def __init__(self, found: Sequence[TaskRuns], commands: Sequence[str], called: str) -> None:
        common = set.intersection(*(set(task.runs) for task in found)) if found else set()
        if not common:
            raise LogError("comparison", called, "optimizers that have finished runs on every task")
        self.commands = commands
        self.tasks = [
            replace(task, runs={name: runs for name, runs in task.runs.items() if name in common}) for task in found
        ]
        self.optimizers = sorted(common)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The comparisons of a folder."""
        content = read_tasks(folder)
        found = [
            task_runs(name, Settings.read(folder / name), read_trajectories(folder / name), scale)
            for name, scale in content.scales.items()
        ]
        return cls(found, content.commands, str(folder))

    @cached_property
    def final_ranks(self) -> dict[str, dict[int, float]]:
        """Optimizer to the place of a task to the mean rank over its seeds at the end."""
        found: dict[str, dict[int, float]] = {name: {} for name in self.optimizers}
        for place, task in enumerate(self.tasks):
            ranks = mean_ranks(task.losses(np.array([1.0]))[..., 0])
            for name, rank in zip(task.runs, ranks, strict=True):
                found[name][place] = float(rank)
        return found

    @cached_property
    def standings(self) -> list[Standing]:
        """The lowest regret first."""
        finals = {name: [] for name in self.optimizers}  # type: dict[str, list[FloatArray]]
        for task in self.tasks:
            for name, regrets in task.regrets(np.array([1.0])).items():
                finals[name].append(regrets[:, 0])
        winners = [self.winner(place) for place in range(len(self.tasks))]
        made = [
            Standing(
                name,
                float(np.mean([one.mean() for one in own])),
                interval_over(own),
                float(np.mean([*self.final_ranks[name].values()])),
                winners.count(name),
            )
            for name, own in finals.items()
        ]
        return sorted(made, key=lambda one: (one.regret, one.rank, one.optimizer))

    def winner(self, place: int) -> str:
        """The optimizer with the lowest mean rank on a task; of equal ones the one with the lower mean loss."""
        task = self.tasks[place]
        means = dict(zip(task.runs, task.losses(np.array([1.0]))[..., 0].mean(axis=1), strict=True))
        return min(self.optimizers, key=lambda name: (round(self.final_ranks[name][place], 9), means[name], name))

    def ranks_over_time(self) -> dict[str, FloatArray]:
        """Optimizer to the mean over tasks of the mean rank over seeds, (SHARES,)."""
        ranks = {name: [] for name in self.optimizers}  # type: dict[str, list[FloatArray]]
        for task in self.tasks:
            for name, own in zip(task.runs, mean_ranks(task.losses(SHARES)), strict=True):
                ranks[name].append(own)
        return {name: np.mean(own, axis=0) for name, own in ranks.items()}

    def regrets_over_time(self) -> dict[str, FloatArray]:
        """Optimizer to the mean over tasks of the mean normalised regret over seeds, (SHARES,)."""
        regrets = {name: [] for name in self.optimizers}  # type: dict[str, list[FloatArray]]
        for task in self.tasks:
            for name, own in task.regrets(SHARES).items():
                regrets[name].append(own.mean(axis=0))
        return {name: np.mean(own, axis=0) for name, own in regrets.items()}

    def tests(self) -> tuple[list[Pair], Omnibus | None]:
        """All pairs, and the test before them, where tasks are what is drawn (Demsar 2006): each counts once, with its
        mean ranks."""
        return pairs(self.final_ranks), omnibus(self.final_ranks)


def interval_over(finals: Sequence[FloatArray], resamples: int = RESAMPLES) -> Interval:
    """The 95 % percentile interval of the mean over tasks of means over seeds, each task's (seeds,) in `finals`: tasks
    are drawn with replacement, and of each that is drawn its seeds."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(finals), size=(resamples, len(finals)))
    means = np.empty(drawn.shape)
    for task, values in enumerate(finals):
        here = drawn == task
        seeds = rng.integers(len(values), size=(int(here.sum()), len(values)))
        means[here] = values[seeds].mean(axis=1)
    low, high = np.quantile(means.mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


#: Of a task: `optimum` (a loss, None where nobody knows it) and `usual`, the median loss of random configurations.
Scale = Mapping[str, float | None]


@dataclass(frozen=True)
class Content:
    """Task name to its scale, and the commands that made the comparison."""

    scales: Mapping[str, Scale]
    commands: Sequence[str]


def read_tasks(folder: Path) -> Content:
    """Raises LogError when the folder holds no comparison over tasks."""
    try:
        content = read_json((folder / TASKS).read_bytes(), str(folder / TASKS), LogError)
        if isinstance(content["tasks"], dict) and isinstance(content["commands"], list):
            return Content(content["tasks"], content["commands"])
    except (OSError, KeyError, TypeError):
        pass
    raise LogError("comparison", str(folder), f"a folder with {TASKS}, as `jointbench compare --tasks` writes")


def write_tasks(folder: Path, scales: Mapping[str, Scale], command: str) -> None:
    """Tasks that were compared on in this folder before stay."""
    commands = [command]
    if (folder / TASKS).exists():
        before = read_tasks(folder)
        commands = list(dict.fromkeys([*before.commands, command]))
        scales = {**before.scales, **scales}
    write_whole(folder / TASKS, json.dumps({"tasks": scales, "commands": commands}, indent=1) + "\n")


def task_runs(name: str, settings: Settings, runs: Mapping[str, Sequence[Trajectory]], scale: Scale) -> TaskRuns:
    """What runs of optimizers come to on one task."""
    optimum = scale["optimum"]
    best = min(float(np.nanmin(run.losses)) for several in runs.values() for run in several)
    return TaskRuns(
        name, settings, runs, best if optimum is None else optimum, float(scale["usual"] or 0.0), optimum is not None
    )
