"""Where image files are looked for, and how they are downloaded."""

import os
from pathlib import Path
from typing import Any

from jointbench.data.errors import MissingDataError, MissingExtraError

#: Where image data is looked for when no folder is given.
DATA_FOLDER_VARIABLE = "JOINTBENCH_DATA"


def default_folder() -> Path:
    """$JOINTBENCH_DATA, else a cache."""
    return Path(os.environ.get(DATA_FOLDER_VARIABLE, Path.home() / ".cache" / "jointbench"))


def through_torchvision(dataset: str, folder: Path, train: bool, files: str) -> Any:
    """A data set of torchvision's from the folder, or downloaded into it.

    Raises MissingDataError, which says that `files` are wanted, and MissingExtraError.
    """
    try:
        from torchvision import datasets
    except ImportError:
        raise MissingExtraError("torchvision is needed to read image data: pip install 'jointbench[train]'") from None
    kind = getattr(datasets, dataset)
    try:
        return kind(str(folder), train=train, download=False)
    except RuntimeError:
        pass  # not there, or damaged: a download mends both
    try:
        return kind(str(folder), train=train, download=True)
    except (OSError, RuntimeError) as error:
        raise MissingDataError(
            "image data",
            dataset,
            f"{files}; the download failed ({type(error).__name__}), so put them there by hand or name their "
            f"folder with --data or ${DATA_FOLDER_VARIABLE}",
        ) from None
