"""A run as a table: its evaluations, and what an optimizer would have recommended after each."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.comparing.comparison_folder import Settings, labels, optimizer_of, run_files
from jointbench.bench.running.cluster import Finished
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Evaluation, Metrics
from jointbench.data.files import write_whole
from jointbench.data.incumbent import IncumbentRule, Incumbents
from jointbench.data.metrics import TRAINED, Metric
from jointbench.data.schema import metric_field, stored_value
from jointbench.data.spaces.arrow import configuration_type, to_struct
from jointbench.data.spaces.space import Space

#: An incumbent's evaluation to the metrics that it is judged by.
Truth = Callable[[Evaluation], Metrics]

#: How the columns begin that say what is true of the incumbent.
INCUMBENT = "incumbent_"
#: The row with which an evaluation left the front of several objectives.
LEFT = "front_until"

_CODE, _NAME = b"optimizer code", b"optimizer name"


def run_table(
    finished: Sequence[Finished],
    space: Space,
    truth: Truth,
    rule: IncumbentRule = "any-budget",
    metrics: Sequence[Metric] = TRAINED,
    objectives: int = 1,
) -> pa.Table:
    """One row an evaluation, in the order of their ends (`start` and `end` in seconds), with a column a metric.

    `incumbent` marks an evaluation that became the incumbent, `incumbent_…` is the truth about the incumbent then, of
    each metric that `truth` knows: what a failure counts as before there is one, or nothing.

    Where the first so many of the metrics are `objectives`, `incumbent` marks an evaluation that came onto the front,
    `front_until` the row with which it left it again (none where it stayed), and `incumbent_…` is the truth about it.
    """
    heard = Incumbents(metrics[:objectives], rule)
    became, left = _heard(heard, finished)
    truths: list[Metrics] = []
    for one, is_new in zip(finished, became, strict=True):
        before = truths[-1] if truths and objectives == 1 else {}
        truths.append(truth(one.evaluation) if is_new else before)
    evaluations = [one.evaluation for one in finished]
    columns: dict[pa.Field, list[Any]] = {
        pa.field("number", pa.int64()): [one.started.number for one in finished],
        pa.field("budget", pa.float64()): [evaluation.budget for evaluation in evaluations],
        pa.field("seed", pa.int64()): [one.started.seed for one in finished],
        pa.field("start", pa.float64()): [one.start for one in finished],
        pa.field("end", pa.float64()): [one.end for one in finished],
        pa.field("status", pa.string()): [evaluation.status.value for evaluation in evaluations],
    }
    for metric in metrics:
        if any(metric.name in evaluation.metrics for evaluation in evaluations):
            columns[metric_field(metric)] = [stored_value(evaluation, metric) for evaluation in evaluations]
    columns[pa.field("incumbent", pa.bool_())] = became
    if objectives > 1:
        columns[pa.field(LEFT, pa.int64())] = left
    told = truths if objectives > 1 else truths[-1:]
    known_names = {name for known in told for name in known}
    for metric in metrics:
        # Means of whole numbers are none.
        field = pa.field(f"{INCUMBENT}{metric.name}", pa.float64())
        if metric.name in known_names or metric in metrics[:objectives]:
            nobody = metric.failure if objectives == 1 else None
            columns[field] = [known.get(metric.name, nobody) for known in truths]
    kind = configuration_type(space)
    columns[pa.field("configuration", kind)] = [to_struct(evaluation.configuration, kind) for evaluation in evaluations]
    arrays = [pa.array(values, type=field.type) for field, values in columns.items()]
    return pa.Table.from_arrays(arrays, schema=pa.schema(list(columns)))


def _heard(heard: Incumbents, finished: Sequence[Finished]) -> tuple[list[bool], list[int | None]]:
    """Which evaluations became incumbents, and with which row each of them was one no more."""
    became: list[bool] = []
    left: list[int | None] = [None] * len(finished)
    rows: dict[int, int] = {}
    for row, one in enumerate(finished):
        before = heard.front
        became.append(heard.hear(one.evaluation))
        if became[-1]:
            rows[id(one.evaluation)] = row
            stand = set(map(id, heard.front))
            for gone in before:
                if id(gone) not in stand:
                    left[rows[id(gone)]] = row
    return became, left


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
    task = settings.task
    objectives = len(settings.objectives)
    table = run_table(finished, task.space, truth, settings.incumbent, task.metrics, objectives)
    marked = table.replace_schema_metadata({_CODE: code.encode(), **({_NAME: name.encode()} if name else {})})
    write_whole(path, lambda file: pq.write_table(marked, file, compression="zstd"))


def read_run(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A run's table, with these columns in this order; by default all. Raises LogError for what cannot be read, and
    for a column that is not there."""
    try:
        with open(path, "rb") as opened, pq.ParquetFile(opened) as file:
            # Threads of Arrow's that let go of a file of Python's while the interpreter ends abort the process.
            table = file.read(columns, use_threads=False)
        return table if columns is None else table.select(columns)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise LogError("run", str(path), f"readable Parquet ({type(error).__name__})") from None


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
