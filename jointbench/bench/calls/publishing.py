"""`jointbench.publish`: a folder for a data repository with a wheel in it, and what it gives."""

import hashlib
from datetime import date as day
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointbench.bench.calls.given import the_benchmark, the_path
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.data.errors import InputError
from jointbench.data.frames import frame
from jointbench.data.quantities import size
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.publish import publish as write_published
from jointbench.surrogate.whole_folder import check_replaceable

if TYPE_CHECKING:
    from pandas import DataFrame


class Published(Result):
    """What was published: `name` with its version, the `folder`, and the `wheel` in it."""

    def __init__(self, name: str, folder: Path, wheel: Path) -> None:
        self.name, self.folder, self.wheel = name, folder, wheel

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())

    def tables(self) -> dict[str, ResultTable]:
        rows = [(file.name, size(file.stat().st_size)) for file in self.files]
        sizes = [file.stat().st_size for file in self.files]
        numbers: dict[str, list[Any]] = {"file": [name for name, _ in rows], "bytes": sizes}
        return {
            "files": ResultTable(f"{self.name} in {self.folder}", ("file", "size"), rows, ("file",), numbers=numbers)
        }

    def drawings(self) -> dict[str, Drawing]:
        return {}

    def to_pandas(self) -> "DataFrame":
        """A row a file: its name as `file`, its `bytes`, and `sha256`, in hexadecimal."""
        files = self.files
        sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        sizes = [file.stat().st_size for file in files]
        return frame({"file": [file.name for file in files], "bytes": sizes, "sha256": sums})

    def __repr__(self) -> str:
        return f"<published {self.name} in {self.folder}: {self.wheel.name}>"


def publish(
    benchmark: str | Path | Benchmark,
    out: str | Path,
    *,
    date: str | None = None,
    anyway: bool = False,
    force: bool = False,
) -> Published:
    """What `jointbench publish` does: write a benchmark as a folder for a data repository, with a wheel that answers
    with NumPy alone.

    `benchmark`: a folder that `fit` wrote, a name that ships, or what `load_benchmark` gave. `date` of publication,
    such as 2026-12-24, by default today. `anyway`: also what is not usable, as its card says. `force`: replace what is
    there. Raises BenchmarkError for what is not usable or not whole, WouldOverwriteError, InputError for a date that
    is none, MissingExtraError without hatchling.
    """
    try:
        when = day.today() if date is None else day.fromisoformat(date)
    except (TypeError, ValueError):
        raise InputError("date", date, "a day such as 2026-12-24") from None
    folder = the_path("out", out)
    check_replaceable(folder, force=force)
    made = the_benchmark(benchmark)
    wheel = write_published(made, folder, when.isoformat(), force=force, anyway=anyway)
    return Published(made.name, folder, wheel)
