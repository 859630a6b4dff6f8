"""Writing a benchmark's folder whole or not at all."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from jointbench.data.errors import UnwritableError, WouldOverwriteError
from jointbench.data.files import check_writable, make_folder, unfinished, write_whole
from jointbench.data.option_words import option
from jointbench.surrogate.stored import MANIFEST


def _is_benchmark(folder: Path) -> bool:
    return (folder / MANIFEST).exists()


def check_replaceable(
    folder: Path, *, force: bool, ours: Callable[[Path], bool] = _is_benchmark, what: str = "benchmark"
) -> None:
    """Raises WouldOverwriteError when it exists and `force` is not set, or holds something else than a benchmark (or
    whatever is `ours`): force replaces results, not a person's files. Raises UnwritableError where it cannot be made.
    """
    if os.path.lexists(folder):
        if not force:
            raise WouldOverwriteError("folder", str(folder), f"one that does not exist, or {option('force', True)}")
        replaceable = folder.is_dir() and (ours(folder) or not any(folder.iterdir()))
        if folder.is_symlink() or not replaceable:
            raise WouldOverwriteError("folder", str(folder), f"one with a {what} in it, or an empty one")
        # It makes room for the new one as a whole.
        check_writable(folder.parent, folder=True)
    check_writable(folder, folder=True)


def write_folder(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    force: bool = False,
    ours: Callable[[Path], bool] = _is_benchmark,
    what: str = "benchmark",
) -> None:
    """A folder with these files and no others, on the disk. Raises as `check_replaceable` does."""
    check_replaceable(folder, force=force, ours=ours, what=what)
    make_folder(folder.parent)
    folder = folder.resolve()
    temporary, before = unfinished(folder), unfinished(folder)
    try:
        for name, content in files.items():
            make_folder((temporary / name).parent)
            write_whole(temporary / name, content)
        _exchange(folder, temporary, before)
    except UnwritableError as error:
        raise UnwritableError("folder", str(folder), error.reason) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchange(folder: Path, new: Path, before: Path) -> None:
    try:
        if folder.exists():
            folder.rename(before)
        new.rename(folder)
    except OSError as error:
        if before.exists():
            before.rename(folder)
        raise UnwritableError.of("folder", folder, error) from None
    shutil.rmtree(before, ignore_errors=True)
