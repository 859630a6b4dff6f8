"""The folder of a comparison: its settings, and where its runs are kept."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from jointbench.data.errors import LogError

SETTINGS = "comparison.json"
RUNS = "runs"
RETRAINED = "retrained.parquet"

Overhead = float | Literal["measured"]


@dataclass(frozen=True)
class Settings:
    """What all runs of a comparison share; `benchmark` is a name that ships or a folder.

    `guessing_error`: the fraction that a network makes which guesses. `overhead`: seconds of thinking charged to the
    simulated clock for each trial, or "measured" for what it really took (then no two runs are the same).
    `death_rate`: how often a worker dies, deaths an hour of its work.
    """

    benchmark: str
    benchmark_name: str
    benchmark_checksum: str
    workers: int
    full_budgets: float
    guessing_error: float
    overhead: Overhead = 0.0
    death_rate: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Raises LogError when the folder holds no comparison."""
        try:
            return cls(**read_content(folder)["settings"])
        except (KeyError, TypeError):
            raise _no_comparison(folder) from None

    def write(self, folder: Path, **more: Any) -> None:
        """Write the settings and `more`, whole or not at all."""
        temporary = folder / f".{SETTINGS}.writing"
        temporary.write_text(json.dumps({"settings": asdict(self), **more}, indent=1) + "\n")
        temporary.replace(folder / SETTINGS)


def read_content(folder: Path) -> dict[str, Any]:
    """The settings with the command and the versions. Raises LogError when the folder holds no comparison."""
    try:
        content = json.loads((folder / SETTINGS).read_text())
    except (OSError, ValueError):
        raise _no_comparison(folder) from None
    if not isinstance(content, dict):
        raise _no_comparison(folder)
    return content


def _no_comparison(folder: Path) -> LogError:
    return LogError("comparison", str(folder), f"a folder with {SETTINGS}, as `jointbench compare` writes")


def run_file(folder: Path, optimizer: str, seed: int) -> Path:
    """Where the evaluations of a run are kept."""
    return folder / RUNS / f"{Path(optimizer).name.replace(':', '-')}-{seed}.parquet"


def workers_folder(folder: Path, workers: int) -> Path:
    """Where a comparison keeps the same comparison with another number of workers."""
    return folder / f"workers-{workers}"


def workers_folders(folder: Path) -> list[Path]:
    """Those that there are."""
    return sorted(path.parent for path in folder.glob(f"workers-*/{SETTINGS}"))
