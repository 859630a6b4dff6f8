"""The outcome of one evaluation: the trainer's only output and the surrogate's only input."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, NoReturn, TypeVar

from jointbench.data.metrics import METRICS, TRAINED, Metric
from jointbench.data.notebook import html_table
from jointbench.data.numbers import readable

T = TypeVar("T")

#: Hyperparameter name to value, in the space's order.
Configuration = Mapping[str, Any]
#: Name to value of what was measured.
Metrics = Mapping[str, float | int]


class ReadOnlyConfiguration(dict[str, Any]):
    """A configuration that has been checked and that nobody changes any more, so that whoever holds it may share it.

    A dict otherwise: `dict(configuration)` is a copy that can be changed.
    """

    __slots__ = ()

    def _refuse(self, *arguments: object, **keywords: object) -> NoReturn:
        raise TypeError("what was evaluated cannot be changed; dict(configuration) is a copy that can")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[type["ReadOnlyConfiguration"], tuple[dict[str, Any]]]:
        # As dicts are pickled it would be filled item by item.
        return ReadOnlyConfiguration, (dict(self),)


class ReadOnlyMetrics(ReadOnlyConfiguration):
    """What was measured, by name; nobody changes it any more."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type["ReadOnlyMetrics"], tuple[dict[str, float | int]]]:
        return ReadOnlyMetrics, (dict(self),)


class Status(StrEnum):
    """How an evaluation ended. All but `OK` are failures, and outcomes all the same."""

    OK = "ok"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    #: A step takes so long that fewer than ten fit into the smallest budget; known by arithmetic, before training.
    TOO_SLOW = "too_slow"


#: How `Provenance.clock` names a reference clock: `reference:NAME`.
REFERENCE_CLOCK = "reference:"


@dataclass(frozen=True, slots=True)
class Curve:
    """Learning curve: one entry a validation pass, in order; empty where none was made.

    `seconds` counts the budgeted part alone; `training_loss` is the mean since the previous entry;
    `validation_error` is a fraction on clean images. What else a function of a person's own reported stands in
    `metrics` by name, NaN where it reported none.
    """

    seconds: tuple[float, ...] = ()
    epochs: tuple[float, ...] = ()
    training_loss: tuple[float, ...] = ()
    validation_error: tuple[float, ...] = ()
    metrics: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def of(self, metric: str) -> tuple[float, ...]:
        """The values of a metric; empty where it was not reported."""
        known = {"training_loss": self.training_loss, "validation_error": self.validation_error}
        return known.get(metric) or self.metrics.get(metric, ())


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an evaluation comes from, so that it can be traced and repeated."""

    images: str = ""
    machine: str = ""
    device: str = ""
    torch_version: str = ""
    code_version: str = ""
    precision: str = ""
    clock: str = ""
    optimizer: str = ""
    run: str = ""


class _Measured(Generic[T]):
    """A metric of an evaluation as an attribute to be read; its default where nothing was measured."""

    __slots__ = ("_name",)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, evaluation: "Evaluation | None", owner: type) -> T:
        if evaluation is None:
            # Dataclasses look for a default, which this is none of.
            raise AttributeError(self._name)
        try:
            return evaluation.metrics[self._name]  # type: ignore[return-value]
        except KeyError:
            default = METRICS[self._name].default
            if default is None:
                raise AttributeError(f"this evaluation has no {self._name}") from None
            return default  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One outcome, immutable; one row of the log's schema.

    `metrics` holds what was measured, by the names of `metrics.METRICS` or of a task's own; those that our trainings
    have are attributes too. `extras` has room for what is no metric of the task, such as the scores of cheap proxies.

    Errors are fractions of misclassified images after the last step (not the best seen). A failure carries what the
    metric says that it counts as, so that it ranks last; its `status` tells it apart and `reason` says why. A
    validation error that was measured before the failure (of the test) is kept.

    Units: `budget` in the ladder's unit; `training_seconds` is the budgeted part (forward, backward, step) as the
    run's clock counts it, `measured_seconds` what that part took on `provenance.device`; `wall_seconds` everything
    from start to end, `warmup_seconds` of them what was paid once before the clock started (kernel search,
    compilation, calibration). Beside the budget, in CPU seconds on a processor: `batch_seconds` for making batches,
    `validation_seconds` and `test_seconds`. `peak_memory` in bytes is that of training, `evaluation_memory` that of
    validating and testing; `flops` are those of one image's forward pass; `finished_at` in seconds since 1970.
    `seed` is that of the training, `architecture_seed` that with which a network was drawn, where a space draws any.
    `trial` is the position in its run, -1 outside a run.
    `key` is the same whenever the same trial of the same run is finished twice, and otherwise unique.
    """

    space: str
    configuration: Configuration
    budget: float
    seed: int
    status: Status
    metrics: Metrics
    reason: str = ""
    trial: int = -1
    key: str = ""
    finished_at: float = 0.0
    curve: Curve = field(default_factory=Curve)
    provenance: Provenance = field(default_factory=Provenance)
    architecture_seed: int = 0
    extras: Metrics = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The same one is handed to an optimizer and written to a log.
        if type(self.metrics) is not ReadOnlyMetrics:
            object.__setattr__(self, "metrics", ReadOnlyMetrics(self.metrics))
        if self.extras and type(self.extras) is not ReadOnlyMetrics:
            object.__setattr__(self, "extras", ReadOnlyMetrics(self.extras))

    def _repr_html_(self) -> str:
        shown = ("validation_error", "test_error", "training_seconds", "wall_seconds", "parameters")
        names = [name for name in shown if name in self.metrics]
        names += [name for name in self.metrics if name not in METRICS]
        rows = [
            ("status", f"{self.status}{f': {self.reason}' if self.reason else ''}"),
            ("budget", f"{self.budget:g}"),
            ("seed", self.seed),
            *((name.replace("_", " "), _shown(name, self.metrics[name])) for name in names),
            *((name, readable(value)) for name, value in self.configuration.items()),
        ]
        return html_table(f"evaluation in the space '{self.space}'", rows)

    @property
    def ok(self) -> bool:
        return self.status is Status.OK

    @property
    def duration(self) -> float:
        """Seconds that it occupies a worker: on the wall, or where a reference clock counts them, which does not care
        what else a machine does, that clock's and what was done beside the budget."""
        if not self.provenance.clock.startswith(REFERENCE_CLOCK):
            return self.wall_seconds
        return self.training_seconds + self.batch_seconds + self.validation_seconds + self.test_seconds

    def measuring(self, **changed: float | int) -> "Evaluation":
        """The same with other values of these metrics."""
        return replace(self, metrics={**self.metrics, **changed})

    def failing(self, status: Status, reason: str, metrics: Iterable[Metric] = TRAINED) -> "Evaluation":
        """The same as a failure, of which nothing counts that it measured but what it cost."""
        counted = {metric.name: metric.failure for metric in metrics if metric.name in self.metrics}
        kept = {name: value for name, value in counted.items() if value is not None}
        return replace(self, status=status, reason=reason, metrics={**self.metrics, **kept})

    validation_error = _Measured[float]()
    test_error = _Measured[float]()
    parameters = _Measured[int]()
    flops = _Measured[int]()
    training_seconds = _Measured[float]()
    wall_seconds = _Measured[float]()
    warmup_seconds = _Measured[float]()
    measured_seconds = _Measured[float]()
    batch_seconds = _Measured[float]()
    validation_seconds = _Measured[float]()
    test_seconds = _Measured[float]()
    peak_memory = _Measured[int]()
    evaluation_memory = _Measured[int]()
    images_per_second = _Measured[float]()
    epochs = _Measured[float]()
    steps = _Measured[int]()


def failed(metrics: Iterable[Metric] = TRAINED) -> dict[str, float | int]:
    """What a failure counts as, of those of these metrics that say it."""
    return {metric.name: metric.failure for metric in metrics if metric.failure is not None}


def _shown(name: str, value: float) -> str:
    return METRICS[name].shown(value) if name in METRICS else f"{value:.4g}"
