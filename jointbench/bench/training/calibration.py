"""Seconds a step takes on an idle device: measured once for a configuration, kept, and the budget's measure then."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from jointbench.bench.training.hardware import Hardware
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import make_folder, write_whole
from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.registry import IMAGES, known_facts
from jointbench.data.spaces.registry import SPACES
from jointbench.data.spaces.space import Space


class Calibrations:
    """A folder with one small JSON file a configuration and hardware.

    All trainings of a configuration, at any budget and with any seed, on any worker and after any restart, count
    with the same figure: the first that was written stays. That is what makes a calibrated training repeatable.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def seconds_a_step(
        self,
        space: Space,
        configuration: Configuration,
        images: ImageFacts,
        hardware: Hardware,
        measure: Callable[[], float],
        *,
        architecture_seed: int = 0,
    ) -> float:
        """The figure, by `measure()` if it is not known yet. Raises LogError for a file that holds none."""
        what = {
            "space": space.name,
            "configuration": dict(configuration),
            "images": images.name,
            "device": hardware.description,
            "precision": hardware.precision,
            "torch": torch.__version__,
            **_beyond_names(space, images, architecture_seed),
        }
        name = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:24]
        path = self.folder / f"{name}.json"
        if not path.exists():
            make_folder(self.folder)
            write_whole(path, json.dumps({"seconds_a_step": measure(), **what}), once=True)
        try:
            seconds = float(json.loads(path.read_text(encoding="utf-8"))["seconds_a_step"])
        except (ValueError, KeyError, TypeError):
            raise LogError("calibration", str(path), "seconds_a_step in a JSON object") from None
        if not seconds > 0:
            raise LogError("calibration", str(path), f"seconds above 0, not {seconds}")
        return seconds


def _beyond_names(space: Space, images: ImageFacts, architecture_seed: int) -> dict[str, Any]:
    """What decides a step's time and does not follow from the names of what ships."""
    beyond: dict[str, Any] = {}
    if architecture_seed:
        beyond["architecture_seed"] = architecture_seed
    if space.name not in SPACES or SPACES[space.name] != space:
        beyond["space_content"] = space.as_dict()
    known = known_facts(images.name) if images.name in IMAGES else None
    if known is None or (known.shape, known.classes) != (images.shape, images.classes):
        beyond["image_shape"], beyond["classes"] = list(images.shape), images.classes
    return beyond
