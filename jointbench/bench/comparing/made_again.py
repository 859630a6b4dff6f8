"""Runs made again, and held to the bit against those that were handed in."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from random import SystemRandom

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jointbench.bench.comparing.comparison import make_runs
from jointbench.bench.comparing.comparison_folder import run_file
from jointbench.bench.comparing.comparison_run import Job
from jointbench.bench.comparing.failures import Failure
from jointbench.bench.comparing.run_table import INCUMBENT, read_run
from jointbench.bench.comparing.submission import Submitted, own_name_in
from jointbench.bench.running.run_code import optimizer_code
from jointbench.data.errors import LogError

#: Which part of an optimizer's runs on a task is made again where not all are.
FIFTH = 5


def picked(seeds: int, fifth: bool) -> tuple[int, ...]:
    """The seeds whose runs are made again: all, or a fifth of them, at least one, by lot: whoever hands in a run cannot
    know whether it is looked at."""
    if not fifth:
        return tuple(range(seeds))
    return tuple(sorted(SystemRandom().sample(range(seeds), math.ceil(seeds / FIFTH))))


def make_again(
    wanted: Sequence[tuple[Submitted, tuple[int, ...]]],
    scratch: Path,
    processes: int,
    progress: Callable[[int, int], None],
) -> None:
    """Make the runs with these seeds again, into `scratch`, by the optimizers' files as they lie there now.

    Raises LogError for the first that does not come out to the bit, or at all, with what differs. An optimizer's code
    is run, in processes of their own.
    """
    jobs, of = list[Job](), list[tuple[Submitted, int]]()
    for number, (submitted, seeds) in enumerate(wanted):
        name = submitted.optimizer
        if submitted.file is not None:
            name = own_name_in(name, submitted.file)
        for seed in seeds:
            path = run_file(scratch / str(number), submitted.optimizer, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            jobs.append(Job(name, seed, submitted.settings, path, optimizer_code(name)))
            of.append((submitted, seed))

    def ended(index: int, failure: Failure | None) -> None:
        submitted, seed = of[index]
        run = called(submitted, seed)
        if failure is not None:
            raise LogError(run, str(submitted.runs[seed]), f"a run that can be made again ({failure.sentence})")
        check_same(run, read_run(submitted.runs[seed]), read_run(jobs[index].path))

    make_runs(jobs, processes, ended=ended, progress=progress)


def check_same(run: str, given: pa.Table, made: pa.Table) -> None:
    """Raises LogError, with the place and the two values, where they are not the same to the bit."""
    if given.schema.names != made.schema.names:
        raise LogError(f"{run}, columns", ", ".join(given.schema.names), f"{', '.join(made.schema.names)}, {_MADE}")
    for mine, theirs in zip(given.schema, made.schema, strict=True):
        if mine.type != theirs.type:
            raise LogError(f"{run}, column {mine.name}", str(mine.type), f"{theirs.type}, {_MADE}")
    if (given.schema.metadata or {}) != (made.schema.metadata or {}):
        raise LogError(f"{run}, name and code", given.schema.metadata, f"{made.schema.metadata}, {_MADE}")
    if given.num_rows != made.num_rows:
        raise LogError(f"{run}, evaluations", given.num_rows, f"{made.num_rows}, {_MADE}")
    if (found := first_difference(given, made)) is not None:
        row, column, value, expected = found
        raise LogError(f"{run}, evaluation {row + 1}, {column}", value, f"{expected!r}, {_MADE}")


_MADE = "as the run made again has"


def first_difference(given: pa.Table, made: pa.Table) -> tuple[int, str, object, object] | None:
    """The earliest row in which two tables of the same columns differ in a bit: row, column, and the two values; None
    where there is none."""
    found: list[tuple[int, str, object, object]] = []
    for name, one, other in zip(given.flatten().column_names, given.flatten(), made.flatten(), strict=True):
        rows = np.flatnonzero(_differ(one, other))
        if len(rows):
            row = int(rows[0])
            found.append((row, name, one[row].as_py(), other[row].as_py()))
    # Of several the reason rather than what followed from it: what is true of incumbents stands in the last columns.
    return min(found, key=lambda one: (one[0], one[1].startswith(INCUMBENT)), default=None)


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    if pa.types.is_floating(one.type):
        # Arrow takes NaN for different from itself, and 0 for equal to -0.
        bits = [np.asarray(column.to_numpy(), dtype=np.float64).view(np.int64) for column in (one, other)]
        nulls = [column.is_null().to_numpy() for column in (one, other)]
        return np.asarray((nulls[0] != nulls[1]) | (~nulls[0] & (bits[0] != bits[1])))
    if one.equals(other):
        return np.zeros(len(one), dtype=np.bool_)
    pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
    return np.array([mine != theirs for mine, theirs in pairs], dtype=np.bool_)


def check_readable(submitted: Submitted, seed: int) -> None:
    """Whether a run has what pages are made of. Raises LogError with the column that it lacks, or that holds no finite
    numbers."""
    table, run = read_run(submitted.runs[seed]), called(submitted, seed)
    if not table.num_rows:
        raise LogError(f"{run}, evaluations", 0, "at least one")
    for name in ("end", "budget", f"{INCUMBENT}{submitted.settings.metrics[0].name}"):
        column = table[name] if name in table.column_names else None
        if column is None or column.type != pa.float64() or column.null_count:
            raise LogError(
                f"{run}, column {name}", None if column is None else str(column.type), "a number in every row"
            )
        if not np.isfinite(column.to_numpy()).all() and name in ("end", "budget"):
            raise LogError(f"{run}, column {name}", "a number that is not finite", "finite numbers")


def called(submitted: Submitted, seed: int) -> str:
    return f"{submitted.called} on {submitted.task}, seed {seed}"
