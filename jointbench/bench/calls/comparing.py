"""`jointbench.compare`, and what it gives: a comparison."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

import pyarrow as pa

from jointbench.bench.calls.comparison_runs import Wanted, simulate, train
from jointbench.bench.calls.given import above_zero, optimizer_name, the_benchmark, the_path, whole
from jointbench.bench.calls.progress import Hear, heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.calls.without_main import without_main
from jointbench.bench.calls.workers import PlaceOptions
from jointbench.bench.comparing.comparison_folder import First, Overhead, Settings, run_files
from jointbench.bench.comparing.failures import Failure, failures
from jointbench.bench.comparing.judged import judged_verdict
from jointbench.bench.comparing.run_table import read_run, run_labels
from jointbench.bench.comparing.searched_for import searched_for
from jointbench.bench.comparing.simulated_objective import SimulatedObjective
from jointbench.bench.comparing.summary import Row, cells, headings, rows
from jointbench.bench.comparing.trajectories import Runs, held_out, read_trajectories, time_grid
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.comparison_figures import error_figure, rank_figure, regret_figure
from jointbench.bench.pages.comparison_words import words
from jointbench.bench.pages.console import SPARE
from jointbench.bench.pages.report import write_report
from jointbench.bench.pages.trust_words import judged_box
from jointbench.bench.running.known_objective import known_names, known_objective
from jointbench.bench.running.replay import ReplayObjective
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.default_benchmark import DEFAULT_BENCHMARK
from jointbench.data.errors import InputError, LogError
from jointbench.data.frames import tidy
from jointbench.data.incumbent import IncumbentRule
from jointbench.data.ladder import Ladder
from jointbench.data.listed_names import listed_names
from jointbench.data.log import EvaluationLog
from jointbench.data.option_words import option
from jointbench.data.pareto import check_hypervolume
from jointbench.data.quantities import counted
from jointbench.optimizers.optimizer import Optimizer
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.verdict import check_usable

if TYPE_CHECKING:
    from pandas import DataFrame

#: Those of the default comparison.
OPTIMIZERS = ("random", "hyperband", "bohb", "smac", "two-stage")

#: Runs of each of them, where they are simulated: what ends within a minute on two cores. Others may be far slower.
SEEDS = 30

#: Simulated workers where nobody says otherwise (paper: BOHB's 10 GPUs).
WORKERS = 10


class Comparison(Result):
    """The comparison in a folder. Raises LogError where there is none.

    Of the call that gave it: `failed`, the runs that it asked for and their optimizers did not bring to an end, and
    `notes`, sentences about what it did otherwise than asked.
    """

    def __init__(self, folder: str | Path, *, failed: Sequence[Failure] = (), notes: Sequence[str] = ()) -> None:
        self.folder, self.failed, self.notes = the_path("comparison", folder), list(failed), list(notes)
        self.settings = Settings.read(self.folder)

    @cached_property
    def summary(self) -> list[Row]:
        """A row an optimizer, the best first. Raises LogError where no run has finished."""
        return rows(self._found, one_time=self.settings.time is not None)

    @cached_property
    def _found(self) -> Runs:
        return read_trajectories(self.folder)

    @property
    def runs(self) -> Runs:
        """The trajectories of the incumbent's error by optimizer, in the order of the table."""
        return {row.optimizer: self._found[row.optimizer] for row in self.summary}

    @property
    def failures(self) -> list[Failure]:
        """The runs that their optimizers did not bring to an end."""
        return failures(self.folder)

    def tables(self) -> dict[str, ResultTable]:
        title, cell_rows = words(self.settings).title, [cells(row) for row in self.summary]
        numbers = _columns(self.summary)
        return {
            "summary": ResultTable(title, headings(self.summary), cell_rows, ("optimizer",), SPARE, numbers=numbers)
        }

    def drawings(self) -> dict[str, Drawing]:
        runs, clock, guessing = self.runs, words(self.settings).clock, self.settings.guessing
        look, grid = styles(runs), time_grid(runs, self.settings.time)
        drawn = {
            "error": Drawing(lambda: error_figure(runs, look, grid, clock), 520),
            "ranks": Drawing(lambda: rank_figure(runs, look, grid, clock), 400),
            "regret": Drawing(lambda: regret_figure(runs, look, grid, clock, guessing), 400),
        }
        if judged := held_out(runs):
            drawn[judged.name] = Drawing(lambda: error_figure(runs, look, grid, clock, judged), 520)
        return drawn

    def to_pandas(self) -> "DataFrame":
        """A row an evaluation of all runs: `optimizer` and `run_seed` before the columns that `jointbench.run` gives.

        Raises LogError where no run has finished.
        """
        called, tables = run_labels(self.folder), []
        for optimizer, seed, path in run_files(self.folder):
            table = read_run(path).replace_schema_metadata()
            tables.append(with_run(table, called[optimizer], seed))
        if not tables:
            raise LogError("comparison", str(self.folder), "a folder with finished runs")
        return tidy(pa.concat_tables(tables, promote_options="default"))

    def report(self) -> Path:
        """Draw the page into the folder, and say where it is."""
        return write_report(self.folder)

    def __repr__(self) -> str:
        runs = run_files(self.folder)
        names = ", ".join(dict.fromkeys(run_labels(self.folder)[name] for name, _, _ in runs)) or "no optimizer yet"
        return f"<comparison {self.folder}: {names}; {counted(len(runs), 'run')} on {self.settings.name}>"

    def _repr_html_(self) -> str:
        box = "".join(judged_box(self.settings.name, judged_verdict(self.folder)))
        return f"{box}<p>{words(self.settings).title}</p>{super()._repr_html_()}"


def with_run(table: pa.Table, optimizer: str, seed: int) -> pa.Table:
    """A run's table with the columns that tell it from others before its own."""
    table = table.add_column(0, "run_seed", pa.array([seed] * len(table), pa.int64()))
    return table.add_column(0, "optimizer", pa.array([optimizer] * len(table), pa.string()))


def _columns(summary: Sequence[Row]) -> dict[str, list[object]]:
    """The rows' numbers by column; quartiles and speed-ups have a column each end."""
    found: dict[str, list[object]] = {}
    for row in summary:
        low, high = row.quartiles
        flat: dict[str, object] = {"optimizer": row.optimizer, "seeds": row.seeds, "evaluations": row.evaluations}
        flat[row.objective.name] = row.value
        if row.judged is not None:
            flat[row.judged.name] = row.held_out
        flat |= {"regret": row.regret, "rank": row.rank, "ends": row.ends}
        factor = None if row.speedup is None else row.speedup.factor
        interval = (None, None) if row.speedup is None or row.speedup.interval is None else row.speedup.interval
        ends = {"lower_quartile": low, "upper_quartile": high}
        gain = {"speedup": factor, "speedup_low": interval[0], "speedup_high": interval[1]}
        for name, value in {**flat, **ends, **gain}.items():
            found.setdefault(name, []).append(value)
    return found


def simulated(given: str | Path | Benchmark | EvaluationLog) -> SimulatedObjective:
    """What answers: a benchmark (also by name or folder), a log that is replayed, or a known task by its name."""
    if isinstance(given, str) and given in known_names():
        return known_objective(given)
    return ReplayObjective(given) if isinstance(given, EvaluationLog) else SurrogateObjective(the_benchmark(given))


def check_objective(objective: SimulatedObjective, *, anyway: bool) -> None:
    """Raises BenchmarkError for a benchmark that is not usable, unless it is to be used `anyway`."""
    if isinstance(objective, SurrogateObjective):
        check_usable(objective.benchmark.name, objective.benchmark.verdict, anyway=anyway)


def compare(
    benchmark: str | Path | Benchmark | EvaluationLog = DEFAULT_BENCHMARK,
    optimizers: Sequence[str | type[Optimizer]] = OPTIMIZERS,
    *,
    objective: Literal["surrogate", "train"] = "surrogate",
    objectives: Sequence[str] | None = None,
    seeds: int | None = None,
    until_decided: int | None = None,
    workers: int | Sequence[int] | None = None,
    time: float | None = None,
    full_budgets: float | None = None,
    out: str | Path = "runs/compare",
    jobs: int | None = None,
    overhead: Overhead = 0.0,
    death_rate: float = 0.0,
    incumbent: IncumbentRule = "any-budget",
    first: First = "own",
    images: str | None = None,
    ladder: str | Ladder | None = None,
    data: str | None = None,
    lock: bool = True,
    anyway: bool = False,
    force: bool = False,
    command: str | None = None,
    quiet: bool = False,
    progress: Hear | None = None,
    planned: Callable[[str], None] = lambda words: None,
    **training: Unpack[PlaceOptions],
) -> Comparison:
    """What `jointbench compare` does: run each optimizer with seeds 0 to n - 1 on a simulated cluster, kept in `out`.

    `benchmark`: one that ships, a folder, a Benchmark, a known task (a public table such as fcnet-protein-structure, or
    a function such as mfh3-good), or an EvaluationLog, which is replayed. `optimizers`: names as the command takes
    them, or classes of your own that stand at the top of a file. `seeds`: runs an optimizer, where nobody says
    otherwise 30, or 10 where `optimizers` are others than the default ones, and of real trainings; `until_decided`: add
    more until every pair of the best three is decided, or there are so many. `workers`: 10 where nobody says otherwise;
    of several numbers the page is about the first, and shows what the others change. `time`: simulated seconds that
    each run has, by default what random search takes for 256 full budgets; `full_budgets`: the other stop. `overhead`:
    seconds charged to the simulated clock for each trial, or "measured"; `death_rate`: deaths of a worker an hour of
    its work; `jobs`: processes, by default one a core; `incumbent` and `first` as `Settings` has them; `anyway`: also
    on a benchmark that is not usable. Runs that are there are kept.

    `objectives`: names of metrics that the benchmark answers or that arithmetic knows of its networks (parameters,
    flops, sample_memory); of several, optimizers that take several are told all, the others the first, and all are
    compared by the hypervolume of their fronts (docs/objectives.md).

    `objective="train"`: the same by real trainings of the benchmark's space, on real workers, one a GPU unless said;
    `images` and `ladder`: by default the benchmark's; `data`: folder of the image files; `lock`: False for a file
    system that cannot lock files; `training`: as `WorkerOptions` has them.

    `command`: how a person called it, for the page; by default this call. `progress` hears of evaluations done and
    expected, or of every training; without one there is a bar in a notebook, unless `quiet`. `planned` hears in a
    sentence, before the first run, where runs will be very long. Raises as the command says, BenchmarkError for a
    benchmark that is not usable, InputError for a class that other processes cannot find.
    """
    names = list(dict.fromkeys(optimizer_name(one) for one in listed_names("optimizers", optimizers)))
    if not names:
        raise InputError("optimizers", optimizers, "a list of at least one")
    sought = None if objectives is None else listed_names("objectives", objectives)
    if time is not None and full_budgets is not None:
        raise InputError("full budgets", full_budgets, f"one stop: either these or {option('time')}")
    numbers = [workers] if workers is None or isinstance(workers, int) else list(workers)
    real = objective == "train"
    default = None if real else WORKERS
    wanted = Wanted(
        names,
        the_path("out", out),
        [default if number is None else whole("workers", number, 1) for number in numbers],
        None if seeds is None else whole("seeds", seeds, 1),
        None if until_decided is None else whole("until decided", until_decided, 2),
        force,
        command
        or f"jointbench.compare({_named(benchmark)!r}, {names}, seeds={seeds}, workers={workers}, time={time}, "
        f"full_budgets={full_budgets}{'' if sought is None else f', objectives={list(sought)}'})",
    )
    spent = None if full_budgets is None else above_zero("full budgets", full_budgets)
    with heard(progress, quiet) as hear, without_main():
        if real:
            if sought is not None:
                raise InputError("objectives", ", ".join(map(str, sought)), "none with real trainings")
            if isinstance(benchmark, EvaluationLog):
                raise InputError("benchmark", benchmark, "a benchmark, whose space is trained")
            wanted, notes = train(
                wanted,
                OPTIMIZERS,
                benchmark,
                images=images,
                ladder=ladder,
                data=data,
                full_budgets=spent,
                incumbent=incumbent,
                first=first,
                lock=lock,
                hear=hear,
                workers=training,
            )
        else:
            answers = simulated(benchmark)
            check_objective(answers, anyway=anyway)
            about = () if sought is None else searched_for(answers, sought)
            if len(about) > 2:
                check_hypervolume()
            known = not isinstance(answers, (SurrogateObjective, ReplayObjective))
            wanted, notes = wanted.on(answers.ladder, answers.space, OPTIMIZERS, seeds=SEEDS, any_ladder=known)
            if known:
                notes += wanted.fallbacks(answers.ladder)
            notes += simulate(
                wanted,
                answers,
                time=None if time is None else above_zero("time", time),
                full_budgets=spent,
                overhead=overhead,
                death_rate=death_rate,
                incumbent=incumbent,
                first=first,
                jobs=jobs,
                hear=hear,
                planned=planned,
                objectives=about,
            )
    return Comparison(out, failed=wanted.failed(), notes=notes)


def _named(given: str | Path | Benchmark | EvaluationLog) -> str:
    if isinstance(given, EvaluationLog):
        return str(given.path)
    return given.name if isinstance(given, Benchmark) else str(given)
