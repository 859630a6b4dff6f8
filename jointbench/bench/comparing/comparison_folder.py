"""The folder of a comparison: its settings, and where its runs are kept."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from jointbench.bench.comparing.front_box import Side
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import write_whole
from jointbench.data.images.facts import ImageFacts
from jointbench.data.incumbent import IncumbentRule
from jointbench.data.json_text import read_json
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import TRAINED, Metric
from jointbench.data.pareto import HYPERVOLUME
from jointbench.data.spaces.registry import recorded_space
from jointbench.data.task import Task
from jointbench.data.visible import visible, visible_name
from jointbench.optimizers.optimizer import WallClock
from jointbench.optimizers.options import split_name

SETTINGS = "comparison.json"
RUNS = "runs"

#: The log of a comparison on real trainings.
TRAININGS = "trainings"

#: The logs of what `jointbench retrain` trained, one a space.
RETRAININGS = "retrainings"

#: `known`: a public table or a function, whose truth is known.
Kind = Literal["surrogate", "replay", "known", "training"]
Overhead = float | Literal["measured"]

#: With what an optimizer begins: with what it proposes by itself, or with a practitioner's hyperparameters.
First = Literal["own", "expert"]


@dataclass(frozen=True)
class Settings:
    """What all runs of a comparison share.

    `source`: what answers, by its `objective`: a benchmark (a name that ships, or a folder), a log, the name of a
    known task, or the hardware that trains; `name` is how the page calls it, `checksum` that of what answers.
    `overhead`: seconds of
    overhead charged to the simulated clock for each trial, or "measured" for what it really took (then no two runs
    are the same). `death_rate`: how often a worker dies, deaths an hour of its work. `code`: changes whenever the
    code that makes a run does.

    A run ends after `time`, wall-clock seconds on the simulated cluster, and `full_budgets` is what random search
    spends in it; where `time` is None it ends when `full_budgets` are spent. `incumbent`: which evaluation an
    optimizer would recommend; `first`: with what it begins; `metrics`: what evaluations have, the objective first;
    `configspace`: the space as ConfigSpace has it, where its name is in no registry; `optimum`: the best value of the
    objective that there is, where that is known. `box`: of a comparison for several objectives, the first of `metrics`,
    a side for each; empty for one.
    """

    objective: Kind
    source: str
    name: str
    checksum: str
    space: str
    ladder: Ladder
    images: ImageFacts | None
    workers: int
    full_budgets: float
    overhead: Overhead = 0.0
    death_rate: float = 0.0
    code: str = field(default="", kw_only=True)
    time: float | None = field(default=None, kw_only=True)
    incumbent: IncumbentRule = field(default="any-budget", kw_only=True)
    first: First = field(default="own", kw_only=True)
    metrics: tuple[Metric, ...] = field(default=TRAINED, kw_only=True)
    configspace: dict[str, Any] | None = field(default=None, kw_only=True)
    optimum: float | None = field(default=None, kw_only=True)
    box: tuple[Side, ...] = field(default=(), kw_only=True)

    @cached_property
    def task(self) -> Task:
        return Task(recorded_space(self.space, self.configspace), self.ladder, self.images, self.metrics)

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """What the comparison is about: those of them that an optimizer takes are told to it."""
        return self.metrics[: max(1, len(self.box))]

    @property
    def compared_by(self) -> Metric:
        """The objective; of several the hypervolume."""
        return HYPERVOLUME if self.box else self.metrics[0]

    @property
    def trained_on(self) -> ImageFacts:
        """The images of its trainings. Raises InputError where it is about none."""
        if self.images is None:
            raise InputError("comparison", self.name, "one of trainings on images")
        return self.images

    @property
    def guessing(self) -> float | None:
        """What a network that guesses gets in what is compared; None where that is not known."""
        return None if self.images is None else self.compared_by.guessing(self.images.classes)

    @property
    def stop(self) -> tuple[float, float]:
        """Full budgets and seconds at which a run ends, one of them infinite."""
        return (self.full_budgets, math.inf) if self.time is None else (math.inf, self.time)

    @property
    def wall_clock(self) -> WallClock | None:
        return None if self.time is None else WallClock(self.time, self.workers)

    @property
    def first_values(self) -> Configuration:
        """What an optimizer's first trial has to have."""
        return self.task.space.expert if self.first == "expert" else {}

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Raises LogError when the folder holds no comparison."""
        try:
            content = read_content(folder)["settings"]
            ladder = Ladder(**content["ladder"])
            images = None if content["images"] is None else ImageFacts.from_dict(content["images"])
            metrics = tuple(Metric.from_dict(one) for one in content.get("metrics", ())) or TRAINED
            box = tuple((best, reference) for best, reference in content.get("box", ()))
            made = {"ladder": ladder, "images": images, "metrics": metrics, "box": box}
            return cls(**{**_EARLIER, **content, **made})
        except (KeyError, TypeError, ValueError):
            raise _no_comparison(folder) from None

    def write(self, folder: Path, **more: Any) -> None:
        """Write the settings and `more`, whole or not at all."""
        settings = {**asdict(self), "metrics": [metric.as_dict() for metric in self.metrics]}
        write_whole(folder / SETTINGS, json.dumps({"settings": settings, **more}, indent=1) + "\n")


#: How comparisons were made that do not say it.
_EARLIER: dict[str, Any] = {"incumbent": "largest-budget"}


def read_content(folder: Path) -> dict[str, Any]:
    """The settings with the commands and the versions. Raises LogError when the folder holds no comparison."""
    try:
        content = read_json((folder / SETTINGS).read_bytes(), str(folder / SETTINGS), LogError)
    except OSError:
        raise _no_comparison(folder) from None
    if not isinstance(content, dict):
        raise _no_comparison(folder)
    return content


def looks(folder: Path) -> int:
    """How often the comparison may be looked at while seeds are added until it is decided; 1 where that was not
    asked for."""
    return max(1, len(read_content(folder).get("looks", ())))


def _no_comparison(folder: Path) -> LogError:
    return LogError("comparison", str(folder), f"a folder with {SETTINGS}, as `jointbench compare` writes")


def run_name(optimizer: str, seed: int) -> str:
    """An optimizer's run as a file name; a name of files and classes (`mine.py:Mine`) is quoted as in an address."""
    return f"{visible_name(optimizer)}-{seed}"


def run_file(folder: Path, optimizer: str, seed: int) -> Path:
    """Where the evaluations of a run are kept."""
    return folder / RUNS / f"{run_name(optimizer, seed)}.parquet"


def optimizer_of(path: Path) -> str:
    """The optimizer of a run's file."""
    return unquote(path.stem.rpartition("-")[0])


def run_files(folder: Path) -> list[tuple[str, int, Path]]:
    """The optimizer, the seed and the file of each run that there is, in the order of names and seeds."""
    found = []
    for path in visible(folder / RUNS, "*.parquet"):
        seed = path.stem.rpartition("-")[2]
        if seed.isdecimal():
            found.append((optimizer_of(path), int(seed), path))
    return sorted(found)


def labels(optimizers: Iterable[str], own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names to what tables and plots call them.

    A class goes by the name that it gives itself (in `own`), else by its file without the folders, where no other
    optimizer goes by the same.
    """
    names = list(dict.fromkeys(optimizers))
    parts = {name: split_name(name) for name in names}
    short = {name: ":".join([Path(base).name, *options]) for name, (base, options) in parts.items()}
    found = {name: name for name in names}
    for wanted in (short, {**short, **(own or {})}):
        called = {name: wanted[name] for name in names}
        found |= {name: label for name, label in called.items() if list(called.values()).count(label) == 1}
    return found


def workers_folder(folder: Path, workers: int) -> Path:
    """Where a comparison keeps the same comparison with another number of workers."""
    return folder / f"workers-{workers}"


def workers_folders(folder: Path) -> list[Path]:
    """Those that there are."""
    return sorted(path.parent for path in folder.glob(f"workers-*/{SETTINGS}"))
