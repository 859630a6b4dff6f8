"""Where image files are looked for, and how they are downloaded."""

import os
from pathlib import Path
from typing import Any

from jointbench.data.errors import MissingDataError, MissingExtraError
from jointbench.data.option_words import option

#: Where image data is looked for when no folder is given.
DATA_FOLDER_VARIABLE = "JOINTBENCH_DATA"


def default_folder() -> Path:
    """$JOINTBENCH_DATA, else a cache."""
    return Path(os.environ.get(DATA_FOLDER_VARIABLE, Path.home() / ".cache" / "jointbench"))


def through_torchvision(dataset: str, folder: Path, files: str, *, downloads: bool = True, **part: Any) -> Any:
    """A data set of torchvision's from the folder, or, where it `downloads`, fetched into it; `part`: which of it, as
    torchvision says that.

    Raises MissingDataError, which says that `files` are wanted, and MissingExtraError.
    """
    try:
        from torchvision import datasets
    except ImportError:
        raise MissingExtraError("torchvision is needed to read image data: pip install 'jointbench[train]'") from None
    kind = getattr(datasets, dataset)
    fetched = "the download failed ({}), so put them there by hand or name their"
    try:
        return kind(str(folder), **part, **({"download": False} if downloads else {}))
    except (OSError, RuntimeError) as error:
        # Not there, or damaged: a download mends both.
        failed = error
    if downloads:
        try:
            return kind(str(folder), **part, download=True)
        except (OSError, RuntimeError) as error:
            failed = error
    else:
        fetched = "torchvision cannot download them ({}): put them there by hand or name their"
    named = f"{fetched.format(type(failed).__name__)} folder with {option('data')} or ${DATA_FOLDER_VARIABLE}"
    raise MissingDataError("image data", dataset, f"{files}; {named}")
