"""The log of evaluations: append-only Parquet that many processes write and no crash can spoil."""

import os
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jointbench.data.errors import DamagedPartError, LogError
from jointbench.data.evaluation import Evaluation
from jointbench.data.files import check_writable, make_folder
from jointbench.data.frames import tidy
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.metric_words import in_words
from jointbench.data.metrics import TRAINED, Metric
from jointbench.data.notebook import html_table
from jointbench.data.parts import (
    DAMAGED,
    LEFT_BEHIND,
    as_parquet,
    new_part,
    parts,
    read_checked,
    read_part,
    task_of_part,
    tier,
    write_durably,
)
from jointbench.data.schema import from_table, schema, to_table
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from pandas import DataFrame

#: So many parts of a tier become one of the next.
FAN_IN = 64

#: What is beside the parts in a log's folder.
JOURNALS, CALIBRATIONS, CHECKPOINTS = "runs", "calibrations", "checkpoints"
#: What functions of a person's own have printed, a file a worker.
OUTPUT = "output"
#: How the names of folders begin in which a run that is going on keeps what its workers show each other.
CREDENTIALS = "credentials-"


class EvaluationLog:
    """A folder of Parquet parts (or one released Parquet file, read-only), all of the same task.

    Writers never share a file, so there may be any number of them, without locks. Two rows of the same key (a trial
    that was finished twice, or a merger that was interrupted) count once.
    """

    def __init__(self, path: Path, task: Task) -> None:
        self.path, self.task = path, task

    def __repr__(self) -> str:
        try:
            said = f"{len(self):,} evaluations"
        except LogError:
            said = "a part of which cannot be read"
        return f"<log {self.path}: space '{self.space.name}'{self._on_images}, {said}>"

    @property
    def _on_images(self) -> str:
        return "" if self.task.images is None else f" on {self.task.images.name}"

    def _repr_html_(self) -> str:
        statuses = Counter(self.table(["status"])["status"].to_pylist())
        rows = [
            ("space", f"{self.space.name}, {len(self.space.names)} hyperparameters"),
            ("images", "none" if self.task.images is None else self.task.images.name),
            ("budgets", f"{self.ladder} {self.ladder.unit}"),
            ("evaluations", f"{len(self):,}"),
            *((f"of them {status.replace('_', ' ')}", f"{number:,}") for status, number in statuses.most_common()),
        ]
        return html_table(f"log {self.path}", rows)

    def __len__(self) -> int:
        """The evaluations in it. Raises LogError as `table` does."""
        return int(self.table(["key"]).num_rows)

    def __bool__(self) -> bool:
        # An empty log is a log.
        return True

    def to_pandas(self) -> "DataFrame":
        """A row an evaluation, oldest first: the columns of the log's schema, then one a hyperparameter.

        Raises LogError as `table` does.
        """
        return tidy(self.table())

    @property
    def space(self) -> Space:
        return self.task.space

    @property
    def configspace(self) -> "ConfigurationSpace":
        """The space as a ConfigSpace object, which samples by ConfigSpace's law (`Space.configspace`)."""
        return self.space.configspace

    @property
    def ladder(self) -> Ladder:
        return self.task.ladder

    @property
    def images(self) -> ImageFacts:
        """Raises LogError when the log is not about images."""
        if self.task.images is None:
            raise LogError("log", str(self.path), "one of trainings on images")
        return self.task.images

    @classmethod
    def open(cls, path: str | Path) -> "EvaluationLog":
        """Raises LogError when there is no log, or none that can be read."""
        path = Path(path)
        if not path.exists():
            raise LogError("log", str(path), "an existing log folder or Parquet file")
        found = parts(path)
        if not found:
            raise LogError("log", str(path), "a folder with Parquet parts")
        try:
            return cls(path, task_of_part(found[0]))
        except FileNotFoundError:
            # Merged into another part meanwhile: look again.
            return cls.open(path)

    @classmethod
    def open_or_create(
        cls,
        path: str | Path,
        space: Space,
        ladder: Ladder,
        images: ImageFacts | None,
        metrics: Sequence[Metric] = TRAINED,
    ) -> "EvaluationLog":
        """The log at `path`, begun if there is none, and rid of damaged parts (see `set_aside_damaged`).

        `images`: None where it is about none; `metrics`: what evaluations have, the objective first.
        Raises LogError when it holds something else, UnwritableError where nothing can be written.
        """
        path, task = Path(path), Task(space, ladder, images, tuple(metrics))
        if os.path.isfile(path):
            raise LogError("log", str(path), "a folder, to be written to")
        check_writable(path, "log", folder=True)
        log = cls(path, task)
        if path.is_dir():
            log.set_aside_damaged()
            if not parts(path) and not all(_is_ours(entry) for entry in path.iterdir()):
                raise LogError("log", str(path), "a log folder, or one that is empty or does not exist yet")
        if not (path.is_dir() and parts(path)):
            # Another writer may be beginning it too, or have died in doing so.
            make_folder(path)
            log.append([])
        found = cls.open(path).task
        for field in ("space", "ladder", "images", "metrics"):
            there, wanted = getattr(found, field), getattr(task, field)
            # What is in no registry is read as a space of another class.
            same = field == "space" and found.space.as_dict() == space.as_dict()
            if there != wanted and not same:
                if field == "metrics":
                    there, wanted = in_words(found.metrics), in_words(task.metrics)
                raise LogError(f"{field} of the log {path}", str(there), f"{wanted}, as this run has")
        return log

    def append(self, evaluations: Sequence[Evaluation]) -> None:
        """Write a part; when this returns, the evaluations are on the disk. One without a key is given a new one.

        Raises LogError when it cannot be written, as on a full disk; nothing of it is there then.
        """
        keyed = [e if e.key else replace(e, key=uuid.uuid4().hex) for e in evaluations]
        write_durably(to_table(keyed, self.task), new_part(self.path, 0))

    def table(self, columns: Sequence[str] | None = None, run: str | None = None) -> pa.Table:
        """Evaluations of all runs or of one, each key once, oldest first; of all columns or of some.

        Raises LogError when a part cannot be read, or holds in these columns what no training gives.
        """
        wanted = schema(self.task).names if columns is None else list(columns)
        # A failure's error in a part of an earlier version is mended by its status.
        mended = {metric.name for metric in self.task.metrics if metric.failure is not None}
        also = {"key", "finished_at"} | ({"status"} if mended & set(wanted) else set())
        needed = [name for name in schema(self.task).names if name in {*wanted, *also}]
        if run is not None and "run" not in needed:
            needed.append("run")
        tables = []
        for part in parts(self.path):
            try:
                table = read_checked(part, self.task, needed)
            except FileNotFoundError:
                # Merged into another part meanwhile: look again.
                return self.table(columns, run)
            tables.append(table if run is None else table.filter(pc.equal(table["run"], run)))
        return _once(pa.concat_tables(tables)).select(wanted)

    def evaluations(self, run: str | None = None) -> Iterator[Evaluation]:
        """Oldest first. Raises LogError as `table` does."""
        return from_table(self.table(run=run))

    def tidy(self) -> None:
        """Merge small parts into larger ones, so that neither reading nor appending slows down as the log grows.

        An evaluation is rewritten once a tier, that is log n times. Any process may do it at any time: a part is
        removed only after what it holds is on the disk elsewhere, and a death in between leaves rows twice, which
        reading counts once.
        """
        found = parts(self.path)
        for level in range(1 + max(map(tier, found), default=0)):
            small = [part for part in found if tier(part) == level]
            if len(small) >= FAN_IN:
                self._merge(small, level + 1)

    def compact(self) -> None:
        """Merge all parts into one."""
        found = parts(self.path)
        self._merge(found, 1 + max(map(tier, found), default=0))

    def _merge(self, small: Sequence[Path], level: int) -> None:
        merged, tables = [], []
        for part in small:
            try:
                tables.append(read_part(part, self.task))
            except FileNotFoundError:
                # Somebody else has merged it.
                continue
            except DamagedPartError:
                # The run that is going on need not end for it; the next one sets it aside.
                continue
            merged.append(part)
        if len(merged) > 1:
            write_durably(_once(pa.concat_tables(tables)), new_part(self.path, level))
            for part in merged:
                part.unlink(missing_ok=True)

    def set_aside_damaged(self) -> list[Path]:
        """Rename parts that cannot be read, so that they are ignored from now on; returns their new names.

        Our own writers never leave one: it is the disk's or the file system's doing. What a run had heard of is
        restored from its journal when it goes on. Raises LogError for a part that can be read and holds what no
        training gives: that is for a person to look at.
        """
        damaged = []
        for part in parts(self.path):
            try:
                read_checked(part, task_of_part(part))
            except FileNotFoundError:
                continue
            except DamagedPartError:
                damaged.append(part.rename(part.with_name(part.name + DAMAGED)))
        return damaged

    def content(self) -> bytes:
        """What `save` would write."""
        return as_parquet(self.table())

    def save(self, path: str | Path) -> None:
        """All evaluations as one Parquet file, for release."""
        write_durably(self.table(), Path(path))

    @cached_property
    def journals(self) -> Path:
        """The folder of the journals of the runs that wrote to this log."""
        return self.path / JOURNALS


def _is_ours(entry: Path) -> bool:
    """Whether a file or folder may stand where a log is, though there is no part of it."""
    left = entry.name.endswith(LEFT_BEHIND) or (entry.name.startswith(".") and entry.is_file())
    left = left or entry.name.startswith(CREDENTIALS)
    return left or entry.name in (JOURNALS, CALIBRATIONS, CHECKPOINTS, OUTPUT)


def _once(table: pa.Table) -> pa.Table:
    """Oldest first, each key once."""
    table = table.sort_by([("finished_at", "ascending"), ("key", "ascending")])
    keys = table["key"].combine_chunks().dictionary_encode()
    if len(keys.dictionary) == len(table):
        return table
    _, first = np.unique(keys.indices.to_numpy(zero_copy_only=False), return_index=True)
    return table.take(np.sort(first))
