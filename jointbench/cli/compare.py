"""`jointbench compare`: compare optimizers on a benchmark, on a log or by real trainings."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.command import Commands, anyway, force, full_budgets, say
from jointbench.cli.training_options import training_options
from jointbench.cli.values import IMAGE_NAMES, least_zero, names, overhead, positive, whole, worker_counts
from jointbench.cli.workplace_options import place_keywords, place_options
from jointbench.data.default_benchmark import DEFAULT_BENCHMARK
from jointbench.data.errors import InputError, JointBenchError
from jointbench.data.ladder import Ladder

if TYPE_CHECKING:
    from jointbench.data.log import EvaluationLog

DEFAULT_OPTIMIZERS = "random,hyperband,bohb,smac,two-stage"

#: Options that mean nothing to the other kind of comparison.
_SIMULATED_ONLY = ("charge_overhead", "death_rate", "jobs", "objectives", "time", "until_decided")
_REAL_ONLY = (
    *("images", "ladder", "workers_per_gpu", "cluster", "config", "dashboard", "no_lock"),
    *("data", "device", "precision", "clock", "compile", "memory"),
)

#: Seeds at most where `--until-decided` names none.
DEFAULT_MOST = 40

#: Simulated workers where nobody says otherwise (paper: BOHB's 10 GPUs).
DEFAULT_WORKERS = 10


def add_to(commands: Commands) -> None:
    summary = (
        "Compare optimizers on a benchmark, on a log that is replayed or by real trainings; computes only what is not "
        "there yet."
    )
    example = "compare --optimizers random,bohb --seeds 10 --workers 10 --out runs/compare"
    sub = commands.add("compare", run, summary, example)
    add = sub.add_argument
    add(
        "benchmark",
        nargs="?",
        metavar="BENCHMARK",
        help=f"a name that ships, or a folder; default {DEFAULT_BENCHMARK}",
    )
    add(
        "--tasks",
        metavar="TASK[,TASK...]",
        help="compare on several: names of `jointbench list tasks` and `list benchmarks`, patterns such as 'fcnet-*', "
        "folders of benchmarks; one page over all of them in --out",
    )
    add(
        "--objective",
        default="surrogate",
        metavar="surrogate|LOG|train",
        help="what answers: the benchmark (default); a log (a folder, or a released file), in which the nearest "
        "logged training at the same budget is looked up; or real trainings",
    )
    add(
        "--objectives",
        type=names("objectives"),
        metavar="METRIC[,METRIC...]",
        help="what is searched for, metrics that are answered or that arithmetic knows (parameters, flops, "
        "sample_memory); of several, such as validation_error,sample_memory, the page shows fronts and hypervolumes",
    )
    add(
        "--optimizers",
        type=names("optimizers"),
        default=DEFAULT_OPTIMIZERS,
        metavar="NAME[,NAME...]",
        help=f"default {DEFAULT_OPTIMIZERS}, as far as the task has budgets and hyperparameters for them; also "
        "optuna.SAMPLER, smac.FACADE or FILE.py:CLASS, and options as in two-stage:share=0.3:finalists=3",
    )
    add(
        "--seeds",
        type=whole("seeds", 1),
        metavar="N",
        help="runs an optimizer; default 30, or 10 (smac-default: 2) where --optimizers names others than the default "
        "ones, and of real trainings",
    )
    add(
        "--workers",
        type=worker_counts,
        metavar="N[,N...]",
        help=f"default {DEFAULT_WORKERS}, or one a real GPU; the page is about the first and shows what the others "
        "change",
    )
    add(
        "--time",
        type=positive("time"),
        metavar="SECONDS",
        help="wall-clock time that every run has on the simulated workers; what is still running then does not count; "
        "default what random search takes for 256 full budgets",
    )
    instead = " instead of after a time; the default (256) of real trainings"
    full_budgets(sub, required=False, more=instead)
    add(
        "--incumbent",
        choices=("any-budget", "largest-budget"),
        default="any-budget",
        help="which configuration an optimizer would recommend: the one with the lowest validation error seen on any "
        "budget (default), or on the largest budget so far (HpBandSter's rule)",
    )
    add(
        "--first",
        choices=("own", "expert"),
        default="own",
        help="expert: the first trial of each optimizer has the hyperparameters that two-stage's first stage has",
    )
    add("--out", type=Path, default=Path("runs/compare"), metavar="DIR", help="default runs/compare")
    anyway(sub)
    force(sub)
    simulated = sub.add_argument_group("on simulated workers")
    simulated.add_argument(
        "--until-decided",
        type=whole("until decided", 2),
        nargs="?",
        const=DEFAULT_MOST,
        metavar="MAX",
        help=f"add seeds until every pair of the best three is decided, or there are MAX (default {DEFAULT_MOST}); "
        "the tests are corrected for looking repeatedly",
    )
    simulated.add_argument("--jobs", type=whole("jobs", 1), help="processes; default one a core")
    simulated.add_argument(
        "--charge-overhead",
        type=overhead,
        nargs="?",
        const="measured",
        default=0.0,
        metavar="SECONDS",
        help="charge the optimizer's overhead to the simulated clock: as measured, or so many seconds a trial",
    )
    simulated.add_argument(
        "--death-rate",
        type=least_zero("death rate"),
        default=0.0,
        metavar="R",
        help="let workers die, R times an hour of a worker's work on average; default 0",
    )
    real = sub.add_argument_group("by real trainings")
    real.add_argument("--images", help=f"{IMAGE_NAMES}; default the benchmark's")
    real.add_argument("--ladder", type=Ladder.parse, help="budgets such as 1,3,9,27 (seconds); default the benchmark's")
    place_options(real)
    training_options(real)
    sub.set_defaults(defaults={name: sub.get_default(name) for name in (*_SIMULATED_ONLY, *_REAL_ONLY)})


def run(arguments: argparse.Namespace) -> None:
    import jointbench
    from jointbench.bench.comparing.comparison_folder import run_files
    from jointbench.bench.pages.comparison_page import terminal_verdict
    from jointbench.bench.pages.comparison_words import words
    from jointbench.bench.pages.console import show, summary_table
    from jointbench.bench.pages.trust_words import judged_line, trust_words
    from jointbench.cli.collection_display import CollectionDisplay
    from jointbench.cli.displays import ComparisonDisplay

    real = arguments.objective == "train"
    for option in _SIMULATED_ONLY if real else _REAL_ONLY:
        if getattr(arguments, option) != arguments.defaults[option]:
            expected = "no such option with --objective train" if real else "--objective train beside it"
            raise InputError(option.replace("_", " "), str(getattr(arguments, option)), expected)
    if arguments.tasks is not None:
        _over_tasks(arguments)
        return
    answers: str | EvaluationLog = arguments.benchmark or DEFAULT_BENCHMARK
    if arguments.objective not in ("surrogate", "train"):
        if not Path(arguments.objective).exists():
            raise InputError("objective", arguments.objective, "surrogate, train, or a log: a folder or a Parquet file")
        if arguments.benchmark:
            raise InputError("benchmark", arguments.benchmark, "none beside a log, which answers by itself")
        answers = jointbench.EvaluationLog.open(arguments.objective)
    quiet: bool = arguments.quiet
    with CollectionDisplay(quiet) if real else ComparisonDisplay(quiet) as display:
        made = jointbench.compare(
            answers,
            arguments.optimizers,
            objective="train" if real else "surrogate",
            objectives=arguments.objectives,
            seeds=arguments.seeds,
            until_decided=arguments.until_decided,
            workers=arguments.workers,
            time=arguments.time,
            full_budgets=arguments.full_budgets,
            out=arguments.out,
            jobs=arguments.jobs,
            overhead=arguments.charge_overhead,
            death_rate=arguments.death_rate,
            incumbent=arguments.incumbent,
            first=arguments.first,
            images=arguments.images,
            ladder=arguments.ladder,
            data=arguments.data,
            lock=not arguments.no_lock,
            anyway=arguments.anyway,
            force=arguments.force,
            command=arguments.words,
            progress=display,
            planned=lambda words: None if quiet else print(words, file=sys.stderr),  # noqa: T201
            **place_keywords(arguments),
        )
    for note in () if quiet else made.notes:
        print(note, file=sys.stderr)  # noqa: T201
    for one in made.failed:
        print(f"jointbench: {one.sentence}", file=sys.stderr)  # noqa: T201
    page = made.report()
    if run_files(made.folder):
        for line in filter(None, [judged_line(made.folder)]):
            say(line)
        show(summary_table(made.summary, words(made.settings).title))
        for line in filter(None, [terminal_verdict(made.folder), *trust_words(made.folder, made.summary)]):
            say(line)
    say(f"the picture: {page}")
    if made.failed:
        sys.exit(1)


def _over_tasks(arguments: argparse.Namespace) -> None:
    import jointbench
    from jointbench.bench.pages.console import WideTable, show
    from jointbench.cli.displays import StagesDisplay

    usual = {"benchmark": None, "objective": "surrogate", "first": "own", **arguments.defaults}
    unheard = ("time", "until_decided", "charge_overhead", "death_rate", "first")
    for option in ("benchmark", "objective", "objectives", *unheard):
        if (value := getattr(arguments, option)) != usual[option]:
            given = ",".join(value) if isinstance(value, list) else str(value)
            raise InputError(option.replace("_", " "), given, "none with --tasks, each of which says its own")
    workers = arguments.workers or [None]
    if len(workers) > 1:
        raise InputError("workers", ",".join(map(str, workers)), "one number with --tasks")
    with StagesDisplay(arguments.quiet) as display:
        made = jointbench.compare_tasks(
            arguments.tasks,
            arguments.optimizers,
            seeds=arguments.seeds,
            workers=workers[0],
            full_budgets=arguments.full_budgets,
            out=arguments.out,
            jobs=arguments.jobs,
            incumbent=arguments.incumbent,
            anyway=arguments.anyway,
            force=arguments.force,
            command=arguments.words,
            progress=display,
            planned=lambda words: None if arguments.quiet else print(words, file=sys.stderr),  # noqa: T201
        )
    for note in () if arguments.quiet else made.notes:
        print(note, file=sys.stderr)  # noqa: T201
    for one in made.failed:
        print(f"jointbench: {one.sentence}", file=sys.stderr)  # noqa: T201
    page = made.report()
    for table in made.tables().values():
        show(WideTable(table.title, table.headings, table.rows, tuple(table.words), table.spare, table.caption))
    for line in (made.verdict, *made.sentences):
        say(line)
    say(f"the picture: {page}")
    if made.failed:
        sys.exit(1)


def wanted_runs(arguments: argparse.Namespace) -> list[Path]:
    """Where the runs that were asked for are kept, or will be; of the default optimizers those that the comparison is
    not without, and none as long as it has not begun, since nobody knows then which they are."""
    from jointbench.bench.calls.comparing import OPTIMIZERS, SEEDS
    from jointbench.bench.calls.comparison_runs import Wanted
    from jointbench.bench.comparing.comparison_folder import Settings, run_file

    numbers = arguments.workers or [None]
    wanted = Wanted(arguments.optimizers, arguments.out, numbers, arguments.seeds, arguments.until_decided)
    if tuple(arguments.optimizers) == OPTIMIZERS:
        try:
            made = Settings.read(arguments.out)
            wanted, _ = wanted.on(
                made.ladder,
                made.task.space,
                OPTIMIZERS,
                seeds=None if arguments.objective == "train" else SEEDS,
                any_ladder=made.objective == "known",
            )
        except JointBenchError:
            return []
    return [
        run_file(folder, name, seed)
        for folder in wanted.folders().values()
        for name, several in wanted.most().items()
        for seed in range(several)
    ]
