"""The files of a log: Parquet parts that appear whole or not at all.

Python opens them, not Arrow, which takes every name for UTF-8, whatever the locale's encoding.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.data.errors import DamagedPartError, LogError, UnwritableError
from jointbench.data.files import UNFINISHED, write_whole
from jointbench.data.log_check import check
from jointbench.data.schema import schema, task_of, upgraded
from jointbench.data.task import Task
from jointbench.data.visible import visible

#: Finished parts end so; one that is being written, or whose writer died, and one that is damaged end otherwise.
PART, DAMAGED = ".parquet", ".damaged"
LEFT_BEHIND = (UNFINISHED, DAMAGED)


def parts(path: Path) -> list[Path]:
    """The finished parts of a log's folder, or the one file that a released log is."""
    if path.is_file():
        return [path]
    return [part for part in visible(path, f"*{PART}") if part.is_file()]


def new_part(folder: Path, tier: int) -> Path:
    """A name for a part that merges parts of the tier below; what is appended is of tier 0."""
    return folder / f"{tier}-{uuid.uuid4().hex}{PART}"


def tier(part: Path) -> int:
    first, dash, _ = part.name.partition("-")
    return int(first) if dash and first.isdigit() else 0


def task_of_part(part: Path) -> Task:
    """What a part says of its log. Raises FileNotFoundError when it is gone, DamagedPartError or LogError."""
    try:
        with open(part, "rb") as file:
            metadata = pq.read_schema(file).metadata
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _unreadable(part, error) from None
    return task_of(metadata, str(part))


def read_part(part: Path, task: Task, columns: Sequence[str] | None = None) -> pa.Table:
    """Rows of a part, written by this schema version or an earlier one, as this version's columns (all by default).

    Raises FileNotFoundError when it is gone, DamagedPartError, and LogError when it belongs to another log.
    """
    wanted = schema(task)
    if columns is not None:
        wanted = pa.schema([wanted.field(name) for name in columns], metadata=wanted.metadata)
    try:
        with open(part, "rb") as opened, pq.ParquetFile(opened) as file:
            there = file.schema_arrow
            if not task.says_the_same(task_of(there.metadata, str(part))):
                raise LogError("log", str(part), "space, ladder, images and metrics as in the rest of the log")
            table = file.read(columns=[name for name in wanted.names if name in there.names])
        # Texts that are no UTF-8, which reading does not see.
        table.validate(full=True)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _unreadable(part, error) from None
    table = upgraded(table, task, wanted)
    for field in wanted:
        if field.name not in table.column_names:
            raise LogError(f"columns of {part}", f"no {field.name}", f"{field.name} ({field.type}) among them")
        if (there_type := table.schema.field(field.name).type) != field.type:
            raise LogError(f"type of the column {field.name} of {part}", str(there_type), str(field.type))
    # What is the same but for saying that nothing can be missing.
    return pa.Table.from_arrays(table.columns, schema=wanted)


def read_checked(part: Path, task: Task, columns: Sequence[str] | None = None) -> pa.Table:
    """As `read_part`. Raises LogError too where a value is one that no training gives, with its column and row."""
    table = read_part(part, task, columns)
    check(table, task, part)
    return table


def _unreadable(part: Path, error: Exception) -> LogError:
    if isinstance(error, PermissionError):
        # It is whole, for all we know: nothing to be set aside.
        return LogError("log", str(part), "a file that can be read (Permission denied)")
    return DamagedPartError("log", str(part), f"readable Parquet ({type(error).__name__})")


def as_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def write_durably(table: pa.Table, path: Path) -> None:
    """When this returns the file is on the disk under its name; when it raises nothing is. Raises LogError."""
    try:
        write_whole(path, lambda file: pq.write_table(table, file, compression="zstd"))
    except UnwritableError as error:
        raise LogError("log", str(path.parent), f"a folder that can be written to ({error.reason})") from None
