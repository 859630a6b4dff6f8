"""From the columns of a table to evaluations of a task, row by row; what a row has wrong, by row and column."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jointbench.data.errors import ConfigurationError, InputError
from jointbench.data.evaluation import Configuration, Evaluation, Provenance, ReadOnlyConfiguration, Status
from jointbench.data.importing.cells import ending, is_nothing, number, reader
from jointbench.data.importing.columns import Columns
from jointbench.data.importing.named_metrics import MetricColumn, metric_cells, settled
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.metrics import METRICS, Metric
from jointbench.data.numbers import checked_seed
from jointbench.data.option_words import option
from jointbench.data.spaces.hyperparameters import Choice
from jointbench.data.spaces.space import Space
from jointbench.data.table_groups import GROUP
from jointbench.data.task import Task

#: Budgets that a benchmark can have.
_LEAST, _LARGEST = 1e-9, 1e12
#: So many different budgets are rungs each; of more, some are rungs, and evaluations lie anywhere between.
MOST_LEVELS = 12
#: About how far apart rungs are then.
_ETA = 3.0


@dataclass(frozen=True)
class Roles:
    """Which columns are what. `when_true`: what the status is where its column, of truth values, is true."""

    budget: str
    metrics: Sequence[MetricColumn]
    seed: str | None = None
    status: str | None = None
    when_true: Status | None = None
    group: str | None = None

    @property
    def columns(self) -> set[str]:
        named = (self.budget, self.seed, self.status, self.group, *(one.column for one in self.metrics))
        return {column for column in named if column is not None}

    def check(self, hyperparameters: Sequence[str]) -> None:
        """That nothing is two things of which one would foretell the other. Raises InputError."""
        if self.metrics[0].column == self.budget:
            raise InputError("metrics", self.budget, "an objective that is not the column of budgets")
        # No hyperparameter is called None, which stands for a column that there is not.
        taken: dict[str | None, str] = {one.column: f"of the metric {one.metric.name}" for one in self.metrics}
        taken |= {self.budget: "of budgets", self.status: "of the status", self.seed: "of seeds"}
        for name in hyperparameters:
            if name in taken:
                raise InputError("hyperparameters", name, f"a column that is not that {taken[name]}")
            if hyperparameters.count(name) > 1:
                raise InputError("hyperparameters", name, "each column once")


@dataclass
class Read:
    """What the rows of a table say: evaluations of `task`, and those `left_out`, with what is wrong with them."""

    task: Task
    evaluations: list[Evaluation]
    left_out: list[InputError] = field(default_factory=list)


@dataclass(frozen=True)
class _Row:
    configuration: Configuration
    budget: float
    seed: int | None
    status: Status
    metrics: dict[str, float | int]
    group: str | None
    number: int


def read_rows(columns: Columns, space: Space, roles: Roles, unit: str, skip: int) -> Read:
    """The evaluations of a table, and at most `skip` rows left out.

    Raises UnknownNameError for a column that is not there, and InputError for the first row that is wrong where there
    are more than `skip`: its number (from 1, after the names), the column, the value and what was expected.
    """
    parse = _parser(columns, space, roles)
    rows: list[_Row] = []
    wrong: list[InputError] = []
    for place in range(len(columns)):
        try:
            if place in columns.broken:
                raise columns.broken[place]
            rows.append(parse(place))
        except InputError as error:
            wrong.append(error)
    rows, twice = _with_seeds(rows, columns)
    wrong = sorted([*wrong, *twice], key=_row_of)
    check_few(wrong, skip)
    if not rows:
        raise InputError("table", columns.source, f"a row that can be used; none of its {len(columns):,} can")
    if not any(row.status is Status.OK for row in rows):
        raise InputError("table", columns.source, "an evaluation that ended ok")
    return Read(*_evaluations(rows, space, roles, unit, columns.digest), wrong)


def check_few(wrong: Sequence[InputError], skip: int) -> None:
    """Raises the first of the rows that are wrong, and says how many there are, where they are more than `skip`."""
    if len(wrong) <= skip:
        return
    more = len(wrong) - 1
    also = f" ({more:,} more {'rows are' if more > 1 else 'row is'} wrong" if more else " ("
    hint = f"{also}{'; ' if more else ''}{option('skip_bad_rows', len(wrong))} leaves {'them' if more else 'it'} out)"
    raise InputError(wrong[0].field, wrong[0].value, wrong[0].expected + hint)


def check_named(columns: Columns, roles: Roles) -> None:
    """Raises UnknownNameError for a column that is to play a role and is not there."""
    columns.column(roles.budget, "budget")
    for one in roles.metrics:
        metric_cells(one, columns)
    for name, role in ((roles.seed, "seed column"), (roles.status, "status column"), (roles.group, "group")):
        if name is not None:
            columns.column(name, role)


def _row_of(error: InputError) -> int:
    return int(error.field.split()[1].rstrip(","))


def _parser(columns: Columns, space: Space, roles: Roles) -> Callable[[int], _Row]:
    """What reads the row of a number (from 0). Raises InputError."""
    budgets = columns.column(roles.budget, "budget")
    metrics = [(one.metric, one.column, metric_cells(one, columns)) for one in roles.metrics]
    seeds = None if roles.seed is None else columns.column(roles.seed, "seed column")
    statuses = None if roles.status is None else columns.column(roles.status, "status column")
    groups = None if roles.group is None else columns.column(roles.group, "group")
    readers = [(h.name, reader(h), _column_of(h, columns, space)) for h in space.hyperparameters]
    objective = roles.metrics[0].metric

    def parse(place: int) -> _Row:
        def wrong(column: str | None, value: object, expected: str) -> InputError:
            return InputError(f"row {place + 1} of {columns.source}, column {column}", value, expected)

        given = {name: read(cells[place]) for name, read, cells in readers if cells is not None}
        fixed = {name: space.by_name[name].value(0) for name, _, cells in readers if cells is None}
        try:
            configuration = space.check({**given, **fixed})
        except ConfigurationError as error:
            raise wrong(error.field, error.value, error.expected) from None
        budget = number(budgets[place])
        if budget is None or not _LEAST <= budget <= _LARGEST:
            raise wrong(roles.budget, budgets[place], f"a number from {_LEAST:g} to {_LARGEST:g}")
        status = Status.OK
        if statuses is not None:
            said = ending(statuses[place], roles.when_true)
            if said is None:
                words = "true or false" if roles.when_true else f"one of {', '.join(Status)}"
                raise wrong(roles.status, statuses[place], words)
            status = said
        values: dict[str, float | int] = {}
        for metric, column, cells in metrics:
            value = _value(metric, cells[place])
            if value is not None:
                values[metric.name] = value
            elif status is Status.OK and (
                not is_nothing(cells[place]) or metric == objective or metric.name in METRICS
            ):
                raise wrong(column, cells[place], metric.range)
        seed = None
        if seeds is not None:
            try:
                seed = checked_seed("seed", number(seeds[place]))
            except InputError as error:
                raise wrong(roles.seed, seeds[place], error.expected) from None
        group = None
        if groups is not None:
            if is_nothing(groups[place]):
                raise wrong(roles.group, groups[place], "a value that names its group")
            group = str(groups[place])
        return _Row(ReadOnlyConfiguration(configuration), float(budget), seed, status, values, group, place)

    return parse


def _column_of(h: Any, columns: Columns, space: Space) -> list[Any] | None:
    """Of a constant there need be no column."""
    if h.name not in columns.cells and isinstance(h, Choice) and h.constant and h.name not in space.conditions:
        return None
    return columns.column(h.name, "hyperparameters of the space")


def _value(metric: Metric, cell: Any) -> float | int | None:
    found = number(cell)
    low, high = metric.bounds
    if found is None or not low <= found <= high or (metric.whole and found != int(found)):
        return None
    try:
        return int(found) if metric.whole else float(found)
    except OverflowError:
        return None


def _with_seeds(rows: Sequence[_Row], columns: Columns) -> tuple[list[_Row], list[InputError]]:
    """The rows, each with a seed: where no column says one, those of one configuration and budget are numbered. One
    that stands there already is wrong."""
    kept: list[_Row] = []
    twice: list[InputError] = []
    seen: dict[Any, int] = {}
    counted: Counter[Any] = Counter()
    for row in rows:
        same = tuple(row.configuration.items()), row.budget
        if row.seed is None:
            kept.append(replace(row, seed=counted[same]))
            counted[same] += 1
        elif (first := seen.setdefault((same, row.seed), row.number)) != row.number:
            expected = f"another than row {first + 1} has, of the same configuration and budget"
            twice.append(InputError(f"row {row.number + 1} of {columns.source}, seed", row.seed, expected))
        else:
            kept.append(row)
    return kept, twice


def _evaluations(
    rows: Sequence[_Row], space: Space, roles: Roles, unit: str, digest: str
) -> tuple[Task, list[Evaluation]]:
    ladder = ladder_of([row.budget for row in rows], unit)
    ok = [row for row in rows if row.status is Status.OK]
    metrics = tuple(
        settled(one, [float(row.metrics[one.metric.name]) for row in ok if one.metric.name in row.metrics])
        for one in roles.metrics
    )
    task = Task(space, ladder, None, metrics)
    made = [
        Evaluation(
            space.name,
            row.configuration,
            row.budget if ladder.continuous else ladder.rungs[ladder.rung_of(row.budget)],
            row.seed or 0,
            row.status,
            row.metrics if row.status is Status.OK else _failed(row.metrics, metrics),
            # The same table gives the same keys, so that it counts once however often it is merged.
            key=f"{digest[:24]}-{row.number:09d}",
            provenance=Provenance(run="import"),
            extras={} if row.group is None else {GROUP: _numbered(row.group)},
        )
        for row in rows
    ]
    return task, made


def _failed(measured: Mapping[str, float | int], metrics: Sequence[Metric]) -> dict[str, float | int]:
    return {**measured, **{metric.name: metric.failure for metric in metrics if metric.failure is not None}}


def _numbered(group: str) -> int:
    """Its name as a whole number of 48 bits, which a float holds, the same in every table."""
    return int.from_bytes(hashlib.sha256(group.encode(errors="backslashreplace")).digest()[:6], "big")


def ladder_of(budgets: Sequence[float], unit: str) -> Ladder:
    """The ladder of evaluations at these budgets: rungs at each where they are few or a constant factor apart; else it
    is continuous, and its rungs are budgets among them, about a factor of 3 apart."""
    levels: list[float] = []
    for budget in sorted(set(budgets)):
        if not levels or budget > levels[-1] * (1 + SAME_RUNG):
            levels.append(budget)
    try:
        return Ladder.of_rungs(levels, unit)
    except InputError:
        if len(levels) <= MOST_LEVELS:
            return Ladder.of_levels(levels, unit)
    steps = max(1, round(math.log(levels[-1] / levels[0]) / math.log(_ETA)))
    wanted = [levels[0] * (levels[-1] / levels[0]) ** (step / steps) for step in range(steps + 1)]
    logs = np.log(levels)
    chosen = {levels[int(np.abs(logs - math.log(one)).argmin())] for one in wanted}
    return Ladder.of_levels(sorted(chosen), unit, continuous=True)
