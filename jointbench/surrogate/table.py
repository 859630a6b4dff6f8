"""A log as arrays for fitting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import LogError
from jointbench.data.evaluation import REFERENCE_CLOCK, Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import TRAINED, VALIDATION_ERROR
from jointbench.data.spaces.arrow import numbers_of
from jointbench.data.spaces.facts import Facts
from jointbench.data.spaces.space import Space
from jointbench.data.table_groups import groups_of
from jointbench.data.task import Task
from jointbench.surrogate.noise import error_scales
from jointbench.surrogate.scales import CostScale, Measures, MetricScale, Scale

#: What is read of a log; not the curves, which make up most of it.
COLUMNS = (
    "configuration",
    "budget",
    "seed",
    "status",
    "validation_error",
    "test_error",
    "training_seconds",
    "wall_seconds",
    "batch_seconds",
    "validation_seconds",
    "test_seconds",
    "clock",
    "peak_memory",
    "device",
    "images_per_second",
    "optimizer",
)

#: What time there is in the log of a training.
_SECONDS = ("training_seconds", "wall_seconds", "batch_seconds", "validation_seconds", "test_seconds")

#: What the errors of a training are called where they are judged.
ERRORS = ("validation", "test")
#: Errors closer than this count as equal in the sparse Kendall tau (NAS-Bench-301's 0.1 %).
SPARSE = 0.001

#: Fewer configurations than these cannot be split into folds worth the name.
FEWEST_CONFIGURATIONS = 20


@dataclass(frozen=True)
class TrainingTable:
    """A log as arrays: raw rows (n, hyperparameters), errors (n, 2: validation, test), the rest (n,).

    `costs` is (n, 4): training seconds, overhead seconds, peak memory in bytes, images per second; memory is missing
    (NaN) of other devices than the most common one, since each measures it in its own way. `group` numbers
    the configurations, so that splits never part the evaluations of one; `together`, where a log says so, numbers what
    they do not part besides.

    Of a task that is no training on images, `measures` says what is modelled: `errors` are then (n, metrics), the
    losses of its metrics, and `costs` (n, costs).
    """

    space: Space
    images: ImageFacts | None
    ladder: Ladder
    rows: FloatArray
    budgets: FloatArray
    errors: FloatArray
    costs: FloatArray
    seed: npt.NDArray[np.int64]
    status: npt.NDArray[np.str_]
    optimizer: npt.NDArray[np.str_]
    group: npt.NDArray[np.int64]
    measures: Measures | None = None
    together: npt.NDArray[np.int64] | None = None

    @property
    def parted(self) -> npt.NDArray[np.int64]:
        """A number (n,) of what splits part: configurations, or larger groups."""
        return self.group if self.together is None else self.together

    @cached_property
    def scales(self) -> tuple[Scale, ...]:
        """Those of the errors."""
        return self.measures.scales if self.measures else error_scales(self.trained_on)

    @property
    def error_names(self) -> tuple[str, ...]:
        """What the columns of `errors` are called where they are judged."""
        return tuple(metric.name for metric in self.measures.metrics) if self.measures else ERRORS

    @property
    def sparse(self) -> float:
        """Errors closer than this count as equal: of those that are no fractions, as small a share of their range."""
        return SPARSE * float(np.ptp(self.errors[self.ok, 0])) if self.measures and self.ok.any() else SPARSE

    @property
    def trained_on(self) -> ImageFacts:
        """Raises LogError where it is about no images."""
        if self.images is None:
            raise LogError("log", "", "one of trainings on images")
        return self.images

    @cached_property
    def ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == Status.OK.value)

    @cached_property
    def facts(self) -> Facts | None:
        """None where the space knows none of its images."""
        return self.space.facts_on(self.images, self.rows)

    @cached_property
    def columns(self) -> dict[str, FloatArray]:
        """The hyperparameters by name, each (n,)."""
        return dict(zip(self.space.names, self.rows.T, strict=True))

    def __len__(self) -> int:
        return len(self.group)

    def ok_by_budget(self) -> Iterator[tuple[float | None, npt.NDArray[np.bool_]]]:
        """Each rung with a mask (n,) of the evaluations there that ended ok; at last None with all that did."""
        for rung in self.ladder.rungs:
            yield rung, self.ok & self.ladder.at(self.budgets, rung)
        yield None, self.ok

    def take(self, chosen: npt.NDArray[Any]) -> "TrainingTable":
        """The rows of a mask or of indices (which may repeat)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), np.ndarray)}
        return replace(self, **{name: array[chosen] for name, array in arrays.items()})


def training_table(log: EvaluationLog) -> TrainingTable:
    """Raises LogError when the log holds too few configurations to fit and judge a surrogate."""
    if not is_training(log.task):
        return metric_table(log)
    table = log.table(COLUMNS)
    rows = rows_of(table, log.space)

    def numbers(name: str) -> FloatArray:
        return np.asarray(table[name].to_numpy(), dtype=np.float64)

    group = groups(rows)
    status = _words(table, "status")
    check_enough(len(np.unique(group[status == Status.OK.value])), log)
    training = numbers("training_seconds")
    overhead = _beside(_words(table, "clock"), {name: numbers(name) for name in _SECONDS})
    memory = np.where(_of_the_most_common(_words(table, "device")), numbers("peak_memory"), np.nan)
    costs = [training, overhead, memory, numbers("images_per_second")]
    return TrainingTable(
        space=log.space,
        images=log.images,
        ladder=log.ladder,
        rows=rows,
        budgets=numbers("budget"),
        errors=np.stack([numbers("validation_error"), numbers("test_error")], axis=1),
        costs=np.stack(costs, axis=1),
        seed=np.asarray(table["seed"].to_numpy(), dtype=np.int64),
        status=status,
        optimizer=_words(table, "optimizer"),
        group=group,
    )


def _beside(clock: npt.NDArray[np.str_], seconds: Mapping[str, FloatArray]) -> FloatArray:
    """Seconds beside those of the budget (n,), of `_SECONDS`. As `Evaluation.duration`: by a reference clock what a
    machine does besides does not count."""
    counted = np.char.startswith(clock, REFERENCE_CLOCK)
    done = seconds["batch_seconds"] + seconds["validation_seconds"] + seconds["test_seconds"]
    return np.where(counted, done, seconds["wall_seconds"] - seconds["training_seconds"])


def _of_the_most_common(devices: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """All processors count as one: what they measure is the growth of the process."""
    kinds = np.where(np.char.find(devices, ", 1 thread") >= 0, "processor", devices)
    names, counts = np.unique(kinds, return_counts=True)
    return np.asarray(kinds == names[counts.argmax()])


def is_training(task: Task) -> bool:
    """Whether it is a training of networks on images as ours are, whose errors are counted and whose costs follow from
    the device; others are modelled metric by metric."""
    trained = task.images is not None and task.metrics[0] == VALIDATION_ERROR and set(TRAINED) <= set(task.metrics)
    return trained and task.space.knows_facts and task.space.all_numbers and "batch_size" in task.space.names


def metric_table(log: EvaluationLog) -> TrainingTable:
    """That of a task of any metrics. Raises LogError as `training_table` does, and where an evaluation that ended ok
    has no value of the objective."""
    task = log.task
    table = log.table(["configuration", "budget", "seed", "status", "optimizer", "clock", "extras", *task.by_name])
    rows, budgets = rows_of(table, log.space), np.asarray(table["budget"].to_numpy(), dtype=np.float64)
    group, status = groups(np.nan_to_num(rows, nan=np.inf)), _words(table, "status")
    ok = status == Status.OK.value
    check_enough(len(np.unique(group[ok])), log)
    values = {name: np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64) for name in task.by_name}
    if not np.isfinite(values[task.objective.name][ok]).all():
        raise LogError(f"{task.objective.name} of an evaluation in {log.path} that ended ok", None, "a finite number")
    known = [m for m in task.metrics if not m.exact and np.isfinite(values[m.name][ok]).all()]
    # What counts even of a failure is a cost, and what counts must be there.
    costs = [m for m in known if m.failure is None and m != task.objective and np.isfinite(values[m.name]).all()]
    metrics = tuple(m for m in known if m not in costs)
    training = task.by_name.get("training_seconds")
    if training in costs and "wall_seconds" in values:
        nothing = np.zeros(len(rows))
        values["wall_seconds"] = _beside(_words(table, "clock"), {name: values.get(name, nothing) for name in _SECONDS})
    seconds = log.ladder.unit == "seconds"
    main = "training_seconds" if training in costs else "wall_seconds"
    scales = [
        CostScale.fit(
            # What is left of the time on the wall is beside the budget.
            replace(m, unit="") if m.name == "wall_seconds" != main else m,
            values[m.name][ok],
            budgets[ok],
            task.space.facts_on(task.images, rows[ok]),
            is_budget=seconds and m.name == main,
        )
        for m in costs
    ]
    return TrainingTable(
        space=task.space,
        images=task.images,
        ladder=task.ladder,
        rows=rows,
        budgets=budgets,
        errors=np.stack([m.losses(values[m.name]) for m in metrics], axis=1),
        costs=np.stack([values[m.name] for m in costs], axis=1) if costs else np.empty((len(rows), 0)),
        seed=np.asarray(table["seed"].to_numpy(), dtype=np.int64),
        status=status,
        optimizer=_words(table, "optimizer"),
        group=group,
        together=groups_of(table["extras"]),
        measures=Measures(metrics, tuple(MetricScale.fit(m, values[m.name][ok]) for m in metrics), tuple(scales)),
    )


def _words(table: pa.Table, name: str) -> npt.NDArray[np.str_]:
    return np.asarray(table[name].to_numpy(zero_copy_only=False).astype(str))


def rows_of(table: pa.Table, space: Space) -> FloatArray:
    """The configurations of a log's table as raw rows (n, hyperparameters)."""
    configurations = table["configuration"].combine_chunks()
    if not space.all_numbers:
        return numbers_of(configurations, space)
    rows = np.stack([configurations.field(name).to_numpy(zero_copy_only=False) for name in space.names], axis=1)
    return rows.astype(np.float64).reshape(len(table), len(space.names))


def check_enough(succeeded: int, log: EvaluationLog) -> None:
    """Raises LogError when so many configurations that ended ok are too few to fit and judge a surrogate."""
    if succeeded < FEWEST_CONFIGURATIONS:
        at = f"(at the budgets {log.ladder})"
        expected = f"at least {FEWEST_CONFIGURATIONS} configurations that ended ok, not {succeeded} {at}"
        raise LogError("log", str(log.path), expected)


def groups(rows: FloatArray) -> npt.NDArray[np.int64]:
    """A number for each different row (n, columns), the same in whatever order the rows come: result (n,).

    Sorting a million rows of numbers takes long; sorting what identifies each takes a moment.
    """
    mixed = np.zeros(len(rows), dtype=np.uint64)
    # Adding 0 makes one of the two zeros.
    for column in np.ascontiguousarray(rows.T + 0.0).view(np.uint64):
        # Multiplied by an odd number near 2^64 / golden ratio (Knuth), and shifted, so that every bit counts.
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    _, first, group = np.unique(mixed, return_index=True, return_inverse=True)
    group = group.reshape(-1).astype(np.int64)
    if not np.array_equal(rows[first][group], rows):
        # Two rows share their mixed bits, as once in ten million logs of a million rows.
        _, group = np.unique(rows, axis=0, return_inverse=True)
    return group.reshape(-1).astype(np.int64)
