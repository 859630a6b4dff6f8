"""The one passage between `Evaluation` and what is stored of it: Arrow's tables and JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Curve, Evaluation, Provenance, Status
from jointbench.data.metrics import Metric
from jointbench.data.spaces.arrow import configuration_type, from_struct, to_struct
from jointbench.data.task import Task

#: Raised whenever a column is added or changes its name, type, unit or meaning.
SCHEMA_VERSION = 5
#: What each version added to the one before: columns, and what they hold in a file that was written without them.
#: Since version 4 the metrics stand in the metadata; before, they were those of our trainings.
ADDED: Mapping[int, Mapping[str, Any]] = {
    2: {"warmup_seconds": 0.0},
    3: {
        "measured_seconds": 0.0,
        "batch_seconds": 0.0,
        "validation_seconds": 0.0,
        "test_seconds": 0.0,
        "evaluation_memory": 0,
    },
    4: {"architecture_seed": 0, "extras": []},
    5: {"curve_metrics": []},
}

_METADATA_KEY = b"jointbench"
_ARROW: dict[Any, pa.DataType] = {str: pa.string(), Status: pa.string(), int: pa.int64(), float: pa.float64()}
_LISTS = pa.list_(pa.float32())
_EXTRAS, _CURVES = pa.map_(pa.string(), pa.float64()), pa.map_(pa.string(), _LISTS)
_CURVE, _PROVENANCE = (tuple(part.name for part in fields(of)) for of in (Curve, Provenance))
#: Fields of an evaluation that are neither metrics nor made of parts.
_PLAIN = tuple(
    part.name for part in fields(Evaluation) if part.name not in ("metrics", "extras", "curve", "provenance")
)
#: Names that no metric can have.
RESERVED = frozenset((*(part.name for part in fields(Evaluation)), *(f"curve_{name}" for name in _CURVE), *_PROVENANCE))


def as_metadata(task: Task) -> dict[bytes, bytes]:
    """Schema metadata, with which a log describes itself."""
    return {_METADATA_KEY: json.dumps({"schema_version": SCHEMA_VERSION, **task.as_dict()}).encode()}


def task_of(metadata: Mapping[bytes, bytes] | None, source: str) -> Task:
    """The task of a file's metadata. Raises LogError when it is missing, of another version or makes no sense."""
    try:
        content = json.loads((metadata or {})[_METADATA_KEY])
        version = content["schema_version"]
        if version not in range(1, SCHEMA_VERSION + 1):
            raise LogError("log schema version", version, f"at most {SCHEMA_VERSION} (in {source})")
        return Task.from_dict(content)
    except (KeyError, ValueError, TypeError):
        raise LogError("log", source, "Parquet written by JointBench") from None


def metric_field(metric: Metric) -> pa.Field:
    """The column of a metric."""
    return pa.field(metric.name, pa.int64() if metric.whole else pa.float64())


@lru_cache(maxsize=16)
def schema(task: Task) -> pa.Schema:
    """Columns: the configuration as a struct, each of the task's metrics, every other field of Evaluation, Curve and
    Provenance by its name. Raises InputError for a metric that is named as one of these."""
    for metric in task.metrics:
        if metric.name in RESERVED:
            raise InputError("metric", metric.name, "a name that no other column of a log has")
    columns = []
    for entry in fields(Evaluation):
        if entry.name == "configuration":
            columns.append(pa.field("configuration", configuration_type(task.space)))
        elif entry.name == "metrics":
            columns += map(metric_field, task.metrics)
        elif entry.name == "curve":
            columns += [pa.field(f"curve_{name}", _CURVES if name == "metrics" else _LISTS) for name in _CURVE]
        elif entry.name == "provenance":
            columns += [pa.field(name, pa.string()) for name in _PROVENANCE]
        elif entry.name == "extras":
            columns.append(pa.field("extras", _EXTRAS))
        else:
            columns.append(pa.field(entry.name, _ARROW[entry.type]))
    return pa.schema(columns, metadata=as_metadata(task))


def upgraded(table: pa.Table, task: Task, wanted: pa.Schema) -> pa.Table:
    """The table with the columns that were added after its version, and in the wanted order.

    Until version 3 a failure carried the error of guessing, which is mended where its `status` is read too.
    """
    version = json.loads((table.schema.metadata or {}).get(_METADATA_KEY, b"{}")).get("schema_version", SCHEMA_VERSION)
    if version < 3 and "status" in table.column_names:
        failed = pc.not_equal(table["status"], Status.OK.value)
        for metric in task.metrics:
            if metric.failure is not None and metric.name in table.column_names:
                at = table.column_names.index(metric.name)
                errors = pc.if_else(failed, metric.failure, table[metric.name])
                table = table.set_column(at, table.field(metric.name), errors)
    defaults = {name: value for added in ADDED.values() for name, value in added.items()}
    for field in wanted:
        if field.name not in table.column_names and field.name in defaults:
            table = table.append_column(field, pa.repeat(pa.scalar(defaults[field.name], field.type), len(table)))
    return table.select([name for name in wanted.names if name in table.column_names]).replace_schema_metadata(
        wanted.metadata
    )


def as_record(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON can have it: metrics by their names beside the other fields, curve and provenance as
    mappings."""
    plain = {name: getattr(evaluation, name) for name in _PLAIN}
    return {
        **plain,
        "configuration": dict(evaluation.configuration),
        "status": evaluation.status.value,
        **evaluation.metrics,
        "extras": dict(evaluation.extras),
        "curve": asdict(evaluation.curve),
        "provenance": asdict(evaluation.provenance),
    }


def from_record(record: Mapping[str, Any]) -> Evaluation:
    """Undoes `as_record`, also of what earlier versions wrote: what is no field is a metric. Raises TypeError or
    ValueError for anything else."""
    return Evaluation(
        **{name: record[name] for name in _PLAIN if name in record and name != "status"},
        status=Status(record["status"]),
        metrics={name: value for name, value in record.items() if name not in RESERVED and value is not None},
        extras=dict(record.get("extras", ())),
        curve=_curve(record["curve"]),
        provenance=Provenance(**record["provenance"]),
    )


def _curve(values: Mapping[str, Any]) -> Curve:
    """Of lists by the names of its fields, where `metrics` are lists by names, or pairs."""
    metrics = {name: tuple(reported) for name, reported in dict(values.get("metrics", ())).items()}
    return Curve(**{name: tuple(given) for name, given in values.items() if name != "metrics"}, metrics=metrics)


def stored_value(evaluation: Evaluation, metric: Metric) -> float | int | None:
    """What a table holds of a metric; None where nothing was measured and nothing stands for it."""
    value = evaluation.metrics.get(metric.name)
    if value is not None:
        return value
    return metric.default if evaluation.ok or metric.failure is None else metric.failure


def to_table(evaluations: Iterable[Evaluation], task: Task) -> pa.Table:
    """One row an evaluation. What was measured and is no metric of the task is kept among its extras."""
    known, kind = task.by_name, configuration_type(task.space)
    rows = []
    for evaluation in evaluations:
        row: dict[str, Any] = {name: getattr(evaluation, name) for name in _PLAIN}
        row["configuration"] = to_struct(evaluation.configuration, kind)
        row |= {metric.name: stored_value(evaluation, metric) for metric in task.metrics}
        others = {name: value for name, value in evaluation.metrics.items() if name not in known}
        row["extras"] = list({**evaluation.extras, **others}.items())
        row |= {f"curve_{name}": getattr(evaluation.curve, name) for name in _CURVE}
        row["curve_metrics"] = list(evaluation.curve.metrics.items())
        row |= {name: getattr(evaluation.provenance, name) for name in _PROVENANCE}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=schema(task))


def from_table(table: pa.Table) -> Iterator[Evaluation]:
    """The rows as evaluations, in order; all columns of a log's schema are there."""
    metrics = [name for name in table.column_names if name not in RESERVED]
    plain = [name for name in _PLAIN if name not in ("configuration", "status")]
    kind = table.schema.field("configuration").type
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield Evaluation(
                **{name: row[name] for name in plain},
                configuration=from_struct(row["configuration"], kind),
                status=Status(row["status"]),
                metrics={name: row[name] for name in metrics if row[name] is not None},
                extras=dict(row["extras"]),
                curve=_curve({name: row[f"curve_{name}"] for name in _CURVE}),
                provenance=Provenance(*(row[name] for name in _PROVENANCE)),
            )
