"""What a benchmark answers: one outcome, or a batch of them in columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Status
from jointbench.data.listed_names import listed_names
from jointbench.data.metrics import METRICS, VALIDATION_ERROR, Metric
from jointbench.data.notebook import SHOWN, html_table
from jointbench.data.quantities import counted

#: In the order of `Answers.status`.
STATUSES = tuple(Status)

#: Fields of an answer that an optimizer can search for: all its metrics, and how likely it fails.
OBJECTIVES = (
    *("validation_error", "test_error", "training_seconds", "wall_seconds", "peak_memory"),
    *("parameters", "flops", "epochs", "images_per_second", "failure_probability"),
)
#: Those of them of which more is better.
_MAXIMISED = frozenset(name for name in OBJECTIVES if name in METRICS and METRICS[name].maximize)


def checked_objectives(names: Sequence[str], known: Iterable[str] = OBJECTIVES) -> tuple[str, ...]:
    """The names as they are. Raises UnknownNameError for one that is not `known`, or for none at all, InputError for
    what is no list of names."""
    names = listed_names("objectives", names)
    if not names:
        raise UnknownNameError("objective", (), f"at least one of {', '.join(sorted(known))}")
    for name in names:
        if name not in known:
            by_arithmetic = name in METRICS and METRICS[name].exact
            hint = f", or benchmark.minimised(answer, {name!r}, of=configuration)" if by_arithmetic else ""
            raise UnknownNameError.of("objective", name, known, hint)
    return names


@dataclass(frozen=True, slots=True)
class Answer:
    """What a benchmark says of a configuration at a budget.

    Errors are fractions, seconds are seconds, `peak_memory` is in bytes, `flops` are those of one image's forward
    pass. `parameters` and `flops` are exact. `failure_probability` is that of ending in any other way than `ok`.
    `interpolated` marks a budget between two rungs. A failed answer carries the error of guessing, where an evaluation
    of the same has 1. An optimizer can be told an answer as it is.
    `uncertainty` marks extrapolation: one standard deviation (a fraction) of what is not known of the expected
    validation error, small near what was trained and large far from it; None in benchmarks of format 3.
    """

    validation_error: float
    test_error: float
    training_seconds: float
    wall_seconds: float
    status: Status
    epochs: float
    images_per_second: float
    peak_memory: float
    parameters: int
    flops: int
    failure_probability: float
    interpolated: bool
    uncertainty: float | None = None

    @property
    def ok(self) -> bool:
        return self.status is Status.OK

    @property
    def metrics(self) -> dict[str, float | int]:
        """As `Evaluation.metrics`, as far as a benchmark says them."""
        return {
            "validation_error": self.validation_error,
            "test_error": self.test_error,
            "parameters": self.parameters,
            "flops": self.flops,
            "training_seconds": self.training_seconds,
            "wall_seconds": self.wall_seconds,
            "peak_memory": int(self.peak_memory),
            "images_per_second": self.images_per_second,
            "epochs": self.epochs,
        }

    @property
    def duration(self) -> float:
        """Seconds that the training occupies a worker, as `Evaluation.duration`."""
        return self.wall_seconds

    def objectives(self, *names: str) -> tuple[float, ...]:
        """What is minimised, in the order of the names: `epochs` and `images_per_second`, which are maximised, have the
        other sign. Raises UnknownNameError for a name not in `OBJECTIVES`, and for none at all."""
        found = [(name, getattr(self, name)) for name in checked_objectives(names)]
        return tuple([-value if name in _MAXIMISED else value for name, value in found])

    def _repr_html_(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return html_of_fields(values, _METRICS)


#: By the names of an answer's fields; what is not known of an error is one of it.
_METRICS = {**METRICS, "uncertainty": VALIDATION_ERROR}


def html_of_fields(values: Mapping[str, Any], metrics: Mapping[str, Metric]) -> str:
    """One answer in a notebook, each value in the unit of the metric of its name, where it is one."""
    cells = {name: _shown(name, value, metrics) for name, value in values.items() if value is not None}
    return html_table("answer", [(name.replace("_", " "), cell) for name, cell in cells.items()])


def html_of_columns(title: str, columns: Mapping[str, Any], metrics: Mapping[str, Metric]) -> str:
    """A batch in a notebook, as `html_of_fields` shows one."""
    cells = [
        [_shown(name, value, metrics) for value in getattr(column, "tolist", column.copy)()]
        for name, column in columns.items()
    ]
    return html_table(title, list(zip(*cells, strict=True)), [name.replace("_", " ") for name in columns])


def _shown(name: str, value: Any, metrics: Mapping[str, Metric]) -> str:
    if name in metrics:
        return metrics[name].shown(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Answers(Sequence[Answer]):
    """A batch: the fields of `Answer` as arrays (n,); `status` numbers `STATUSES`. Its items are `Answer`s."""

    validation_error: FloatArray
    test_error: FloatArray
    training_seconds: FloatArray
    wall_seconds: FloatArray
    status: npt.NDArray[np.int64]
    epochs: FloatArray
    images_per_second: FloatArray
    peak_memory: FloatArray
    parameters: npt.NDArray[np.int64]
    flops: npt.NDArray[np.int64]
    failure_probability: FloatArray
    interpolated: npt.NDArray[np.bool_]
    uncertainty: FloatArray | None = None

    def objectives(self, *names: str) -> FloatArray:
        """What is minimised (n, names), as `Answer.objectives` has it."""
        found = [(name, np.asarray(getattr(self, name), dtype=np.float64)) for name in checked_objectives(names)]
        return np.stack([-column if name in _MAXIMISED else column for name, column in found], axis=1)

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == STATUSES.index(Status.OK))

    def columns(self) -> dict[str, Any]:
        """The fields as columns of a table, `status` in words."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        words = [STATUSES[number].value for number in self.status.tolist()]
        return {name: column for name, column in (found | {"status": words}).items() if column is not None}

    def __repr__(self) -> str:
        if not len(self):
            return "<0 answers>"
        low, high = self.validation_error.min(), self.validation_error.max()
        return (
            f"<{counted(len(self), 'answer')}, {self.ok.sum():,} of them ok, validation errors {low:.2%} to {high:.2%}>"
        )

    def _repr_html_(self) -> str:
        return html_of_columns(repr(self).strip("<>"), self[:SHOWN].columns(), _METRICS)

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, index: Any) -> Any:
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {name: column[index] for name, column in columns.items() if column is not None}
        if isinstance(index, slice):
            return Answers(**values)
        plain = {name: value.item() for name, value in values.items()}
        return Answer(**{**plain, "status": STATUSES[plain["status"]]})

    def __iter__(self) -> Iterator[Answer]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        columns: dict[str, list[Any]] = {
            name: [None] * len(self) if of is None else of.tolist() for name, of in found.items()
        }
        columns["status"] = [STATUSES[number] for number in columns["status"]]
        return (Answer(*values) for values in zip(*columns.values(), strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]
