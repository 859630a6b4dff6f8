"""What a benchmark of any task answers: its metrics by name; one outcome, or a batch of them in columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Status
from jointbench.data.metrics import METRICS, Metric
from jointbench.data.notebook import SHOWN
from jointbench.data.quantities import counted
from jointbench.surrogate.answer import STATUSES, checked_objectives, html_of_columns, html_of_fields


class _Declared:
    """What an answer's metrics are; no field of it, so that an answer as a dictionary is what was answered alone."""

    __slots__ = ("_declared",)


@dataclass(frozen=True, slots=True)
class MetricAnswer(_Declared):
    """What a benchmark says of a configuration at a budget: `metrics` by name, in their units, as an evaluation has
    them; of a failure what each counts as.

    `failure_probability` is that of ending in any other way than `ok`; `interpolated` marks a budget between two rungs.
    `uncertainty` marks extrapolation: one standard deviation of what is not known of the expected objective, None where
    it is not said. An optimizer can be told an answer as it is. `declared`: the task's metrics by name, in whose units
    a notebook shows them.
    """

    metrics: Mapping[str, float]
    status: Status
    failure_probability: float
    interpolated: bool
    uncertainty: float | None = None
    declared: InitVar[Mapping[str, Metric] | None] = None

    def __post_init__(self, declared: Mapping[str, Metric] | None) -> None:
        object.__setattr__(self, "_declared", declared)

    @property
    def ok(self) -> bool:
        return self.status is Status.OK

    @property
    def duration(self) -> float:
        """Seconds that the evaluation occupies a worker, as `Evaluation.duration`; 0 where no clock is known."""
        return self.metrics.get("wall_seconds", 0.0)

    def objectives(self, *names: str) -> tuple[float, ...]:
        """What is minimised, in the order of the names, of the metrics and `failure_probability`: what is maximised has
        the other sign. Raises UnknownNameError for another name, and for none at all, InputError
        where the answer was pickled and no longer knows which are."""
        return tuple(_minimised(self.metrics, self.failure_probability, getattr(self, "_declared", None), names))

    def _repr_html_(self) -> str:
        beside = {name: getattr(self, name) for name in ("failure_probability", "interpolated", "uncertainty")}
        # What was pickled is its fields alone.
        units = _units(self.metrics, getattr(self, "_declared", None))
        return html_of_fields({**self.metrics, "status": self.status.value, **beside}, units)


def _units(metrics: Mapping[str, Any], declared: Mapping[str, Metric] | None) -> dict[str, Metric]:
    """What the metrics of answers are, by name, and in which unit something is not known of the first, the objective.
    Where nothing is declared, names mean what they mean everywhere."""
    known = {name: (declared or METRICS).get(name, METRICS.get(name, Metric(name))) for name in metrics}
    return {**known, "uncertainty": next(iter(known.values()))}


def _minimised(
    metrics: Mapping[str, Any], failing: Any, declared: Mapping[str, Metric] | None, names: Sequence[str]
) -> list[Any]:
    values, units = {**metrics, "failure_probability": failing}, _units(metrics, declared)
    found = []
    for name in checked_objectives(names, values):
        if name in metrics and declared is None and name not in METRICS:
            # What was pickled does not know its task.
            expected = f"an answer as the benchmark gave it, or benchmark.minimised(answer, {name!r})"
            raise InputError("answer", f"one that does not say whether {name} is maximised", expected)
        found.append(-values[name] if name in metrics and units[name].maximize else values[name])
    return found


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MetricAnswers(Sequence[MetricAnswer]):
    """A batch: the fields of `MetricAnswer` as arrays (n,); `status` numbers `STATUSES`. Its items are answers.
    `declared` as they are given it."""

    metrics: Mapping[str, FloatArray]
    status: npt.NDArray[np.int64]
    failure_probability: FloatArray
    interpolated: npt.NDArray[np.bool_]
    uncertainty: FloatArray | None = None
    declared: Mapping[str, Metric] | None = None

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == STATUSES.index(Status.OK))

    def objectives(self, *names: str) -> FloatArray:
        """What is minimised (n, names), as `MetricAnswer.objectives` has it."""
        found = _minimised(self.metrics, self.failure_probability, self.declared, names)
        return np.stack([np.asarray(column, dtype=np.float64) for column in found], axis=1)

    def columns(self) -> dict[str, Any]:
        """The fields as columns of a table, a metric each, `status` in words."""
        doubt = {} if self.uncertainty is None else {"uncertainty": self.uncertainty}
        return {
            **self.metrics,
            "status": [STATUSES[number].value for number in self.status.tolist()],
            "failure_probability": self.failure_probability,
            "interpolated": self.interpolated,
            **doubt,
        }

    def __repr__(self) -> str:
        if not len(self):
            return "<0 answers>"
        name, values = next(iter(self.metrics.items()))
        metric = _units(self.metrics, self.declared)[name]
        return (
            f"<{counted(len(self), 'answer')}, {self.ok.sum():,} of them ok, "
            f"{metric.labels} {metric.shown(values.min())} to {metric.shown(values.max())}>"
        )

    def _repr_html_(self) -> str:
        units = _units(self.metrics, self.declared)
        return html_of_columns(repr(self).strip("<>"), self[:SHOWN].columns(), units)

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return next(iter(self[index : index + 1 or None]))
        return MetricAnswers(
            {name: column[index] for name, column in self.metrics.items()},
            self.status[index],
            self.failure_probability[index],
            self.interpolated[index],
            None if self.uncertainty is None else self.uncertainty[index],
            self.declared,
        )

    def __iter__(self) -> Iterator[MetricAnswer]:
        names, n = list(self.metrics), len(self)
        columns = [column.tolist() for column in self.metrics.values()]
        others = zip(
            self.status.tolist(),
            self.failure_probability.tolist(),
            self.interpolated.tolist(),
            [None] * n if self.uncertainty is None else self.uncertainty.tolist(),
            strict=True,
        )
        for k, (status, failing, between, doubt) in enumerate(others):
            metrics = {name: column[k] for name, column in zip(names, columns, strict=True)}
            yield MetricAnswer(metrics, STATUSES[status], failing, between, doubt, self.declared)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]
