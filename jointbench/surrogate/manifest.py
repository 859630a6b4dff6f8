"""What a benchmark's manifest says, checked before anything is made of it."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jointbench.data.errors import BenchmarkError, InputError, JointBenchError
from jointbench.data.evaluation import Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space
from jointbench.surrogate.cost_model import CostModel
from jointbench.surrogate.noise import Noise

#: Of benchmarks whose errors come from an ensemble of XGBoost's, and of those that a teacher's student answers.
ENSEMBLE_FORMAT, DISTILLED_FORMAT = 3, 4

#: What becomes part of file and package names.
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 64

_MOST_MEMBERS = 64
#: A variance of errors' logits, where all of them are within 50, or a multiple of one.
_LARGEST_NOISE = 1e6

#: Of a training, in seconds or epochs.
_LEAST_BUDGET, _LARGEST_BUDGET = 1e-9, 1e12

#: Log odds are within 50; a calibration that stretches them further than this was not fitted.
_STEEPEST = 1e3


@dataclass(frozen=True)
class Manifest:
    """All that a benchmark consists of beside its trees.

    `odds` are the slope and offset that calibrate the log odds of each kind of failure; `checksum` is the SHA-256 of
    the models' file; `identity` changes whenever an answer could.
    """

    format_version: int
    name: str
    version: int
    space: Space
    ladder: Ladder
    images: ImageFacts
    features: tuple[str, ...]
    cost_model: CostModel
    members: int
    noise: Noise
    odds: Mapping[Status, tuple[float, float]]
    quality: Sequence[Mapping[str, Any]]
    provenance: Mapping[str, Any]
    checksum: str
    identity: str
    #: As `judging.best.best` gives them; none in benchmarks of before there was a verdict.
    best: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def from_dict(cls, content: Any, source: str) -> "Manifest":
        """Raises BenchmarkError when an entry is missing or makes no sense."""
        try:
            if content["format_version"] not in (ENSEMBLE_FORMAT, DISTILLED_FORMAT):
                expected = f"{ENSEMBLE_FORMAT} or {DISTILLED_FORMAT}"
                raise BenchmarkError("benchmark format version", content["format_version"], expected)
            return cls(
                content["format_version"],
                checked_name(content["name"]),
                _whole("version", content["version"], 1, 2**31),
                get_space(content["space"]),
                _ladder(content["ladder"]),
                ImageFacts.from_dict(content["images"]),
                tuple(content["features"]),
                CostModel.from_dict(content["laws"]),
                _whole("members", content["members"], 1, _MOST_MEMBERS),
                _noise(content["noise"]),
                {Status(kind): _odds(pair) for kind, pair in content["odds"].items()},
                _rows("quality", content["quality"]),
                dict(content["provenance"]),
                str(content["models"]),
                _identity(content),
                _rows("best", content.get("best", [])),
            )
        except BenchmarkError:
            raise
        except JointBenchError as error:
            raise BenchmarkError("benchmark", source, f"a manifest that makes sense ({error})") from None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise BenchmarkError("benchmark", source, "a manifest with all entries, each of its kind") from None

    @property
    def models(self) -> list[str]:
        """The names of the models, in the order of the forest's outputs."""
        return model_names(self.members, tuple(self.odds), distilled=self.distilled)

    @property
    def distilled(self) -> bool:
        return self.format_version == DISTILLED_FORMAT


def model_names(members: int, failures: Sequence[Status], *, distilled: bool) -> list[str]:
    errors = [f"errors-{member}" for member in range(members)] + ["spread", "uncertainty"] * distilled
    return [*errors, "costs", "costs-of-failures", *(kind.value for kind in failures)]


def checked_name(name: object) -> str:
    """A benchmark's name, without its version. Raises InputError."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise InputError(
            "benchmark name", name, f"up to {_LONGEST_NAME} small letters and digits, in words joined by hyphens"
        )
    return name


def _identity(content: Mapping[str, Any]) -> str:
    """Of all that the answers follow from, beside the code."""
    followed = ("format_version", "space", "ladder", "images", "laws", "noise", "odds", "models")
    return hashlib.sha256(json.dumps([content[key] for key in followed], sort_keys=True).encode()).hexdigest()


def _whole(field: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise InputError(field, value, f"a whole number from {least} to {most}")
    return value


def _ladder(content: Mapping[str, Any]) -> Ladder:
    ladder = Ladder(**content)
    for end in (ladder.minimum, ladder.maximum):
        if not _LEAST_BUDGET <= end <= _LARGEST_BUDGET:
            raise InputError("ladder", end, f"budgets from {_LEAST_BUDGET:g} to {_LARGEST_BUDGET:g}")
    return ladder


def _rows(field: str, rows: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(field, rows, "a list of objects")
    return rows


def _noise(content: Mapping[str, Any]) -> Noise:
    for name, value in content.items():
        if type(value) not in (int, float) or not 0 <= value <= _LARGEST_NOISE:
            raise InputError(f"noise {name}", value, f"a number from 0 to {_LARGEST_NOISE:g}")
    return Noise(**content)


def _odds(pair: Any) -> tuple[float, float]:
    slope, offset = pair
    for value in (slope, offset):
        if type(value) not in (int, float) or not math.fabs(value) <= _STEEPEST:
            raise InputError("odds", value, f"a number within {_STEEPEST:g}")
    return float(slope), float(offset)
