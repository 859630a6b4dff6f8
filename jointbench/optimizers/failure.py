"""What went wrong in a person's code, in a line: the exception, and where in their file it was raised."""

import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path

#: Characters of a message that a line repeats.
_SHOWN = 200

_OURS = Path(__file__).parents[1]
_LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def happened(error: BaseException) -> str:
    """Type, message and place of an exception, as in `ZeroDivisionError: my bug (broken.py:6)`."""
    message = " ".join(str(error).split())
    if len(message) > _SHOWN:
        message = f"{message[:_SHOWN]}…"
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    place = _place(error)
    return said if place is None else f"{said} ({Path(place.filename).name}:{place.lineno})"


def _place(error: BaseException) -> traceback.FrameSummary | None:
    """The innermost line of a person's own code, else of an optimizer of ours, else of the library's file that was
    called; None where the call itself failed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_file()]
    theirs = [frame for frame in frames if not _inside(frame, [_OURS])]
    own = [frame for frame in theirs if not _inside(frame, _LIBRARIES)]
    called = own or [frame for frame in frames if _inside(frame, [_OURS / "optimizers"])]
    called = called or [frame for frame in theirs if frame.filename == theirs[0].filename]
    return called[-1] if called else None


def _inside(frame: traceback.FrameSummary, folders: Iterable[Path]) -> bool:
    return any(Path(frame.filename).is_relative_to(folder) for folder in folders)
