"""The folder of a leaderboard: its rules, and its entries, whose runs have been made again."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from jointbench.bench.comparing.across_tasks import Scale
from jointbench.bench.comparing.comparison_folder import RUNS, Settings, run_files
from jointbench.bench.running.run_code import optimizer_file
from jointbench.data.errors import InputError, LogError
from jointbench.data.files import write_whole
from jointbench.data.json_text import read_json
from jointbench.data.visible import visible, visible_name

BOARD, ENTRIES, ENTRY = "leaderboard.json", "entries", "entry.json"

#: What an entry or a task may be called: its name becomes a folder's, and stands on a page and in a table.
_NAME = re.compile(r"[^\W_][^<>\x00-\x1f\x7f]{0,79}")


@dataclass(frozen=True)
class Rules:
    """What all entries of a board share.

    `version` and `code`: those of JointBench, the latter as `run_code.simulation_code` gives; `seeds`: runs an
    optimizer and task, with seeds 0 to n - 1; `tasks`: by name what scales their losses, in the order in which they
    came.
    """

    version: str
    code: str
    seeds: int
    tasks: Mapping[str, Scale]

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None where there is no board yet. Raises LogError for what is none."""
        path = folder / BOARD
        if not path.exists():
            return None
        content = _object(path)
        try:
            return cls(str(content["version"]), str(content["code"]), int(content["seeds"]), dict(content["tasks"]))
        except (KeyError, TypeError, ValueError):
            raise LogError("leaderboard", str(path), "a file as `jointbench leaderboard add` writes it") from None

    def write(self, folder: Path) -> None:
        write_whole(folder / BOARD, json.dumps(asdict(self), indent=1) + "\n")


@dataclass(frozen=True)
class Verified:
    """Of an entry's runs on one task: the seeds of those that were made again and came out to the bit, and the
    versions of JointBench and of the libraries with which they did."""

    seeds: tuple[int, ...]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """`optimizer`: its name as its runs have it; a person's own file lies in the entry's folder. `code`: as
    `run_code.optimizer_code` gives. `tasks`: those that it has run on."""

    name: str
    optimizer: str
    code: str
    tasks: Mapping[str, Verified]

    @property
    def file(self) -> Path | None:
        """Of a person's own, in the entry's folder."""
        return optimizer_file(self.optimizer)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises LogError for what is none."""
        content = _object(folder / ENTRY)
        try:
            tasks = {
                str(task): Verified(tuple(map(int, one["seeds"])), dict(one["versions"]))
                for task, one in content["tasks"].items()
            }
            return cls(str(content["name"]), str(content["optimizer"]), str(content["code"]), tasks)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise LogError("entry", str(folder), "one as `jointbench leaderboard add` writes it") from None

    def write(self, folder: Path) -> None:
        write_whole(folder / ENTRY, json.dumps(asdict(self), indent=1) + "\n")


def entry_folder(board: Path, name: str) -> Path:
    return board / ENTRIES / visible_name(name)


def task_folder(entry: Path, task: str) -> Path:
    """Of an entry's runs on a task: a comparison of one optimizer."""
    return entry / visible_name(task)


def read_entries(board: Path) -> list[Entry]:
    """In the order of their names. Raises LogError for one that cannot be read."""
    found = [Entry.read(path) for path in visible(board / ENTRIES) if (path / ENTRY).exists()]
    return sorted(found, key=lambda entry: entry.name)


def task_settings(board: Path, task: str) -> Settings | None:
    """What all runs on a task share; None where there is none."""
    for entry in read_entries(board):
        if task in entry.tasks:
            return Settings.read(task_folder(entry_folder(board, entry.name), task))
    return None


def entry_runs(board: Path, entry: Entry, task: str) -> dict[int, Path]:
    """Seed to the file of the run."""
    return {seed: path for _, seed, path in run_files(task_folder(entry_folder(board, entry.name), task))}


def checked_name(field: str, name: str) -> str:
    """Raises InputError for what can be no folder's name, or no name on a page."""
    if not _NAME.fullmatch(name) or name in (RUNS, ENTRY):
        raise InputError(field, name, "1 to 80 characters, a letter or a digit first, none of them < or >")
    return name


def _object(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path.read_bytes(), str(path), LogError)
    except OSError as error:
        raise LogError("leaderboard", str(path), f"a file that can be read ({error.strerror})") from None
    if not isinstance(content, dict):
        raise LogError("leaderboard", str(path), "a file as `jointbench leaderboard add` writes it")
    return content
