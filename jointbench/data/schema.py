"""The one Arrow schema of evaluations, and the passage between it and `Evaluation`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jointbench.data.errors import LogError
from jointbench.data.evaluation import FAILURE_ERROR, Curve, Evaluation, Provenance, Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space

#: Raised whenever a column is added or changes its name, type, unit or meaning.
SCHEMA_VERSION = 3
#: What each version added to the one before: columns, and what they hold in a file that was written without them.
ADDED: Mapping[int, Mapping[str, Any]] = {
    2: {"warmup_seconds": 0.0},
    3: {
        "measured_seconds": 0.0,
        "batch_seconds": 0.0,
        "validation_seconds": 0.0,
        "test_seconds": 0.0,
        "evaluation_memory": 0,
    },
}

_METADATA_KEY = b"jointbench"
_ARROW: dict[Any, pa.DataType] = {str: pa.string(), Status: pa.string(), int: pa.int64(), float: pa.float64()}
_LISTS = pa.list_(pa.float32())


@dataclass(frozen=True)
class LogFacts:
    """What every file of a log says about all of its evaluations: space, ladder and image data."""

    space: Space
    ladder: Ladder
    images: ImageFacts

    def as_metadata(self) -> dict[bytes, bytes]:
        """Schema metadata; the space as ConfigSpace's JSON, so that the log can be read without JointBench."""
        content = {
            "schema_version": SCHEMA_VERSION,
            "space": self.space.name,
            "configspace": self.space.configspace.to_serialized_dict(),
            "ladder": self.ladder.as_dict(),
            "images": self.images.as_dict(),
        }
        return {_METADATA_KEY: json.dumps(content).encode()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None, source: str) -> "LogFacts":
        """Raises LogError when the metadata is missing, of another version or makes no sense."""
        try:
            content = json.loads((metadata or {})[_METADATA_KEY])
            version = content["schema_version"]
            if version not in range(1, SCHEMA_VERSION + 1):
                raise LogError("log schema version", version, f"at most {SCHEMA_VERSION} (in {source})")
            return cls(
                get_space(content["space"]), Ladder(**content["ladder"]), ImageFacts.from_dict(content["images"])
            )
        except (KeyError, ValueError, TypeError):
            raise LogError("log", source, "Parquet written by JointBench") from None


@lru_cache(maxsize=16)
def schema(facts: LogFacts) -> pa.Schema:
    """Columns: the configuration as a struct, every other field of Evaluation, Curve and Provenance by its name."""
    columns = []
    for entry in fields(Evaluation):
        if entry.name == "configuration":
            kinds = [(h.name, pa.int64() if h.integer else pa.float64()) for h in facts.space.hyperparameters]
            columns.append(pa.field("configuration", pa.struct(kinds)))
        elif entry.name == "curve":
            columns += [pa.field(f"curve_{part.name}", _LISTS) for part in fields(Curve)]
        elif entry.name == "provenance":
            columns += [pa.field(part.name, pa.string()) for part in fields(Provenance)]
        else:
            columns.append(pa.field(entry.name, _ARROW[entry.type]))
    return pa.schema(columns, metadata=facts.as_metadata())


def upgraded(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    """The table with the columns that were added after its version, and in the wanted order.

    Until version 3 a failure carried the error of guessing, which is mended where its `status` is read too.
    """
    version = json.loads((table.schema.metadata or {}).get(_METADATA_KEY, b"{}")).get("schema_version", SCHEMA_VERSION)
    if version < 3 and "status" in table.column_names:
        failed = pc.not_equal(table["status"], Status.OK.value)
        for name in ("validation_error", "test_error"):
            if name in table.column_names:
                at = table.column_names.index(name)
                errors = pc.if_else(failed, FAILURE_ERROR, table[name])
                table = table.set_column(at, table.field(name), errors)
    defaults = {name: value for added in ADDED.values() for name, value in added.items()}
    for field in wanted:
        if field.name not in table.column_names and field.name in defaults:
            table = table.append_column(field, pa.repeat(pa.scalar(defaults[field.name], field.type), len(table)))
    return table.select([name for name in wanted.names if name in table.column_names]).replace_schema_metadata(
        wanted.metadata
    )


def to_table(evaluations: Iterable[Evaluation], facts: LogFacts) -> pa.Table:
    """One row an evaluation."""
    rows = []
    for evaluation in evaluations:
        row: dict[str, Any] = {}
        for entry in fields(Evaluation):
            value = getattr(evaluation, entry.name)
            if entry.name == "curve":
                row |= {f"curve_{part.name}": getattr(value, part.name) for part in fields(Curve)}
            elif entry.name == "provenance":
                row |= {part.name: getattr(value, part.name) for part in fields(Provenance)}
            else:
                row[entry.name] = value
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=schema(facts))


def from_table(table: pa.Table) -> Iterator[Evaluation]:
    """The rows as evaluations, in order."""
    plain = [f.name for f in fields(Evaluation) if f.name not in ("curve", "provenance", "status")]
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield Evaluation(
                **{name: row[name] for name in plain},
                status=Status(row["status"]),
                curve=Curve(**{part.name: tuple(row[f"curve_{part.name}"]) for part in fields(Curve)}),
                provenance=Provenance(**{part.name: row[part.name] for part in fields(Provenance)}),
            )
