"""Writing a folder whole or not at all."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from jointbench.data.errors import WouldOverwriteError


def write_folder(folder: Path, files: Mapping[str, bytes], *, force: bool = False) -> None:
    """A folder with these files and no others. Raises WouldOverwriteError when it exists and `force` is not set."""
    if folder.exists() and not force:
        raise WouldOverwriteError("folder", str(folder), "one that does not exist, or --force")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.writing")
    try:
        temporary.mkdir()
        for name, content in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
