"""Pieces of a collection, made on several machines, as one log."""

from collections.abc import Sequence
from pathlib import Path

from jointbench.data.errors import LogError
from jointbench.data.files import check_writable, make_folder, write_whole
from jointbench.data.log import CALIBRATIONS, JOURNALS, EvaluationLog
from jointbench.data.parts import new_part, write_durably
from jointbench.data.visible import visible


def merge(pieces: Sequence[Path], out: Path) -> EvaluationLog:
    """Put the evaluations of all `pieces` into the log at `out` (begun if there is none), each key once.

    Their journals, the trials that a run has chosen and calibrations come along, so that their runs can go on in
    `out`. Raises LogError when a piece is of another space, ladder or image data, or when two of them hold different
    runs of one name, UnwritableError; `out` is untouched then.
    """
    check_writable(out, folder=True)
    logs = [EvaluationLog.open(piece) for piece in pieces]
    task = logs[0].task
    for log in logs[1:]:
        if log.task != task:
            raise LogError("log", str(log.path), f"space, ladder, images and metrics as in {logs[0].path}")
    journals = _longest([log.path for log in logs] + ([out] if out.is_dir() else []))
    tables = [log.table() for log in logs]
    merged = EvaluationLog.open_or_create(out, task.space, task.ladder, task.images, task.metrics)
    for table in tables:
        write_durably(table, new_part(out, 1))
    for name, journal in journals.items():
        if journal.parent.parent != out:
            _copy(journal, out / JOURNALS / name)
    for log in logs:
        for folder, pattern in ((CALIBRATIONS, "*.json"), (JOURNALS, "*.trials.json")):
            for kept in visible(log.path / folder, pattern):
                if not (out / folder / kept.name).exists():
                    _copy(kept, out / folder / kept.name)
    merged.compact()
    return merged


def _longest(folders: Sequence[Path]) -> dict[str, Path]:
    """The journals by name; of two the one that goes on where the other ends."""
    found: dict[str, Path] = {}
    for folder in folders:
        for journal in visible(folder / JOURNALS, "*.journal"):
            other = found.setdefault(journal.name, journal)
            shorter, longer = sorted((other, journal), key=lambda path: path.stat().st_size)
            if not longer.read_bytes().startswith(shorter.read_bytes()):
                raise LogError(f"run {journal.stem}", str(journal), f"the same run as in {other}, or another name")
            found[journal.name] = longer
    return found


def _copy(source: Path, target: Path) -> None:
    make_folder(target.parent)
    write_whole(target, source.read_bytes())
