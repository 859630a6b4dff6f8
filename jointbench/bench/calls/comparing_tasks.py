"""`jointbench.compare_tasks`: the same comparison on several tasks, and what it gives: one number an optimizer."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jointbench.bench.calls.comparing import OPTIMIZERS, SEEDS, Comparison, check_objective, compare, simulated
from jointbench.bench.calls.comparison_runs import Wanted
from jointbench.bench.calls.given import optimizer_name, the_path
from jointbench.bench.calls.left_out import Place, without_unfit
from jointbench.bench.calls.progress import Hear, Stage, heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.comparing.across_tasks import AcrossTasks, Scale, write_tasks
from jointbench.bench.comparing.failures import Failure
from jointbench.bench.comparing.simulated_objective import DEFAULT_FULL_BUDGETS, SimulatedObjective
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.report import write_report
from jointbench.bench.pages.tasks_page import (
    HEADINGS,
    TASK_HEADINGS,
    fallbacks,
    lead,
    rank_figure,
    regret_figure,
    standing_cells,
    task_rows,
)
from jointbench.bench.running.known_objective import known_names
from jointbench.bench.running.replay import ReplayObjective
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.files import check_writable, make_folder
from jointbench.data.frames import frame
from jointbench.data.incumbent import IncumbentRule
from jointbench.data.listed_names import listed_names
from jointbench.data.quantities import counted
from jointbench.optimizers import check_optimizer
from jointbench.optimizers.optimizer import Optimizer
from jointbench.surrogate.stored import MANIFEST, released

if TYPE_CHECKING:
    from pandas import DataFrame

#: Random configurations whose median loss is the 1 of the normalised regret.
USUAL = 500


class TasksComparison(Result):
    """The comparisons in a folder, one a task, and what they say together. Raises LogError where there are none.

    Of the call that gave it: `failed`, the runs that their optimizers did not bring to an end, and `notes`.
    """

    def __init__(self, folder: str | Path, *, failed: Sequence[Failure] = (), notes: Sequence[str] = ()) -> None:
        self.folder, self.failed, self.notes = the_path("comparison", folder), list(failed), list(notes)

    @cached_property
    def across(self) -> AcrossTasks:
        return AcrossTasks.read(self.folder)

    @property
    def comparisons(self) -> dict[str, Comparison]:
        """Task name to its comparison."""
        return {task.name: Comparison(self.folder / task.name) for task in self.across.tasks}

    @property
    def verdict(self) -> str:
        """Who wins, and how sure that is, as the page says it."""
        return lead(self.across)

    @property
    def sentences(self) -> list[str]:
        """What became of optimizers that compare budgets, on tasks of one."""
        return fallbacks(self.across)

    def tables(self) -> dict[str, ResultTable]:
        title = (
            f"normalised regret over {counted(len(self.across.tasks), 'task')}: 0 the optimum, 1 a random configuration"
        )
        standings = ResultTable(title, HEADINGS, [standing_cells(one) for one in self.across.standings], ("optimizer",))
        words = ("task", "objective", "winner", "second")
        return {
            "standings": standings,
            "tasks": ResultTable("task by task", TASK_HEADINGS, task_rows(self.across), words),
        }

    def drawings(self) -> dict[str, Drawing]:
        look = styles(self.across.optimizers)
        return {
            "ranks": Drawing(lambda: rank_figure(self.across, look), 420),
            "regret": Drawing(lambda: regret_figure(self.across, look), 420),
        }

    def to_pandas(self) -> "DataFrame":
        """A row a run: `task`, `optimizer`, `seed`, and its final normalised `regret`, from 0 to 1."""
        found: dict[str, list[object]] = {"task": [], "optimizer": [], "seed": [], "regret": []}
        for task in self.across.tasks:
            for optimizer, regrets in task.regrets(np.array([1.0])).items():
                for seed, (regret,) in zip(task.seeds, regrets, strict=True):
                    for column, value in zip(found, (task.name, optimizer, seed, float(regret)), strict=True):
                        found[column].append(value)
        return frame(found)

    def report(self) -> Path:
        """Draw the page over all tasks, and each task's own, and say where the first is."""
        for comparison in self.comparisons.values():
            comparison.report()
        return write_report(self.folder)

    def __repr__(self) -> str:
        return f"<comparison over tasks {self.folder}: {', '.join(task.name for task in self.across.tasks)}>"


def task_names(given: str | Sequence[str]) -> list[str]:
    """The tasks that names, patterns such as fcnet-*, and folders of benchmarks mean, each once, in the order given.

    Raises UnknownNameError for what means none.
    """
    known, found = [*released(), *known_names()], list[str]()
    for pattern in given.split(",") if isinstance(given, str) else given:
        matching = [name for name in known if fnmatchcase(name, pattern.strip())]
        if not matching and (Path(pattern.strip()) / MANIFEST).exists():
            matching = [pattern.strip()]
        if not matching:
            raise UnknownNameError.of("tasks", pattern, known, hint=", a pattern of them, or a benchmark's folder")
        found += matching
    return list(dict.fromkeys(found))


def compare_tasks(
    tasks: str | Sequence[str],
    optimizers: Sequence[str | type[Optimizer]] = OPTIMIZERS,
    *,
    seeds: int | None = None,
    workers: int | None = None,
    full_budgets: float | None = None,
    out: str | Path = "runs/tasks",
    jobs: int | None = None,
    incumbent: IncumbentRule = "any-budget",
    anyway: bool = False,
    force: bool = False,
    command: str | None = None,
    quiet: bool = False,
    progress: Hear | None = None,
    planned: Callable[[str], None] = lambda words: None,
) -> TasksComparison:
    """What `jointbench compare --tasks` does: the comparison of `compare` on each of several tasks, kept in a folder of
    `out` each, and what they say together.

    `tasks`: names as `jointbench list tasks` and `list benchmarks` show them, patterns such as "fcnet-*", folders of
    benchmarks; words with commas between them, or a list. `full_budgets`: by default every run of a task has the time
    that random search takes for 256 of them there. The others as `compare` has them. An optimizer that is not
    what its name says on one of the tasks, as two-stage where nothing is architecture, is left out on all, and `notes`
    says so. `planned` hears in a sentence a task, before the first run, where runs will be very long. Raises as
    `compare` does.
    """
    names, folder = task_names(tasks), the_path("out", out)
    called = {Path(name).name: name for name in names}
    if len(called) < len(names):
        raise InputError("tasks", names, "folders of different names")
    answers = {short: simulated(name) for short, name in called.items()}
    for objective in answers.values():
        check_objective(objective, anyway=anyway)
    asked = [optimizer_name(one) for one in listed_names("optimizers", optimizers)]
    wanted, notes = _for_all(asked, answers)
    # As `compare` makes of them, also where one of them is left out.
    usual = SEEDS if seeds is None and tuple(asked) == OPTIMIZERS else seeds
    check_writable(folder, folder=True)
    make_folder(folder)
    said = command or f"jointbench.compare_tasks({tasks!r}, {wanted}, seeds={seeds}, full_budgets={full_budgets})"
    for short, objective in answers.items():
        runs = Wanted(wanted, folder / short, [workers], usual)
        if long := runs.said_of_length(objective.ladder, full_budgets or DEFAULT_FULL_BUDGETS):
            planned(f"{short}: {long}")
    failed: list[Failure] = []
    with heard(progress, quiet) as hear:
        for number, short in enumerate(called):
            done = number

            def told(of: object, short: str = short, done: int = done) -> None:
                share = getattr(of, "done", 0) / max(getattr(of, "total", 0) or 1, 1)
                hear(Stage("compare", round(100 * (done + min(share, 1.0))), 100 * len(called)))

            made = compare(
                called[short],
                wanted,
                seeds=usual,
                workers=workers,
                full_budgets=full_budgets,
                out=folder / short,
                jobs=jobs,
                incumbent=incumbent,
                anyway=anyway,
                force=force,
                command=f"jointbench.compare({called[short]!r}, {wanted}, seeds={seeds}, full_budgets={full_budgets})",
                quiet=quiet,
                progress=told,
            )
            failed += made.failed
            # Also where all its runs were there already, of which nothing is told.
            hear(Stage("compare", 100 * (number + 1), 100 * len(called)))
    write_tasks(folder, {short: scale_of(objective) for short, objective in answers.items()}, said)
    return TasksComparison(folder, failed=failed, notes=notes)


def _for_all(names: Sequence[str], answers: dict[str, SimulatedObjective]) -> tuple[list[str], list[str]]:
    """Those that are fit for every task, and sentences about the others. Raises InputError where none is left, and for
    a name or options that no task would take."""
    places = [Place(one.space, one.ladder, _known(one)) for one in answers.values()]
    fit, notes = without_unfit(dict.fromkeys(names), places)
    if not fit:
        raise InputError("optimizers", ", ".join(names), f"one that works on every task ({'; '.join(notes)})")
    for name in fit:
        for space, ladder, any_ladder in places:
            check_optimizer(name, space, ladder, full_budgets=1.0, any_ladder=any_ladder)
    return fit, notes


def _known(objective: SimulatedObjective) -> bool:
    """Whether the truth is known."""
    return not isinstance(objective, (SurrogateObjective, ReplayObjective))


def scale_of(objective: SimulatedObjective) -> Scale:
    """What puts the losses of a task on the scale of all tasks."""
    metric, largest = objective.task.objective, objective.ladder.maximum
    drawn = objective.space.sample(np.random.default_rng(0), USUAL)
    losses = [metric.loss_of(objective.expected(configuration, largest)) for configuration in drawn]
    finite = [loss for loss in losses if np.isfinite(loss)]
    return {
        "optimum": metric.loss(objective.optimum) if _known(objective) else None,  # type: ignore[union-attr]
        "usual": float(np.median(finite)),
    }
