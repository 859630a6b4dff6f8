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
from jointbench.data.numbers import json_float
from jointbench.data.quantities import counted
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task
from jointbench.surrogate.bounds import Bounds
from jointbench.surrogate.collapse_law import CollapseLaw
from jointbench.surrogate.cost_model import CostModel
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.scales import Measures

#: Of benchmarks whose errors come from an ensemble of XGBoost's, and of those that a teacher's student answers.
ENSEMBLE_FORMAT, DISTILLED_FORMAT = 3, 4
#: Of benchmarks of any other task than training on images.
TASK_FORMAT = 5
#: Of benchmarks that a teacher's student answers within bounds.
BOUNDED_FORMAT = 6
#: Of such benchmarks that say apart of which trainings some collapse.
COLLAPSE_FORMAT = 7
_BOUNDED = (BOUNDED_FORMAT, COLLAPSE_FORMAT)
_FORMATS = (ENSEMBLE_FORMAT, DISTILLED_FORMAT, TASK_FORMAT, *_BOUNDED)

#: What becomes part of file and package names.
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 64

_MOST_MEMBERS = 64
#: Of a training on images: on validation and on test images.
_ERRORS = 2
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
    images: ImageFacts | None
    features: tuple[str, ...]
    cost_model: CostModel | None
    members: int
    noise: Noise
    odds: Mapping[Status, tuple[float, float]]
    quality: Sequence[Mapping[str, Any]]
    provenance: Mapping[str, Any]
    checksum: str
    identity: str
    #: As `judging.best.best` gives them; none in benchmarks of before there was a verdict.
    best: Sequence[Mapping[str, Any]] = ()
    distilled: bool = True
    #: Of format 5: what all is about, and how it is modelled.
    recorded_task: Task | None = None
    measures: Measures | None = None
    #: Of formats 6 and 7.
    bounds: Bounds | None = None
    #: Of format 7.
    collapse: CollapseLaw | None = None

    @classmethod
    def from_dict(cls, content: Any, source: str) -> "Manifest":
        """Raises BenchmarkError when an entry is missing or makes no sense."""
        try:
            if content["format_version"] not in _FORMATS:
                expected = f"{', '.join(map(str, _FORMATS[:-1]))} or {_FORMATS[-1]}"
                raise BenchmarkError("benchmark format version", content["format_version"], expected)
            task, measures = None, None
            if content["format_version"] == TASK_FORMAT:
                task = Task.from_dict(content["task"])
                measures = Measures.from_dict(content["measures"], task.metrics)
                space, ladder, images, cost_model = task.space, _checked_ladder(task.ladder), task.images, None
            else:
                space, ladder = get_space(content["space"]), _checked_ladder(Ladder(**content["ladder"]))
                images, cost_model = ImageFacts.from_dict(content["images"]), CostModel.from_dict(content["laws"])
            return cls(
                content["format_version"],
                checked_name(content["name"]),
                _whole("version", content["version"], 1, 2**31),
                space,
                ladder,
                images,
                tuple(content["features"]),
                cost_model,
                _whole("members", content["members"], 1, _MOST_MEMBERS),
                _noise(content["noise"], 1 if measures is None else len(measures.metrics)),
                {Status(kind): _odds(pair) for kind, pair in content["odds"].items()},
                _rows("quality", content["quality"]),
                dict(content["provenance"]),
                str(content["models"]),
                _identity(content),
                _rows("best", content.get("best", [])),
                content["distilled"] is True
                if measures
                else content["format_version"] in (DISTILLED_FORMAT, *_BOUNDED),
                task,
                measures,
                _bounds(content, ladder),
                _collapse(content),
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
        return model_names(
            self.members,
            tuple(self.odds),
            distilled=self.distilled,
            costs=self._has_costs,
            collapse=self.collapse is not None,
        )

    @property
    def _has_costs(self) -> bool:
        return self.measures is None or bool(self.measures.costs)

    @property
    def task(self) -> Task:
        """Of earlier formats: trainings on images, whose validation error is the objective."""
        return self.recorded_task or Task(self.space, self.ladder, self.images)


def model_names(
    members: int, failures: Sequence[Status], *, distilled: bool, costs: bool = True, collapse: bool = False
) -> list[str]:
    errors = [f"errors-{member}" for member in range(members)] + ["spread", "uncertainty"] * distilled
    return [
        *errors,
        *["collapse"] * collapse,
        *["costs", "costs-of-failures"] * costs,
        *(kind.value for kind in failures),
    ]


def checked_name(name: object) -> str:
    """A benchmark's name, without its version. Raises InputError."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise InputError(
            "benchmark name", name, f"up to {_LONGEST_NAME} small letters and digits, in words joined by hyphens"
        )
    return name


def _identity(content: Mapping[str, Any]) -> str:
    """Of all that the answers follow from, beside the code."""
    followed: tuple[str, ...] = ("format_version", "space", "ladder", "images", "laws", "noise", "odds", "models")
    if content["format_version"] == TASK_FORMAT:
        followed = ("format_version", "task", "measures", "noise", "odds", "models")
    elif content["format_version"] in _BOUNDED:
        followed = (*followed, "bounds", *["collapse"] * (content["format_version"] == COLLAPSE_FORMAT))
    return hashlib.sha256(json.dumps([content[key] for key in followed], sort_keys=True).encode()).hexdigest()


def _bounds(content: Mapping[str, Any], ladder: Ladder) -> Bounds | None:
    if content["format_version"] not in _BOUNDED:
        return None
    found = Bounds.from_dict(content["bounds"], ladder.rungs)
    if len(found.lowest[0]) != _ERRORS:
        raise InputError("bounds' lowest", found.lowest, f"numbers for {_ERRORS} errors")
    if content["members"] != 1:
        raise InputError("members", content["members"], "1, the student whose answers are bounded")
    return found


def _collapse(content: Mapping[str, Any]) -> CollapseLaw | None:
    if content["format_version"] != COLLAPSE_FORMAT:
        return None
    found = CollapseLaw.from_dict(content["collapse"])
    if len(found.level) != _ERRORS:
        raise InputError("collapse's level", found.level, f"numbers for {_ERRORS} errors")
    return found


def _whole(field: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise InputError(field, value, f"a whole number from {least} to {most}")
    return value


def _checked_ladder(ladder: Ladder) -> Ladder:
    for end in (ladder.minimum, ladder.maximum):
        if not _LEAST_BUDGET <= end <= _LARGEST_BUDGET:
            raise InputError("ladder", end, f"budgets from {_LEAST_BUDGET:g} to {_LARGEST_BUDGET:g}")
    return ladder


def _rows(field: str, rows: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(field, rows, "a list of objects")
    return rows


def _noise(content: Mapping[str, Any], metrics: int) -> Noise:
    others = tuple((json_float(floor), json_float(slope)) for floor, slope in content.get("others", ()))
    if len(others) != metrics - 1:
        raise InputError("noise", content, f"that of {counted(metrics, 'metric')}")
    plain = {name: json_float(value) for name, value in content.items() if name != "others"}
    for name, value in [*plain.items(), *(("others", each) for pair in others for each in pair)]:
        if type(value) not in (int, float) or not 0 <= value <= _LARGEST_NOISE:
            raise InputError(f"noise {name}", value, f"a number from 0 to {_LARGEST_NOISE:g}")
    return Noise(**plain, others=others)


def _odds(pair: Any) -> tuple[float, float]:
    slope, offset = pair
    for value in (slope, offset):
        if type(value) not in (int, float) or not math.fabs(value) <= _STEEPEST:
            raise InputError("odds", value, f"a number within {_STEEPEST:g}")
    return float(slope), float(offset)
