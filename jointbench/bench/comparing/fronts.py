"""What a comparison for several objectives found: the Pareto front over time, run by run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.front_box import Axis, axes, dominated
from jointbench.bench.comparing.run_table import INCUMBENT, LEFT, read_run, run_labels
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError


@dataclass(frozen=True)
class FrontRun:
    """One run: the evaluations that were ever on its front, in the order in which they came onto it.

    `seconds`: the end of each evaluation of the run (n,), `budgets`: theirs, in the ladder's unit; `joined` and
    `left`: the rows with which each of the front's came and went (m,), `left` being n where it stayed; `seen`: what
    the optimizer saw of them, `points`: what is true of them, both (m, objectives) in the objectives' units. An
    optimizer picks its front by what it saw, with noise and on any budget: what is true of it may be dominated.
    """

    optimizer: str
    seed: int
    seconds: FloatArray
    joined: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    seen: FloatArray
    points: FloatArray
    sides: tuple[Axis, ...]
    budgets: FloatArray | None = None

    @property
    def final(self) -> FloatArray:
        """The points of the front at the end of the run."""
        return np.asarray(self.points[self.left == len(self.seconds)])

    @property
    def seen_at_end(self) -> FloatArray:
        """What was seen of them."""
        return np.asarray(self.seen[self.left == len(self.seconds)])

    @cached_property
    def hypervolumes(self) -> FloatArray:
        """After each evaluation (n,), the share of the box that the front's true points dominate."""
        found = np.zeros(len(self.seconds))
        for place, row in enumerate(self.joined):
            stand = self.points[: place + 1][self.left[: place + 1] > row]
            found[row:] = dominated(stand, self.sides)
        return found


#: Optimizer to its runs.
Fronts = Mapping[str, Sequence[FrontRun]]


def read_fronts(folder: Path) -> dict[str, list[FrontRun]]:
    """All runs of a comparison for several objectives by optimizer, in the order of their names.

    Raises LogError when there are none, or one that cannot be read.
    """
    settings = Settings.read(folder)
    sides, called = axes(settings.objectives, settings.box), run_labels(folder)
    seen = [metric.name for metric in settings.objectives]
    true = [f"{INCUMBENT}{name}" for name in seen]
    found: dict[str, list[FrontRun]] = {}
    for optimizer, seed, path in run_files(folder):
        table = read_run(path, ["end", "budget", "incumbent", LEFT, *seen, *true])
        seconds = table["end"].to_numpy()
        joined = np.flatnonzero(table["incumbent"].to_numpy())
        ever = table.filter(table["incumbent"])
        left = ever[LEFT].fill_null(len(seconds)).to_numpy()
        told, points = (
            np.stack([ever[name].to_numpy().astype(float) for name in names], axis=1) for names in (seen, true)
        )
        made = FrontRun(called[optimizer], seed, seconds, joined, left, told, points, sides, table["budget"].to_numpy())
        found.setdefault(called[optimizer], []).append(made)
    if not found:
        raise LogError("comparison", str(folder), "a folder with finished runs")
    return found
