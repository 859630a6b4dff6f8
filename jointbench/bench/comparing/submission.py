"""What is submitted to a leaderboard: the runs of a kept comparison, and whether they may stand on a board at all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import jointbench
from jointbench.bench.comparing.across_tasks import TASKS, read_tasks
from jointbench.bench.comparing.comparison_folder import SETTINGS, Settings, run_files
from jointbench.bench.comparing.leaderboard_folder import Rules, checked_name
from jointbench.bench.comparing.run_table import run_labels, written_by
from jointbench.bench.comparing.simulated_objective import answering, simulated_settings, timed_settings
from jointbench.bench.running.run_code import optimizer_code, optimizer_file, simulation_code
from jointbench.data.errors import InputError, LogError
from jointbench.data.metric_words import in_words
from jointbench.data.metrics import Metric
from jointbench.optimizers.options import split_name


@dataclass(frozen=True)
class Submitted:
    """One optimizer's runs on one task: `runs` is seed to file, `called` how the comparison's tables call it, `file`
    a person's own, as it is now."""

    folder: Path
    task: str
    settings: Settings
    optimizer: str
    called: str
    runs: Mapping[int, Path]
    file: Path | None

    @property
    def where(self) -> str:
        return f"{self.called} on {self.task}"


def read_submission(folder: Path) -> list[Submitted]:
    """All optimizers of a comparison, or of one over tasks. Raises LogError for what is neither, InputError where the
    file of an optimizer is missing or has changed."""
    if (folder / SETTINGS).exists():
        return _read(folder, folder)
    if (folder / TASKS).exists():
        return [one for task in read_tasks(folder).scales for one in _read(folder / task, folder)]
    raise LogError("submission", str(folder), "the folder of a comparison, as `jointbench compare` writes")


def _read(folder: Path, whole: Path) -> list[Submitted]:
    settings, called = Settings.read(folder), run_labels(folder)
    task = checked_name("task", re.sub(r"-v\d+$", "", settings.name))
    runs: dict[str, dict[int, Path]] = {}
    for optimizer, seed, path in run_files(folder):
        runs.setdefault(optimizer, {})[seed] = path
    if not runs:
        raise LogError("submission", str(folder), "a comparison with finished runs")
    return [
        Submitted(folder, task, settings, name, called[name], own, _own_file(name, own, (folder, whole)))
        for name, own in runs.items()
    ]


def _own_file(optimizer: str, runs: Mapping[int, Path], folders: tuple[Path, ...]) -> Path | None:
    """Beside the runs, or else where it was when they were made."""
    given = optimizer_file(optimizer)
    if given is None:
        return None
    places = [*(folder / given.name for folder in folders), given]
    there = next((place for place in places if place.is_file()), None)
    if there is None:
        raise InputError("submission", str(folders[-1]), f"{given.name} beside its runs, the file of {optimizer}")
    name = own_name_in(optimizer, there)
    for seed, path in sorted(runs.items()):
        if _written_by(path) != optimizer_code(name):
            raise InputError(
                f"file of {optimizer}", str(there), f"the one that made its run with seed {seed}, whose code is another"
            )
    return there


def own_name_in(optimizer: str, file: Path) -> str:
    """The name of an optimizer whose file lies somewhere else now."""
    base, words = split_name(optimizer)
    return ":".join([str(file), base.rpartition(":")[2], *words])


def _written_by(path: Path) -> str:
    try:
        return written_by(path)
    except (OSError, ValueError) as error:
        raise LogError("run", str(path), f"readable Parquet ({type(error).__name__})") from None


def check_settings(submitted: Submitted, board: Settings | None) -> None:
    """Whether runs with these settings may stand on a board, which has `board` for the task, if it has any.

    Raises InputError with what is otherwise: runs that cannot be made again, settings that do not follow from the task
    as it is here, another version, other settings than the board's.
    """
    settings, where = submitted.settings, f"of {submitted.where}"
    if settings.objective == "training":
        raise InputError(
            "submission", str(submitted.folder), "runs on simulated workers; no training can be made again"
        )
    if settings.box:
        names = ", ".join(metric.name for metric in settings.objectives)
        raise InputError(f"objectives {where}", names, "the task's own alone, by whose regret a board ranks")
    if settings.overhead == "measured":
        raise InputError(f"overhead {where}", settings.overhead, "a number of seconds, since no two such runs are one")
    if settings.code != simulation_code():
        raise InputError(f"code {where}", _short(settings.code), f"{_short(simulation_code())}, {_ours()}")
    _check_same(settings, _as_here(settings), where, "as the task here has it")
    if board is not None:
        _check_same(settings, board, where, "as the board has it")


def check_seeds(submitted: Submitted, rules: Rules) -> None:
    """Raises InputError where not all of the board's seeds have a run."""
    seeds = sorted(submitted.runs)
    if seeds[: rules.seeds] != list(range(rules.seeds)):
        shown = ", ".join(map(str, seeds))
        expected = f"0 to {rules.seeds - 1}, every one: none is picked and none left out"
        raise InputError(f"seeds of {submitted.where}", shown, expected)


def check_rules(board: Path, rules: Rules) -> None:
    """Raises InputError for a board of another version."""
    if rules.code != simulation_code():
        version = f"of JointBench {rules.version}, code {_short(rules.code)}"
        raise InputError(
            "leaderboard", str(board), f"one of {_short(simulation_code())}, {_ours()}; this one is {version}"
        )


def _ours() -> str:
    return f"the code of JointBench {jointbench.__version__} here: boards of different versions do not mix"


def _short(code: str) -> str:
    return code[:12]


def _as_here(settings: Settings) -> Settings:
    """What the settings come to where nothing is believed but what may be chosen."""
    objective = answering(settings.objective, settings.source)
    chosen: dict[str, Any] = {
        "workers": settings.workers,
        "overhead": settings.overhead,
        "death_rate": settings.death_rate,
        "incumbent": settings.incumbent,
        "first": settings.first,
    }
    if settings.time is None:
        return simulated_settings(objective, full_budgets=settings.full_budgets, **chosen)
    return timed_settings(objective, time=settings.time, **chosen)


def _check_same(given: Settings, wanted: Settings, where: str, why: str) -> None:
    for field in fields(Settings):
        value, expected = getattr(given, field.name), getattr(wanted, field.name)
        if value != expected:
            name = field.name.replace("_", " ")
            raise InputError(f"{name} {where}", _plain(value), f"{_plain(expected)!r}, {why}")


def _plain(value: object) -> object:
    if isinstance(value, tuple) and all(isinstance(one, Metric) for one in value):
        return in_words(value)
    return value if isinstance(value, str | int | float | None) else str(value)
