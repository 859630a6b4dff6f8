"""Runs that their optimizers did not bring to an end: kept beside the others', so that a page says what is missing."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from jointbench.bench.comparing.comparison_folder import RUNS, run_name
from jointbench.data.files import write_whole

_SUFFIX = ".failed.json"


@dataclass(frozen=True)
class Failure:
    """`sentence`: which optimizer, where in its run, what happened; `traceback`: Python's words, if there are any."""

    optimizer: str
    seed: int
    sentence: str
    traceback: str = ""


def failure_file(folder: Path, optimizer: str, seed: int) -> Path:
    """Where the failure of a run is kept."""
    return folder / RUNS / f"{run_name(optimizer, seed)}{_SUFFIX}"


def write_failure(folder: Path, failure: Failure) -> None:
    """Whole or not at all."""
    path = failure_file(folder, failure.optimizer, failure.seed)
    write_whole(path, json.dumps(asdict(failure), indent=1) + "\n")


def forget_failure(folder: Path, optimizer: str, seed: int) -> None:
    """Before the run is made again."""
    failure_file(folder, optimizer, seed).unlink(missing_ok=True)


def failures(folder: Path) -> list[Failure]:
    """Those of a comparison, in the order of names and seeds; what cannot be read is passed over."""
    found = []
    for path in (folder / RUNS).glob(f"[!.]*{_SUFFIX}"):
        with suppress(OSError, ValueError, TypeError):
            found.append(Failure(**json.loads(path.read_text(encoding="utf-8"))))
    return sorted(found, key=lambda one: (one.optimizer, one.seed))
