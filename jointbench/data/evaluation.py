"""The outcome of one evaluation: the trainer's only output and the surrogate's only input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from jointbench.data.notebook import html_table

#: Hyperparameter name to value, in the space's order.
Configuration = Mapping[str, float | int]


class ReadOnlyConfiguration(dict[str, float | int]):
    """A configuration that has been checked and that nobody changes any more, so that whoever holds it may share it.

    A dict otherwise: `dict(configuration)` is a copy that can be changed.
    """

    __slots__ = ()

    def _refuse(self, *arguments: object, **keywords: object) -> NoReturn:
        raise TypeError("what was evaluated cannot be changed; dict(configuration) is a copy that can")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[type["ReadOnlyConfiguration"], tuple[dict[str, float | int]]]:
        # As dicts are pickled it would be filled item by item.
        return ReadOnlyConfiguration, (dict(self),)


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

#: What a failure counts as wherever errors are compared. Guessing would not rank last: a network that learned nothing
#: can be worse than that.
FAILURE_ERROR = 1.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Learning curve: one entry a validation pass, in order; empty where none was made.

    `seconds` counts the budgeted part alone; `training_loss` is the mean since the previous entry;
    `validation_error` is a fraction on clean images.
    """

    seconds: tuple[float, ...] = ()
    epochs: tuple[float, ...] = ()
    training_loss: tuple[float, ...] = ()
    validation_error: tuple[float, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One outcome, immutable; one row of the log's schema.

    Errors are fractions of misclassified images after the last step (not the best seen). A failure carries
    FAILURE_ERROR, so that it ranks last; its `status` tells it apart and `reason` says why. A validation error that
    was measured before the failure (of the test) is kept.

    Units: `budget` in the ladder's unit; `training_seconds` is the budgeted part (forward, backward, step) as the
    run's clock counts it, `measured_seconds` what that part took on `provenance.device`; `wall_seconds` everything
    from start to end, `warmup_seconds` of them what was paid once before the clock started (kernel search,
    compilation, calibration). Beside the budget, in CPU seconds on a processor: `batch_seconds` for making batches,
    `validation_seconds` and `test_seconds`. `peak_memory` in bytes is that of training, `evaluation_memory` that of
    validating and testing; `flops` are those of one image's forward pass; `finished_at` in seconds since 1970.
    `trial` is the position in its run, -1 outside a run.
    `key` is the same whenever the same trial of the same run is finished twice, and otherwise unique.
    """

    space: str
    configuration: Configuration
    budget: float
    seed: int
    status: Status
    validation_error: float
    test_error: float
    parameters: int = 0
    flops: int = 0
    training_seconds: float = 0.0
    wall_seconds: float = 0.0
    warmup_seconds: float = 0.0
    measured_seconds: float = 0.0
    batch_seconds: float = 0.0
    validation_seconds: float = 0.0
    test_seconds: float = 0.0
    peak_memory: int = 0
    evaluation_memory: int = 0
    images_per_second: float = 0.0
    epochs: float = 0.0
    steps: int = 0
    reason: str = ""
    trial: int = -1
    key: str = ""
    finished_at: float = 0.0
    curve: Curve = field(default_factory=Curve)
    provenance: Provenance = field(default_factory=Provenance)

    def _repr_html_(self) -> str:
        rows = [
            ("status", f"{self.status}{f': {self.reason}' if self.reason else ''}"),
            ("budget", f"{self.budget:g}"),
            ("seed", self.seed),
            ("validation error", f"{self.validation_error:.2%}"),
            ("test error", f"{self.test_error:.2%}"),
            ("training seconds", f"{self.training_seconds:.3g}"),
            ("wall seconds", f"{self.wall_seconds:.3g}"),
            ("parameters", f"{self.parameters:,}"),
            *((name, f"{value:g}") for name, value in self.configuration.items()),
        ]
        return html_table(f"evaluation in the space '{self.space}'", rows)

    @property
    def ok(self) -> bool:
        return self.status is Status.OK

    @property
    def compared(self) -> tuple[float, float]:
        """Validation and test error wherever errors are compared: FAILURE_ERROR for both after any failure."""
        return (self.validation_error, self.test_error) if self.ok else (FAILURE_ERROR, FAILURE_ERROR)

    @property
    def duration(self) -> float:
        """Seconds that it occupies a worker: on the wall, or where a reference clock counts them, which does not care
        what else a machine does, that clock's and what was done beside the budget."""
        if not self.provenance.clock.startswith(REFERENCE_CLOCK):
            return self.wall_seconds
        return self.training_seconds + self.batch_seconds + self.validation_seconds + self.test_seconds
