"""A data set that is known by name: its facts, for who plans before having it, and how it is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.image_data import ImageData


@dataclass(frozen=True)
class ImageSet:
    """`load` takes the folder to look in (None: the default places) and gives what `facts` says."""

    facts: ImageFacts
    load: Callable[[Path | None], ImageData]
