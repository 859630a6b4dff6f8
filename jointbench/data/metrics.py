"""What is measured of an evaluation: names, units, directions, bounds, and what a failure counts as.

Nothing else knows what "error" means. The first metric of a task is its objective; the rule of the incumbent, what
optimizers minimise, axis labels and number formats follow from it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.notebook import html_table
from jointbench.data.quantities import size

#: Of what a network that guesses gets right by chance: nothing is known, it is an error, or the opposite of one.
Chance = Literal["unknown", "error", "accuracy"]

#: No training takes, and no device gives, more of anything than this.
MOST = 1e12
#: The largest whole number of a log.
_MOST_WHOLE = 2**63 - 1

#: Above, a number is written with a power of ten where its format asks for that.
_EASILY_READ = 10**6

#: How values are written where nobody says otherwise; of fractions, which are shown in per cent.
_FORMAT, _PER_CENT = ".4g", ".2%"

#: As a column of a table and as a keyword.
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Told(Protocol):
    """What an optimizer is told: an evaluation, or a benchmark's answer."""

    @property
    def ok(self) -> bool: ...

    @property
    def metrics(self) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class Metric:
    """One number that an evaluation has.

    `unit` such as seconds, bytes or fraction; `maximize`: the larger the better; `bounds`: the least and the most that
    it can be, both included; `whole`: an integer. `failure` is what a failed evaluation counts as wherever values are
    compared; None where what was measured counts even then, as the seconds of a training that diverged do. `default`
    stands in a table where nothing was measured; None: nothing does. `exact`: it follows from the configuration by
    arithmetic and has no noise. `label` is what axes and tables call it, `format` how they write it (a format
    specification of Python's; without one fractions are in per cent). `chance` says of a classification what guessing
    gets: `guessing`.

    What counts, and what an optimizer minimises (`loss`), for an error, for an accuracy and for seconds:

    >>> error = VALIDATION_ERROR
    >>> accuracy = Metric("accuracy", "fraction", maximize=True, bounds=(0, 1), failure=0.0)
    >>> seconds = METRICS["training_seconds"]
    >>> for metric, value, ok in (
    ...     (error, 0.25, True),
    ...     (error, 0.25, False),
    ...     (error, math.nan, True),
    ...     (accuracy, 0.75, True),
    ...     (accuracy, 0.75, False),
    ...     (seconds, 9.0, True),
    ...     (seconds, 9.0, False),
    ... ):
    ...     told = "ok" if ok else "failed"
    ...     print(f"{metric.name:<16} {value:<5} {told:<6} {metric.counted(value, ok):<4} {metric.loss(value, ok)}")
    validation_error 0.25  ok     0.25 0.25
    validation_error 0.25  failed 1.0  inf
    validation_error nan   ok     nan  inf
    accuracy         0.75  ok     0.75 -0.75
    accuracy         0.75  failed 0.0  inf
    training_seconds 9.0   ok     9.0  9.0
    training_seconds 9.0   failed 9.0  inf

    Raises InputError for a name that cannot be a column, for bounds that are none, and for a failure outside them.
    """

    name: str
    unit: str = ""
    maximize: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)
    failure: float | None = None
    default: float | None = None
    exact: bool = False
    whole: bool = False
    label: str = ""
    format: str = _FORMAT
    chance: Chance = "unknown"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InputError("metric", self.name, "a name of small letters, digits and underscores")
        low, high = self.bounds
        if not low <= high:
            raise InputError(f"bounds of {self.name}", self.bounds, "the least and the most that it can be")
        for field, value in (("failure", self.failure), ("default", self.default)):
            if value is not None and not (low <= value <= high and math.isfinite(value)):
                raise InputError(f"{field} of {self.name}", value, f"none, or {self.range}")
        object.__setattr__(self, "label", self.label or self.name.replace("_", " "))

    def counted(self, value: float, ok: bool) -> float:
        """The value, or what a failure counts as."""
        return value if ok or self.failure is None else self.failure

    def loss(self, value: float, ok: bool = True) -> float:
        """What is minimised; infinite for a failure, and for a value that is no finite number."""
        if not ok or not math.isfinite(value):
            return math.inf
        return -value if self.maximize else value

    def loss_of(self, told: Told) -> float:
        """What is minimised of an evaluation. Raises InputError where one that ended ok has no such metric."""
        if not told.ok:
            return math.inf
        try:
            value = told.metrics[self.name]
        except KeyError:
            raise InputError("metrics of the evaluation", ", ".join(told.metrics), f"{self.name} among them") from None
        return self.loss(value)

    def counted_of(self, told: Told) -> float:
        """The evaluation's value, or what a failure counts as; NaN where it has none."""
        return self.counted(told.metrics.get(self.name, math.nan), told.ok)

    def losses(self, values: npt.ArrayLike) -> FloatArray:
        """`loss` of an array of any shape, its NaN as they are."""
        array = np.asarray(values, dtype=np.float64)
        return -array if self.maximize else array

    def guessing(self, classes: int | None) -> float | None:
        """What a network that guesses among so many classes gets; None where that is not known."""
        if classes is None or self.chance == "unknown":
            return None
        return 1 - 1 / classes if self.chance == "error" else 1 / classes

    @property
    def ideal(self) -> float | None:
        """What nothing can be better than; None where there is no such bound."""
        bound = self.bounds[self.maximize]
        return bound if abs(bound) < MOST else None

    @property
    def fraction(self) -> bool:
        """Whether it is shown in per cent."""
        return self.unit == "fraction"

    @property
    def written(self) -> str:
        """The specification by which values are formatted, in Python and in figures."""
        return _PER_CENT if self.fraction and self.format == _FORMAT else self.format

    @property
    def range(self) -> str:
        """What it can be, in words."""
        low, high = self.bounds
        kind = "a whole number" if self.whole else "a fraction" if self.fraction else "a finite number"
        most = _MOST_WHOLE if self.whole else MOST
        if low == -math.inf and high >= most:
            return kind
        return f"{kind} of at least {low:g}" if high >= most else f"{kind} from {low:g} to {high:g}"

    def shown(self, value: float) -> str:
        """The value as tables write it, such as 12.34%, 1,024 or 3.2 MiB."""
        return size(value) if self.unit == "bytes" else self._written(value)

    @property
    def labels(self) -> str:
        """What several values are called: losses, accuracies, validation errors, training seconds, images per
        second."""
        one, per, whole = self.label.partition(" per ")
        if one.endswith("y") and one[-2:-1] not in "aeiou":
            many = f"{one[:-1]}ies"
        elif one.endswith("s"):
            many = f"{one}es" if one.endswith("ss") else one
        else:
            many = f"{one}s"
        return f"{many}{per}{whole}"

    def shown_difference(self, value: float) -> str:
        """A difference of two values, with its sign."""
        sign = "-" if value < 0 else "+"
        return f"{sign}{size(abs(value)) if self.unit == 'bytes' else self._written(abs(value))}"

    def _written(self, value: float) -> str:
        text = format(value, self.written)
        # Up to a million people read digits more easily than powers of ten.
        return f"{value:,.0f}" if "e+" in text and abs(value) < _EASILY_READ else text

    @property
    def axis(self) -> str:
        """The title of an axis."""
        return self.label if self.unit in ("", "fraction", *self.label.split()) else f"{self.label}, {self.unit}"

    def _repr_html_(self) -> str:
        return html_table(f"metric {self.name}", asdict(self).items())

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no infinity."""
        return {**asdict(self), "bounds": [None if math.isinf(end) else end for end in self.bounds]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Metric":
        """The metric that is known by this name, where it means the same; else one with what `content` says."""
        low, high = content.get("bounds", (None, None))
        bounds = (-math.inf if low is None else low, math.inf if high is None else high)
        stored = cls(**{**content, "bounds": bounds})
        known = METRICS.get(stored.name, stored)
        # How it is called and written may have changed since.
        return known if replace(stored, label=known.label, format=known.format) == known else stored


def _fraction(name: str) -> Metric:
    return Metric(name, "fraction", bounds=(0.0, 1.0), failure=1.0, format=_PER_CENT, chance="error")


def _seconds(name: str) -> Metric:
    return Metric(name, "seconds", bounds=(0.0, MOST), default=0.0, format=".3g")


def _count(name: str, unit: str = "", *, exact: bool = False, format: str = ",.0f") -> Metric:  # noqa: A002
    bounds = (0.0, float(_MOST_WHOLE))
    return Metric(name, unit, bounds=bounds, default=0, exact=exact, whole=True, format=format)


#: Fractions of misclassified images after the last step. A failure counts as 1: guessing would not rank last, since a
#: network that learned nothing can be worse than that.
VALIDATION_ERROR, TEST_ERROR = _fraction("validation_error"), _fraction("test_error")

#: What a training measures, in the order of a log's columns; `Evaluation` says what each is.
TRAINED: tuple[Metric, ...] = (
    VALIDATION_ERROR,
    TEST_ERROR,
    _count("parameters", exact=True),
    _count("flops", "FLOPs", exact=True),
    _seconds("training_seconds"),
    _seconds("wall_seconds"),
    _seconds("warmup_seconds"),
    _seconds("measured_seconds"),
    _seconds("batch_seconds"),
    _seconds("validation_seconds"),
    _seconds("test_seconds"),
    _count("peak_memory", "bytes"),
    _count("evaluation_memory", "bytes"),
    Metric("images_per_second", "images per second", True, (0.0, MOST), default=0.0, format=",.3g"),
    Metric("epochs", "epochs", True, (0.0, MOST), default=0.0, format=".3g"),
    _count("steps", "steps"),
)

#: Known besides: memory in bytes and seconds that one image takes the trained network.
SAMPLE_MEMORY = Metric("sample_memory", "bytes", bounds=(0.0, float(_MOST_WHOLE)), whole=True, exact=True)
_BESIDES = (
    SAMPLE_MEMORY,
    Metric("latency", "seconds", bounds=(0.0, MOST), format=".3g"),
)

#: Those that are known by their names everywhere. A table of a person's own brings its own in its task; those of an
#: installed package are found by `get_metric`.
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in (*TRAINED, *_BESIDES)}

#: Where a package names its own, as in `[project.entry-points."jointbench.metrics"]`.
ENTRY_POINTS = "jointbench.metrics"


def get_metric(name: str, own: Iterable[Metric] = ()) -> Metric:
    """The metric of this name: one of `own`, of the registry or of an installed package. Raises UnknownNameError."""
    known = {**METRICS, **{metric.name: metric for metric in own}}
    if name in known:
        return known[name]
    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in installed:
        raise UnknownNameError.of("metric", name, [*known, *installed])
    found = installed[name].load()
    if not isinstance(found, Metric):
        raise InputError("metric", name, "an entry point of a jointbench Metric")
    return found


def checked_metrics(metrics: Sequence[Metric]) -> tuple[Metric, ...]:
    """The metrics as they are. Raises InputError where there is none, or where two have one name."""
    names = [metric.name for metric in metrics]
    if not names:
        raise InputError("metrics", (), "at least one, the objective")
    if len(set(names)) < len(names):
        raise InputError("metrics", max(names, key=names.count), "each name once")
    return tuple(metrics)


def fractions_among(metrics: Iterable[Metric]) -> frozenset[str]:
    """The names of those that are shown in per cent."""
    return frozenset(metric.name for metric in metrics if metric.fraction)
