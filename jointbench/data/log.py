"""The log of evaluations: append-only Parquet that many processes write and no crash can spoil."""

import contextlib
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.data.errors import LogError
from jointbench.data.evaluation import Evaluation
from jointbench.data.images import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.schema import LogFacts, from_table, schema, to_table
from jointbench.data.space import Space

#: Finished parts end so; a part that is being written, or whose writer died, ends otherwise and is ignored.
_PART, _UNFINISHED = ".parquet", ".writing"


class EvaluationLog:
    """A folder of Parquet parts (or one released Parquet file, read-only), all with the same facts.

    A part appears whole or not at all: it is written under another name, flushed to the disk and renamed.
    Writers never share a file, so there may be any number of them, without locks. Two rows of the same key
    (a trial that was finished twice) count once.
    """

    def __init__(self, path: Path, facts: LogFacts) -> None:
        self.path, self.facts = path, facts

    @property
    def space(self) -> Space:
        return self.facts.space

    @property
    def ladder(self) -> Ladder:
        return self.facts.ladder

    @property
    def images(self) -> ImageFacts:
        return self.facts.images

    @classmethod
    def open(cls, path: str | Path) -> "EvaluationLog":
        """Raises LogError when there is no log, or none that can be read."""
        path = Path(path)
        if not path.exists():
            raise LogError("log", str(path), "an existing log folder or Parquet file")
        parts = _parts(path)
        if not parts:
            raise LogError("log", str(path), "a folder with Parquet parts")
        try:
            metadata = pq.read_schema(parts[0]).metadata
        except FileNotFoundError:
            # Compaction merged it into another part meanwhile: look again.
            return cls.open(path)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(parts[0], error) from None
        return cls(path, LogFacts.from_metadata(metadata, str(parts[0])))

    @classmethod
    def open_or_create(cls, path: str | Path, space: Space, ladder: Ladder, images: ImageFacts) -> "EvaluationLog":
        """The log at `path`, begun if there is none. Raises LogError when it holds something else."""
        path, facts = Path(path), LogFacts(space, ladder, images)
        if path.is_file():
            raise LogError("log", str(path), "a folder, to be written to")
        if path.is_dir() and _parts(path):
            log = cls.open(path)
            for field in ("space", "ladder", "images"):
                there, wanted = getattr(log.facts, field), getattr(facts, field)
                if there != wanted:
                    raise LogError(f"{field} of the log {path}", str(there), f"{wanted}, as this run has")
            return log
        # Another writer may be beginning the same log, or have died in doing so.
        if path.is_dir() and not all(entry.name.endswith(_UNFINISHED) for entry in path.iterdir()):
            raise LogError("log", str(path), "a log folder, or one that is empty or does not exist yet")
        path.mkdir(parents=True, exist_ok=True)
        log = cls(path, facts)
        log.append([])
        return log

    def append(self, evaluations: Sequence[Evaluation]) -> None:
        """Write a part; when this returns, the evaluations are on the disk. One without a key is given a new one."""
        keyed = [e if e.key else replace(e, key=uuid.uuid4().hex) for e in evaluations]
        table = to_table(keyed, self.facts)
        _write_durably(table, self.path / f"{uuid.uuid4().hex}{_PART}")

    def table(self) -> pa.Table:
        """All evaluations, each key once, oldest first. Raises LogError when a part cannot be read."""
        wanted = schema(self.facts)
        tables = []
        for part in _parts(self.path):
            try:
                table = pq.read_table(part)
            except FileNotFoundError:
                # Compaction merged it into another part meanwhile: look again.
                return self.table()
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(part, error) from None
            if LogFacts.from_metadata(table.schema.metadata, str(part)) != self.facts:
                raise LogError("log", str(part), f"space, ladder and images as in {self.path}")
            if not table.schema.equals(wanted):
                raise LogError("log", str(part), "the columns of this schema version")
            tables.append(table)
        merged = pa.concat_tables(tables).sort_by([("finished_at", "ascending"), ("key", "ascending")])
        _, first = np.unique(merged["key"].to_numpy(zero_copy_only=False).astype(str), return_index=True)
        return merged.take(np.sort(first)) if len(first) < merged.num_rows else merged

    def evaluations(self) -> Iterator[Evaluation]:
        return from_table(self.table())

    def compact(self) -> None:
        """Merge all parts into one. A crash in between leaves rows twice, which reading counts once."""
        parts = _parts(self.path)
        _write_durably(self.table(), self.path / f"{uuid.uuid4().hex}{_PART}")
        for part in parts:
            part.unlink(missing_ok=True)

    def save(self, path: str | Path) -> None:
        """All evaluations as one Parquet file, for release."""
        _write_durably(self.table(), Path(path))

    @cached_property
    def journals(self) -> Path:
        """The folder of the journals of the runs that wrote to this log."""
        return self.path / "runs"


def _parts(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(part for part in path.iterdir() if part.suffix == _PART and part.is_file())


def _unreadable(part: Path, error: Exception) -> LogError:
    return LogError("log", str(part), f"readable Parquet ({type(error).__name__})")


def _write_durably(table: pa.Table, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_UNFINISHED}")
    try:
        with open(temporary, "wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
