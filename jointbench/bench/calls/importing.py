"""`jointbench.import_table`: a table that others made as a log, and what it gives."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jointbench.bench.calls.collecting import Collection
from jointbench.bench.calls.given import the_path, whole
from jointbench.bench.calls.result import ResultTable
from jointbench.data.errors import InputError, LogError, UnwritableError
from jointbench.data.evaluation import Status
from jointbench.data.importing.columns import Columns, read_columns
from jointbench.data.importing.inferred import inferred_space
from jointbench.data.importing.named_metrics import metric_columns
from jointbench.data.importing.rows import Read, Roles, check_few, check_named, read_rows
from jointbench.data.json_text import read_json
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.data.option_words import option
from jointbench.data.parts import as_parquet, new_part
from jointbench.data.schema import to_table
from jointbench.data.spaces.registry import SPACES
from jointbench.data.spaces.space import Space
from jointbench.surrogate.whole_folder import check_replaceable, write_folder

#: The space of an imported log, beside its evaluations, for a person to read and change.
SPACE_FILE = "space.json"


class Imported(Collection):
    """The log of a table's evaluations. `inferred`: whether its space was; `notes`: what was taken for granted;
    `left_out`: the rows that were, and why."""

    def __init__(
        self, log: EvaluationLog, left_out: Sequence[InputError], notes: Sequence[str], inferred: bool
    ) -> None:
        super().__init__(log)
        self.left_out, self.notes, self.inferred = list(left_out), list(notes), inferred

    def tables(self) -> dict[str, ResultTable]:
        return {**super().tables(), "space": space_table(self.log.space)}

    def __repr__(self) -> str:
        return f"<imported into {self.log!r}>"


def space_table(space: Space) -> ResultTable:
    """The hyperparameters of a space, in words."""
    headings = ("hyperparameter", "range", "scale", "active where")
    rows = [
        (h.name, h.range, "log" if h.log else "", str(space.conditions.get(h.name, ""))) for h in space.hyperparameters
    ]
    return ResultTable(f"space '{space.name}'", headings, rows, headings)


def import_table(
    table: Any,
    out: str | Path,
    *,
    budget: str,
    metrics: str | Mapping[str | Metric, str],
    space: str | Path | Mapping[str, Any] | Space | None = None,
    hyperparameters: Sequence[str] | None = None,
    unit: str | None = None,
    seed_column: str | None = None,
    status_column: str | None = None,
    group: str | None = None,
    skip_bad_rows: int = 0,
    force: bool = False,
) -> Imported:
    """What `jointbench import` does: a table, a row an evaluation, as the log `out`, which is written whole or not.

    `table`: a CSV or Parquet file, or a frame (pandas, Polars, Arrow). `budget`: its column of budgets, counted in
    `unit`, by default the column's name. `metrics`: words such as "validation_error=val_err,accuracy=acc:max", or a
    mapping of names (or Metric objects) to columns, the objective first. `space`: a Space, its name, ConfigSpace's JSON
    as a mapping, or a file of it; without one it is inferred from the columns `hyperparameters`, by default all that
    are nothing else. `seed_column`: without one, evaluations of one configuration and budget are numbered.
    `status_column`: a column of `Status`'s words, or "COLUMN=STATUS" of one that is true where an evaluation ended so.
    `group`: a column whose equal values no judging parts. `skip_bad_rows`: so many rows may be left out.

    Raises InputError for what is no table, and for the first row that is wrong, with its number, column, value and what
    was expected; WouldOverwriteError, UnwritableError.
    """
    target, skipped = the_path("out", out), whole("skip bad rows", skip_bad_rows, 0)
    check_replaceable(target, force=force, ours=_is_log, what="log")
    columns = read_columns(the_path("table", table) if isinstance(table, (str, Path)) else table)
    others = {"seed_column": seed_column, "status_column": status_column, "group": group}
    _check_names(budget=budget, **{name: given for name, given in others.items() if given is not None})
    named, when_true = _status(status_column)
    roles = Roles(budget, metric_columns(metrics), seed_column, named, when_true, group)
    name = _space_name(table)
    if space is not None and hyperparameters is not None:
        raise InputError("hyperparameters", hyperparameters, "none, or no space, which names them")
    check_named(columns, roles)
    notes: list[str] = []
    found: Space
    if space is None:
        chosen = _of_hyperparameters(columns, roles, hyperparameters)
        try:
            found, constant = inferred_space(name, chosen)
        except InputError:
            # Of the rows that are left nothing can be inferred; what is wrong with the others comes first.
            check_few(list(columns.broken.values()), skipped)
            raise
        if constant:
            why = "its cells never differ" if len(constant) == 1 else "their cells never differ"
            notes.append(f"no hyperparameter, since {why}: {', '.join(constant)}")
        if hyperparameters is None:
            # A person who has named the hyperparameters knows what they are.
            notes += [
                f"{column} is taken for a hyperparameter; {option(word, column)} if it is none"
                for column in found.names
                if (word := _SOUNDS.get(column.lower()))
            ]
    else:
        found = _the_space(space, name)
        roles.check(found.names)
    read = read_rows(columns, found, roles, unit or _unit(budget), skipped)
    files = {new_part(target, 0).name: _content(read), SPACE_FILE: _json(found)}
    write_folder(target, files, force=force, ours=_is_log, what="log")
    return Imported(EvaluationLog.open(target), read.left_out, notes, space is None)


#: What columns called so are in most tables, and the parameter that says it.
_SOUNDS = {
    **dict.fromkeys(("seed", "random_seed", "random_state"), "seed_column"),
    **dict.fromkeys(("status", "state"), "status_column"),
    **dict.fromkeys(("id", "config_id", "run", "run_id", "trial", "trial_id", "unnamed: 0"), "group"),
}


def _is_log(folder: Path) -> bool:
    try:
        EvaluationLog.open(folder)
    except (LogError, UnwritableError):
        return False
    return True


def _check_names(**named: object) -> None:
    """Raises InputError for what is no name of a column, with the parameter that it was given for."""
    for parameter, given in named.items():
        if not isinstance(given, str):
            raise InputError(parameter.replace("_", " "), given, "the name of a column")


def _status(given: str | None) -> tuple[str | None, Status | None]:
    """A column, and what its truth means: of `diverged`, and of `epoch_diverged=diverged`."""
    if given is None:
        return None, None
    column, equals, word = given.rpartition("=")
    if not equals:
        return given, None
    if word not in list(Status) or word == Status.OK:
        raise InputError("status column", given, f"COLUMN, or COLUMN=STATUS, one of {', '.join(list(Status)[1:])}")
    return column, Status(word)


def _of_hyperparameters(columns: Columns, roles: Roles, chosen: Sequence[str] | None) -> dict[str, list[Any]]:
    try:
        names = [name for name in columns.cells if name not in roles.columns] if chosen is None else list(chosen)
    except TypeError:
        names = []
    if isinstance(chosen, str) or not names:
        raise InputError("hyperparameters", chosen, "some columns of the table")
    for name in names:
        _check_names(hyperparameters=name)
    roles.check(names)
    kept = [place for place in range(len(columns)) if place not in columns.broken]
    found = {name: columns.column(name, "hyperparameters") for name in names}
    return {name: [cells[place] for place in kept] for name, cells in found.items()} if columns.broken else found


def _the_space(given: str | Path | Mapping[str, Any] | Space, name: str) -> Space:
    if isinstance(given, Space):
        return given
    if isinstance(given, str) and given in SPACES:
        return SPACES[given]
    described: Any = given
    if isinstance(given, (str, Path)):
        path = the_path("space", given)
        try:
            described = read_json(path.read_bytes(), f"space {path}")
        except OSError as error:
            expected = (
                f"a space that is known ({', '.join(SPACES)}), or a file of ConfigSpace's JSON ({error.strerror})"
            )
            raise InputError("space", str(path), expected) from None
    made = Space.from_configspace(described)
    return Space.from_configspace(described, name=name) if made.name == "space" else made


def _space_name(table: Any) -> str:
    return Path(table).stem if isinstance(table, (str, Path)) else "table"


def _unit(column: str) -> str:
    """A unit that is called as the column is."""
    words = re.sub(r"[^a-z0-9_ ]+", " ", column.lower()).strip(" _0123456789")
    known = {"epoch": "epochs", "step": "steps", "iteration": "iterations", "time": "seconds", "s": "seconds"}
    return known.get(words, words) or "units"


def _content(read: Read) -> bytes:
    import pyarrow as pa

    try:
        return as_parquet(to_table(read.evaluations, read.task))
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        raise InputError("table", read.task.space.name, f"numbers of 64 bits, and text ({error})") from None


def _json(space: Space) -> bytes:
    return (json.dumps(space.as_dict(), indent=1) + "\n").encode()
