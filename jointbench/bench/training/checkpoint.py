"""A training on disk, so that another worker can go on with it."""

import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from jointbench.data.errors import UnwritableError
from jointbench.data.files import make_folder, remove_unfinished, write_whole

#: What a training needs to go on: nested dictionaries and lists of tensors, numbers and strings.
State = dict[str, Any]


class Checkpoint:
    """One file, which appears whole or not at all; of several writes the last one counts."""

    def __init__(self, path: Path, every: float) -> None:
        """every: seconds between two writes."""
        self.path, self.every = path, every

    def save(self, state: State) -> None:
        """Durably. A disk that is full costs the checkpoint, not the training."""
        # torch reports a failed write as a RuntimeError.
        with suppress(UnwritableError, RuntimeError):
            make_folder(self.path.parent)
            write_whole(self.path, lambda file: torch.save(state, file))

    def load(self) -> State | None:
        """On the CPU; None where there is none that can be read. No code in the file is run."""
        try:
            state: State = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        return state

    def remove(self) -> None:
        """With what writers of it left that died."""
        self.path.unlink(missing_ok=True)
        remove_unfinished(self.path)
