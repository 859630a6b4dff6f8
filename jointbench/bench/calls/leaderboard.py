"""`jointbench.leaderboard`: a board of optimizers whose runs were made again before they came there."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import jointbench
from jointbench.bench.calls.comparing_tasks import scale_of
from jointbench.bench.calls.progress import Hear, Stage, heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.calls.without_main import without_main
from jointbench.bench.comparing.across_tasks import Scale, write_tasks
from jointbench.bench.comparing.comparison_folder import Settings, run_file
from jointbench.bench.comparing.comparison_start import start
from jointbench.bench.comparing.leaderboard_folder import (
    ENTRIES,
    Entry,
    Rules,
    Verified,
    checked_name,
    entry_folder,
    entry_runs,
    read_entries,
    task_folder,
    task_settings,
)
from jointbench.bench.comparing.leaderboard_runs import SPENT, LeaderboardRuns
from jointbench.bench.comparing.made_again import check_readable, first_difference, make_again, picked
from jointbench.bench.comparing.run_table import read_run
from jointbench.bench.comparing.simulated_objective import answering
from jointbench.bench.comparing.submission import (
    Submitted,
    check_rules,
    check_seeds,
    check_settings,
    own_name_in,
    read_submission,
)
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.leaderboard_page import (
    HEADINGS,
    TASK_HEADINGS,
    VERSIONS,
    command_of,
    final_value,
    leaderboard_page,
    optimizer_here,
    standing_rows,
    task_cells,
    version_cells,
)
from jointbench.bench.pages.page import write_page
from jointbench.bench.pages.tasks_page import rank_figure, regret_figure
from jointbench.bench.running.run_code import library_versions, optimizer_code, simulation_code
from jointbench.data.errors import InputError, UnknownNameError, UnwritableError, WouldOverwriteError
from jointbench.data.files import check_writable, make_folder, write_whole
from jointbench.data.frames import frame
from jointbench.data.listed_names import listed_names
from jointbench.data.option_words import option
from jointbench.data.quantities import counted
from jointbench.data.visible import visible

if TYPE_CHECKING:
    from pandas import DataFrame

PAGE = "index.html"

#: The files beside the page, and which table each holds; `runs` has a row a run.
FILES = ("standings.csv", "tasks.csv", "budgets.csv", "runs.csv", "entries.csv")


class Leaderboard(Result):
    """The board in a folder. Raises LogError where there is none, or no entry."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.board = LeaderboardRuns(self.folder)

    @property
    def page(self) -> Path:
        """Where `build` writes it."""
        return self.folder / PAGE

    def tables(self) -> dict[str, ResultTable]:
        """standings, over all tasks; tasks; budgets, both by what was spent; entries."""
        board = self.board
        over = f"over {counted(len(board.tasks), 'task')}" if len(board.tasks) > 1 else f"on {next(iter(board.tasks))}"
        many = f"{over}: normalised regret, 0 the optimum, 1 a random configuration"
        words, headings = ("optimizer", "task", "benchmark", "code"), (*HEADINGS, *VERSIONS)
        tasks = [(name, *cells) for name, task in board.tasks.items() for cells in task_cells(board, task)]
        return {
            "standings": ResultTable(many, headings, standing_rows(board), words, _SPARE, numbers=self._standings()),
            "tasks": ResultTable(
                "task by task", ("task", *TASK_HEADINGS), tasks, words, _SPARE, numbers=self._tasks(SPENT[-1:])
            ),
            "budgets": _plain("by what was spent", self._tasks(SPENT)),
            "entries": _plain("the entries", self._entries()),
        }

    def drawings(self) -> dict[str, Drawing]:
        across = self.board.across
        if across is None:
            return {}
        look = styles(across.optimizers)
        return {
            "regret": Drawing(lambda: regret_figure(across, look), 420),
            "ranks": Drawing(lambda: rank_figure(across, look), 420),
        }

    def to_pandas(self) -> "DataFrame":
        """A row a run: `task`, `optimizer`, `seed`, its final `value` of the task's objective, and its final normalised
        `regret`, from 0 to 1."""
        found: dict[str, list[object]] = {"task": [], "optimizer": [], "seed": [], "value": [], "regret": []}
        for name, task in self.board.tasks.items():
            regrets = task.regrets_spent(np.array([1.0]))
            for optimizer, runs in task.runs.items():
                for run, (regret,) in zip(runs, regrets[optimizer], strict=True):
                    row = name, optimizer, run.seed, float(run.values[-1]), float(regret)
                    for column, value in zip(found, row, strict=True):
                        found[column].append(value)
        return frame(found)

    def __repr__(self) -> str:
        names = ", ".join(entry.name for entry in self.board.entries)
        return f"<leaderboard {self.folder}: {names}; on {', '.join(self.board.tasks)}>"

    def _standings(self) -> dict[str, list[Any]]:
        won = {row[0]: row[len(HEADINGS) - 1] for row in standing_rows(self.board)}
        rows = []
        for one in self.board.places_over_all():
            entry = next(entry for entry in self.board.entries if entry.name == one.optimizer)
            again, _, _ = version_cells(self.board, entry)
            benchmarks = " ".join(self.board.tasks[name].settings.name for name in self.board.tasks)
            rows.append(
                {
                    **_columns(one),
                    "tasks": len(self.board.tasks),
                    "won": int(won[one.optimizer]),
                    "made_again": again,
                    "benchmarks": benchmarks,
                    **self._version(),
                }
            )
        return _by_column(rows)

    def _tasks(self, shares: Sequence[float]) -> dict[str, list[Any]]:
        """A row a share of what was spent, a task (`*` for all together) and an optimizer."""
        rows = []
        for name in ("*", *self.board.tasks) if len(shares) > 1 else self.board.tasks:
            for share in shares:
                placed = self.board.places_over_all(share) if name == "*" else self.board.places_on(name, share)
                for one in placed:
                    row: dict[str, object] = {"task": name}
                    row |= {"spent": share} if len(shares) > 1 else {}
                    row |= _columns(one)
                    if len(shares) == 1:
                        task = self.board.tasks[name]
                        row |= {"objective": task.settings.metrics[0].name, "value": final_value(task, one.optimizer)}
                        row |= {"benchmark": task.settings.name, "checksum": task.settings.checksum, **self._version()}
                    rows.append(row)
        return _by_column(rows)

    def _entries(self) -> dict[str, list[Any]]:
        rows = []
        for entry in self.board.entries:
            for name, verified in entry.tasks.items():
                settings = self.board.tasks[name].settings
                rows.append(
                    {
                        "entry": entry.name,
                        "task": name,
                        "optimizer": entry.optimizer,
                        "file": "" if entry.file is None else entry.file.name,
                        "optimizer_code": entry.code,
                        "seeds": self.board.rules.seeds,
                        "made_again": " ".join(map(str, verified.seeds)),
                        "benchmark": settings.name,
                        "checksum": settings.checksum,
                        **self._version(),
                        "with": ", ".join(f"{of} {version}" for of, version in verified.versions.items()),
                        "command": command_of(settings, optimizer_here(entry), self.board.rules.seeds),
                    }
                )
        return _by_column(rows)

    def _version(self) -> dict[str, str]:
        return {"version": self.board.rules.version, "code": self.board.rules.code}


#: Columns that a narrow terminal can do without.
_SPARE = ("95 % interval of the rank", "benchmark", "code", "tasks won", "made again", "mean rank")


def _columns(one: Any) -> dict[str, object]:
    (low, high), (rank_low, rank_high) = one.interval, one.rank_interval
    return {
        "optimizer": one.optimizer,
        "place": one.place,
        "regret": one.regret,
        "regret_low": low,
        "regret_high": high,
        "rank": one.rank,
        "rank_low": rank_low,
        "rank_high": rank_high,
    }


def _by_column(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {column: [row[column] for row in rows] for column in (rows[0] if rows else {})}


def _plain(title: str, numbers: dict[str, list[Any]]) -> ResultTable:
    """A table of numbers that are its cells."""
    rows = [[_cell(value) for value in row] for row in zip(*numbers.values(), strict=True)]
    return ResultTable(title, [*numbers], rows, ("task", "optimizer", "entry"), numbers=numbers)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def build(folder: str | Path) -> Leaderboard:
    """What `jointbench leaderboard build` does: write the board's page, `index.html`, and its numbers as CSV files into
    its folder. The same entries give the same bytes. Raises LogError for a folder that is no board, or has no entry,
    UnwritableError."""
    made = Leaderboard(folder)
    for name in (PAGE, *FILES):
        check_writable(made.folder / name)
    tables = made.tables()
    for name in FILES:
        table = made.to_pandas() if name == "runs.csv" else tables[Path(name).stem].to_pandas()
        write_whole(made.folder / name, table.to_csv(index=False, lineterminator="\n"))
    write_page(made.page, "Leaderboard", leaderboard_page(made.board, FILES))
    return made


@dataclass(frozen=True)
class Added:
    """`sentences`: what was made again and added, and what was there already."""

    folder: Path
    sentences: Sequence[str]

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def add(
    folder: str | Path,
    submissions: str | Path | Sequence[str | Path],
    *,
    optimizers: Sequence[str] | None = None,
    name: str | None = None,
    fifth: bool = False,
    new_tasks: bool = False,
    jobs: int | None = None,
    quiet: bool = False,
    progress: Hear | None = None,
) -> Added:
    """What `jointbench leaderboard add` does: make the runs of submissions again, and put them on the board in `folder`
    if they come out to the bit; all of them or none. **Runs the code of the optimizers that are submitted.**

    `submissions`: folders of comparisons, of one task or several, or entries of another board. The first of a board
    decide its tasks, their settings and its seeds: 0 to n - 1 of the one with the fewest. `optimizers`: which of the
    comparisons', by default all. `name`: what the board calls the one that is added; by default as tables do. `fifth`:
    make a fifth of the runs again, at least one an optimizer and task, by lot. `new_tasks`: the board takes further
    tasks; entries that have no runs on them leave the standings over all tasks. `jobs`: processes, by default one a
    core.

    Raises LogError for a run that comes out otherwise, with which and what; InputError for what breaks the rules: other
    settings than the board's or than the task's, another version of code or benchmark, seeds that were picked, real
    trainings, a file that is missing or has changed; WouldOverwriteError where the board has other runs by this name.
    """
    board, several = Path(folder), [submissions] if isinstance(submissions, str | Path) else list(submissions)
    rules = _rules_of(board)
    given = _chosen([one for path in several for one in read_submission(Path(path))], optimizers, name)
    if rules is None:
        rules = Rules(jointbench.__version__, simulation_code(), min(len(one.runs) for one in given), {})
    settings = _check(board, rules, given, new_tasks or not rules.tasks)
    wanted, sentences = _new(board, rules, given)
    scales = {
        task: scale_of(answering(of.objective, of.source)) for task, of in settings.items() if task not in rules.tasks
    }
    with heard(progress, quiet) as hear, without_main(), TemporaryDirectory() as scratch:
        held = [_held(one, Path(scratch) / "files" / str(number)) for number, one in enumerate(wanted)]
        again = [(one, picked(rules.seeds, fifth)) for one in held]
        if again:
            processes = jobs or os.cpu_count() or 1
            make_again(again, Path(scratch), processes, lambda done, total: hear(Stage("make again", done, total)))
        make_folder(board)
        grown = replace(rules, tasks={**rules.tasks, **scales})
        if grown != Rules.read(board):
            grown.write(board)
        for called in dict.fromkeys(one.called for one in held):
            _write_entry(board, grown, [(one, seeds) for one, seeds in again if one.called == called])
    for one, seeds in again:
        sentences.append(f"{one.where}: {len(seeds)} of {counted(rules.seeds, 'run')} made again, to the bit; added")
    return Added(board, sentences)


def _rules_of(board: Path) -> Rules | None:
    """Raises WouldOverwriteError where something else is there, InputError for a board of another version."""
    rules = Rules.read(board)
    if rules is not None:
        check_rules(board, rules)
    elif os.path.lexists(board) and (not board.is_dir() or visible(board)):
        raise WouldOverwriteError("leaderboard", str(board), "a leaderboard, or a folder that is empty or new")
    check_writable(board, folder=True)
    return rules


def _chosen(given: Sequence[Submitted], optimizers: Sequence[str] | None, name: str | None) -> list[Submitted]:
    """Those that are asked for, by the names that the board will call them."""
    chosen = list(given)
    if optimizers is not None:
        names = listed_names("optimizers", optimizers)
        for wanted in names:
            if all(wanted not in (one.called, one.optimizer) for one in given):
                raise UnknownNameError.of("optimizers", wanted, {one.called for one in given})
        chosen = [one for one in given if one.called in names or one.optimizer in names]
    if not chosen:
        raise InputError("submissions", [], "at least one comparison")
    if name is not None:
        if len({one.optimizer for one in chosen}) > 1:
            raise InputError("name", name, f"one optimizer to be called so: choose it by {option('optimizers')}")
        chosen = [replace(one, called=name) for one in chosen]
    for one in chosen:
        checked_name("name of an entry", one.called)
    return chosen


def _check(board: Path, rules: Rules, given: Sequence[Submitted], new_tasks: bool) -> dict[str, Settings]:
    """By the rules of the board; returns the settings of each task."""
    found, checked = dict[str, Settings](), list[Settings]()
    for one in given:
        if one.task not in rules.tasks and not new_tasks:
            names = ", ".join(rules.tasks)
            more = f"{option('new_tasks', True)} takes another, and entries without it leave the standings over all"
            raise InputError("task", one.task, f"one of the board's ({names}); {more}")
        known = found.get(one.task) or task_settings(board, one.task)
        if one.settings not in checked:
            check_settings(one, known)
            checked.append(one.settings)
        check_seeds(one, rules)
        for seed in range(rules.seeds):
            check_readable(one, seed)
        found.setdefault(one.task, known or one.settings)
    return found


def _new(board: Path, rules: Rules, given: Sequence[Submitted]) -> tuple[list[Submitted], list[str]]:
    """Those that the board has not, each once; and sentences about the others.

    Raises InputError where another optimizer goes by the same name, WouldOverwriteError where other runs do.
    """
    there = {entry.name: entry for entry in read_entries(board)}
    codes = {name: (entry.optimizer, entry.code) for name, entry in there.items()}
    runs = {(name, task): entry_runs(board, entry, task) for name, entry in there.items() for task in entry.tasks}
    wanted, sentences = list[Submitted](), list[str]()
    for one in given:
        this = _on_board(one), _code(one)
        if codes.setdefault(one.called, this) != this:
            expected = f"{option('name')} and another name, since {codes[one.called][0]} of other code has it"
            raise InputError("entry", one.called, expected)
        known = runs.get((one.called, one.task))
        if known is None:
            runs[one.called, one.task] = dict(one.runs)
            wanted.append(one)
            continue
        for seed in range(rules.seeds):
            if first_difference_of(read_run(one.runs[seed]), read_run(known[seed])):
                place = f"the runs that are there (seed {seed} differs); remove {board / ENTRIES} of it to replace them"
                raise WouldOverwriteError("entry", one.where, place)
        sentences.append(f"{one.where}: there already, the same runs")
    return wanted, sentences


def first_difference_of(one: pa.Table, other: pa.Table) -> bool:
    """Whether two runs differ anywhere."""
    same = one.schema.equals(other.schema) and one.num_rows == other.num_rows
    return not same or first_difference(one, other) is not None


def _on_board(one: Submitted) -> str:
    """Its name in its entry's folder."""
    return one.optimizer if one.file is None else own_name_in(one.optimizer, Path(one.file.name))


def _code(one: Submitted) -> str:
    return optimizer_code(one.optimizer if one.file is None else own_name_in(one.optimizer, one.file))


def _held(one: Submitted, folder: Path) -> Submitted:
    """The same with its file where nobody changes it: what is made again by it is what the board keeps."""
    if one.file is None:
        return one
    folder.mkdir(parents=True)
    return replace(one, file=Path(shutil.copyfile(one.file, folder / one.file.name)))


def write_run_of(table: pa.Table, path: Path) -> None:
    """As `run_table.write_run` writes it, whole or not at all."""
    write_whole(path, lambda file: pq.write_table(table, file, compression="zstd"))


def _write_entry(board: Path, rules: Rules, again: Sequence[tuple[Submitted, tuple[int, ...]]]) -> None:
    """Of one name: its folder whole or not at all, and where it is there already its further tasks."""
    first, _ = again[0]
    place = entry_folder(board, first.called)
    versions = {"jointbench": jointbench.__version__, **library_versions()}
    tasks = {one.task: Verified(seeds, versions) for one, seeds in again}
    scales: dict[str, Scale] = {one.task: rules.tasks[one.task] for one, _ in again}
    entry = Entry(first.called, _on_board(first), _code(first), tasks)
    commands = [command_of(one.settings, _on_board(one), rules.seeds) for one, _ in again]
    with TemporaryDirectory(dir=board, prefix=".writing-") as staged:
        made = Path(staged) / "entry"
        for (one, _), command in zip(again, commands, strict=True):
            at = task_folder(made, one.task)
            start(at, one.settings, [entry.optimizer], command, force=False)
            for seed in range(rules.seeds):
                write_run_of(read_run(one.runs[seed]), run_file(at, entry.optimizer, seed))
            write_tasks(made, {one.task: scales[one.task]}, command)
        if first.file is not None:
            write_whole(made / first.file.name, first.file.read_bytes())
        entry.write(made)
        try:
            make_folder(place.parent)
            if not place.exists():
                made.rename(place)
                return
            for one, _ in again:
                task_folder(made, one.task).rename(task_folder(place, one.task))
        except OSError as error:
            raise UnwritableError.of("entry", place, error) from None
        for (one, _), command in zip(again, commands, strict=True):
            write_tasks(place, {one.task: scales[one.task]}, command)
        there = Entry.read(place)
        replace(there, tasks={**there.tasks, **tasks}).write(place)
