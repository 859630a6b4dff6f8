"""Writing a benchmark's folder whole or not at all."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from jointbench.data.errors import WouldOverwriteError
from jointbench.surrogate.stored import MANIFEST


def check_writable(folder: Path, *, force: bool) -> None:
    """Raises WouldOverwriteError when it exists and `force` is not set, or holds something else than a benchmark:
    force replaces results, not a person's files.
    """
    if folder.is_symlink() or folder.exists():
        if not force:
            raise WouldOverwriteError("folder", str(folder), "one that does not exist, or --force")
        ours = folder.is_dir() and ((folder / MANIFEST).exists() or not any(folder.iterdir()))
        if folder.is_symlink() or not ours:
            raise WouldOverwriteError("folder", str(folder), "one with a benchmark in it, or an empty one")


def write_folder(folder: Path, files: Mapping[str, bytes], *, force: bool = False) -> None:
    """A folder with these files and no others. Raises WouldOverwriteError as `check_writable` does."""
    check_writable(folder, force=force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    temporary, before = (folder.with_name(f".{folder.name}.{os.getpid()}.{what}") for what in ("writing", "before"))
    try:
        temporary.mkdir()
        for name, content in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if folder.exists():
            folder.rename(before)
        temporary.rename(folder)
        shutil.rmtree(before, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
