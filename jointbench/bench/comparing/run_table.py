"""A run as a table: its evaluations, and what an optimizer would have recommended after each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.comparing.comparison_folder import IncumbentRule, Settings, labels, optimizer_of, run_files
from jointbench.bench.running.cluster import Finished
from jointbench.data.errors import InputError
from jointbench.data.evaluation import FAILURE_ERROR, Evaluation
from jointbench.data.files import write_whole
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space

#: An incumbent's evaluation to the validation and test error (fractions) that it is judged by.
Truth = Callable[[Evaluation], tuple[float, float]]

_CODE, _NAME = b"optimizer code", b"optimizer name"


def incumbents(finished: Sequence[Finished], rule: IncumbentRule = "any-budget") -> Iterator[Evaluation | None]:
    """The evaluation of the incumbent after each trial, in the order of their ends; None before the first ended ok.

    By the rule "any-budget" it is the one with the lowest validation error seen so far, whatever its budget; of equal
    ones that of the larger budget. By "largest-budget", HpBandSter's, it is the one with the lowest error on the
    largest budget that anything has been evaluated at: smaller budgets are forgotten as soon as a larger one has
    spoken, and with its first answer the incumbent may become a much worse one.
    """
    best: tuple[float, float] | None = None
    incumbent: Evaluation | None = None
    for one in finished:
        evaluation = one.evaluation
        error, larger = evaluation.validation_error, -evaluation.budget
        standing = (error, larger) if rule == "any-budget" else (larger, error)
        if evaluation.ok and (best is None or standing < best):
            best, incumbent = standing, evaluation
        yield incumbent


def run_table(finished: Sequence[Finished], space: Space, truth: Truth, rule: IncumbentRule = "any-budget") -> pa.Table:
    """One row an evaluation, in the order of their ends (`start` and `end` in seconds).

    `incumbent` marks an evaluation that became the incumbent, `incumbent_*_error` is the truth about the incumbent
    then; FAILURE_ERROR before there is one.
    """
    errors = FAILURE_ERROR, FAILURE_ERROR
    known: Evaluation | None = None
    rows = []
    for one, incumbent in zip(finished, incumbents(finished, rule), strict=True):
        if incumbent is not None and incumbent is not known:
            known, errors = incumbent, truth(incumbent)
        evaluation = one.evaluation
        rows.append(
            {
                "number": one.started.number,
                "budget": evaluation.budget,
                "seed": one.started.seed,
                "start": one.start,
                "end": one.end,
                "status": evaluation.status.value,
                "validation_error": evaluation.validation_error,
                "test_error": evaluation.test_error,
                "training_seconds": evaluation.training_seconds,
                "wall_seconds": evaluation.wall_seconds,
                "incumbent": evaluation is known,
                "incumbent_validation_error": errors[0],
                "incumbent_test_error": errors[1],
                "configuration": dict(evaluation.configuration),
            }
        )
    return pa.Table.from_pylist(rows, schema=_schema(space))


def _schema(space: Space) -> pa.Schema:
    kinds = [(h.name, pa.int64() if h.integer else pa.float64()) for h in space.hyperparameters]
    types = {"number": pa.int64(), "seed": pa.int64(), "status": pa.string(), "incumbent": pa.bool_()}
    numbers = ("validation_error", "test_error", "training_seconds", "wall_seconds")
    columns = ["number", "budget", "seed", "start", "end", "status", *numbers, "incumbent"]
    columns += ["incumbent_validation_error", "incumbent_test_error"]
    fields = [(name, types.get(name, pa.float64())) for name in columns]
    return pa.schema([*fields, ("configuration", pa.struct(kinds))])


def write_run(
    path: Path, finished: Sequence[Finished], settings: Settings, truth: Truth, code: str, name: str = ""
) -> None:
    """Write a run, whole or not at all; `code` as `run_code.optimizer_code` gives, `name` as `registry.own_name`.

    Raises InputError for a run without any evaluation, of which nothing can be said.
    """
    if not finished:
        if settings.time is None:
            fitting = f"is a trial that fits into {settings.full_budgets:g} full budgets"
        else:
            fitting = f"ends within {settings.time:g} seconds"
        raise InputError("optimizer", optimizer_of(path), f"one whose first proposal {fitting}")
    table = run_table(finished, get_space(settings.space), truth, settings.incumbent)
    marked = table.replace_schema_metadata({_CODE: code.encode(), **({_NAME: name.encode()} if name else {})})
    write_whole(path, lambda file: pq.write_table(marked, file, compression="zstd"))


def written_by(path: Path) -> str:
    """The code that a run was written with."""
    with open(path, "rb") as file:
        found: bytes = (pq.read_schema(file).metadata or {}).get(_CODE, b"")
    return found.decode()


def run_labels(folder: Path, optimizers: Iterable[str] = ()) -> dict[str, str]:
    """What tables and plots call the optimizers of a comparison, and `optimizers` beside them, which have no run."""
    own: dict[str, str] = {}
    for optimizer, _, path in run_files(folder):
        with suppress(pa.ArrowException, OSError):
            with open(path, "rb") as file:
                name: bytes = (pq.read_schema(file).metadata or {}).get(_NAME, b"")
            own |= {optimizer: name.decode()} if name else {}
    return labels([*(optimizer for optimizer, _, _ in run_files(folder)), *optimizers], own)
