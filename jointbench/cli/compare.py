"""`jointbench compare`: compare optimizers on a benchmark, on a log or by real trainings."""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointbench.cli.command import Commands, anyway, force, full_budgets, say
from jointbench.cli.training_options import training_options
from jointbench.cli.values import least_zero, names, overhead, positive, whole, worker_counts
from jointbench.cli.workplace_options import place_options, workplace
from jointbench.data.default_benchmark import DEFAULT_BENCHMARK
from jointbench.data.errors import InputError
from jointbench.data.ladder import Ladder

if TYPE_CHECKING:
    from jointbench.bench.comparing.comparison_folder import Settings
    from jointbench.bench.comparing.failures import Failure

DEFAULT_OPTIMIZERS = "random,hyperband,bohb,smac,two-stage"

#: Options that mean nothing to the other kind of comparison.
_SIMULATED_ONLY = ("charge_overhead", "death_rate", "jobs", "time", "until_decided")
_REAL_ONLY = (
    *("images", "ladder", "workers_per_gpu", "cluster", "config", "dashboard", "no_lock"),
    *("data", "device", "precision", "clock", "compile", "memory"),
)

#: Seeds at most where `--until-decided` names none.
DEFAULT_MOST = 40

#: Full budgets of real trainings, whose time nobody knows before.
_REAL_FULL_BUDGETS = 256.0

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
        "--objective",
        default="surrogate",
        metavar="surrogate|LOG|train",
        help="what answers: the benchmark (default); a log (a folder, or a released file), in which the nearest "
        "logged training at the same budget is looked up; or real trainings",
    )
    add(
        "--optimizers",
        type=names,
        default=DEFAULT_OPTIMIZERS,
        metavar="NAME[,NAME...]",
        help=f"default {DEFAULT_OPTIMIZERS}, as far as there are several budgets for them; also optuna.SAMPLER, "
        "smac.FACADE or FILE.py:CLASS, and options as in two-stage:share=0.3:finalists=3",
    )
    add("--seeds", type=whole("seeds", 1), metavar="N", help="runs an optimizer; default 10 (smac-default: 2)")
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
    real.add_argument("--images", help="digits, fashion-mnist, cifar10 or cifar100; default the benchmark's")
    real.add_argument("--ladder", type=Ladder.parse, help="budgets such as 1,3,9,27 (seconds); default the benchmark's")
    place_options(real)
    training_options(real)
    sub.set_defaults(defaults={name: sub.get_default(name) for name in (*_SIMULATED_ONLY, *_REAL_ONLY)})


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.comparing.comparison_folder import Settings, run_files
    from jointbench.bench.comparing.summary import summary
    from jointbench.bench.pages.comparison_page import terminal_verdict
    from jointbench.bench.pages.comparison_words import words
    from jointbench.bench.pages.console import show, summary_table
    from jointbench.bench.pages.report import write_report
    from jointbench.bench.pages.trust_words import judged_line, trust_words

    real = arguments.objective == "train"
    if arguments.time is not None and arguments.full_budgets is not None:
        raise InputError("full budgets", arguments.full_budgets, "one stop: either these or --time")
    for option in _SIMULATED_ONLY if real else _REAL_ONLY:
        if getattr(arguments, option) != arguments.defaults[option]:
            expected = "no such option with --objective train" if real else "--objective train beside it"
            raise InputError(option.replace("_", " "), str(getattr(arguments, option)), expected)
    if real:
        _by_trainings(arguments)
    else:
        _simulated(arguments)
    failed = _failed(arguments)
    for one in failed:
        print(f"jointbench: {one.sentence}", file=sys.stderr)  # noqa: T201
    page = write_report(arguments.out)
    if run_files(arguments.out):
        table = summary(arguments.out)
        for line in filter(None, [judged_line(arguments.out)]):
            say(line)
        show(summary_table(table, words(Settings.read(arguments.out)).title))
        for line in filter(None, [terminal_verdict(arguments.out), *trust_words(arguments.out, table)]):
            say(line)
    say(f"the picture: {page}")
    if failed:
        sys.exit(1)


def _failed(arguments: argparse.Namespace) -> list["Failure"]:
    """Of the runs that were asked for."""
    from jointbench.bench.comparing.failures import failures

    seeds = _seeds(arguments)
    return [one for folder in _folders(arguments) for one in failures(folder) if one.seed < seeds.get(one.optimizer, 0)]


def wanted_runs(arguments: argparse.Namespace) -> list[Path]:
    """Where the runs that were asked for are kept, or will be."""
    from jointbench.bench.comparing.comparison_folder import run_file

    return [
        run_file(folder, name, seed)
        for folder in _folders(arguments)
        for name, several in _seeds(arguments).items()
        for seed in range(several)
    ]


def _simulated(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls.comparing import check_objective
    from jointbench.bench.comparing.comparison import compare
    from jointbench.bench.comparing.deciding import undecided
    from jointbench.bench.comparing.simulated_objective import (
        SimulatedObjective,
        simulated_settings,
        timed_settings,
    )
    from jointbench.bench.pages.console import ComparisonDisplay
    from jointbench.bench.running.replay import ReplayObjective
    from jointbench.bench.running.surrogate_objective import SurrogateObjective
    from jointbench.data.log import EvaluationLog
    from jointbench.surrogate.stored import load_benchmark

    objective: SimulatedObjective
    if arguments.objective == "surrogate":
        objective = SurrogateObjective(load_benchmark(arguments.benchmark or DEFAULT_BENCHMARK))
        check_objective(objective, anyway=arguments.anyway)
    elif arguments.benchmark:
        raise InputError("benchmark", arguments.benchmark, "none beside a log, which answers by itself")
    else:
        objective = ReplayObjective(EvaluationLog.open(arguments.objective))
    _pass_over(arguments, objective.ladder)
    make: Callable[..., Settings]
    how: dict[str, Any] = {
        "overhead": arguments.charge_overhead,
        "death_rate": arguments.death_rate,
        "incumbent": arguments.incumbent,
        "first": arguments.first,
    }
    if arguments.full_budgets is None:
        make, how["time"] = timed_settings, arguments.time
    else:
        make, how["full_budgets"] = simulated_settings, arguments.full_budgets
    comparisons: dict[Path, Settings] = {
        _folder(arguments, workers): make(objective, workers=workers, **how)
        for workers in arguments.workers or [DEFAULT_WORKERS]
    }
    _check_outputs(arguments, comparisons)
    with ComparisonDisplay(arguments.quiet) as display:
        for folder, settings in comparisons.items():
            planned = _looks(arguments)
            for number, seeds in enumerate(planned or [_seeds(arguments)]):
                changed = compare(
                    settings,
                    arguments.optimizers,
                    seeds=seeds,
                    out=folder,
                    jobs=arguments.jobs,
                    command=arguments.words,
                    progress=display.update,
                    force=arguments.force and number == 0,
                    looks=[max(look.values()) for look in planned],
                )
                for name in () if arguments.quiet else changed:
                    print(f"{name} has changed since it ran: all its runs were made anew", file=sys.stderr)  # noqa: T201
                if planned and not undecided(folder):
                    break


def _by_trainings(arguments: argparse.Namespace) -> None:
    from jointbench.data.images.registry import load_images
    from jointbench.surrogate.stored import load_benchmark

    numbers = arguments.workers or [None]
    places = [workplace(argparse.Namespace(**{**vars(arguments), "workers": number})) for number in numbers]
    # Only now that torch is known to be there.
    from jointbench.bench.comparing.real_comparison import compare_for_real, real_settings

    benchmark = load_benchmark(arguments.benchmark or DEFAULT_BENCHMARK)
    facts = load_images(arguments.images or benchmark.images.name, arguments.data).facts
    if arguments.ladder is None and facts.name != benchmark.images.name:
        raise InputError("ladder", None, f"budgets, since those of {benchmark.name} are for {benchmark.images.name}")
    if facts.name == benchmark.images.name:
        # What its trainings went through is the benchmark's to say.
        facts = replace(facts, augmentation=benchmark.images.augmentation)
    ladder = arguments.ladder or benchmark.ladder
    _pass_over(arguments, ladder)
    comparisons = {
        _folder(arguments, number): real_settings(
            benchmark.space,
            ladder,
            facts,
            device,
            workers=place.workers,
            full_budgets=arguments.full_budgets or _REAL_FULL_BUDGETS,
            incumbent=arguments.incumbent,
            first=arguments.first,
        )
        for number, (place, device) in zip(numbers, places, strict=True)
    }
    _check_outputs(arguments, comparisons)
    for (folder, settings), (place, device) in zip(comparisons.items(), places, strict=True):
        compare_for_real(
            settings,
            arguments.optimizers,
            device,
            place,
            seeds=_seeds(arguments),
            out=folder,
            data_folder=arguments.data,
            command=arguments.words,
            force=arguments.force,
            lock=not arguments.no_lock,
            quiet=arguments.quiet,
        )


def _pass_over(arguments: argparse.Namespace, ladder: Ladder) -> None:
    """Take from the default optimizers those that are not what their names say on this ladder."""
    from jointbench.optimizers import works_on

    if arguments.optimizers != names(DEFAULT_OPTIMIZERS):
        return
    if out := [name for name in arguments.optimizers if not works_on(name, ladder)]:
        arguments.optimizers = [name for name in arguments.optimizers if name not in out]
        one = f"{ladder} {ladder.unit} is the only budget, and they compare several"
        print(f"without {', '.join(out)}: {one}", file=sys.stderr)  # noqa: T201


def _check_outputs(arguments: argparse.Namespace, comparisons: "Mapping[Path, Settings]") -> None:
    """All of them, before the first is made."""
    from jointbench.bench.comparing.comparison_start import check_start
    from jointbench.bench.pages.report import PAGE
    from jointbench.data.files import check_writable

    for folder, settings in comparisons.items():
        check_start(folder, settings, arguments.optimizers, arguments.force)
    check_writable(arguments.out / PAGE)


def _seeds(arguments: argparse.Namespace) -> dict[str, int]:
    from jointbench.bench.comparing.comparison import default_seeds

    if arguments.until_decided:
        return dict.fromkeys(arguments.optimizers, arguments.until_decided)
    return {name: arguments.seeds or default_seeds(name) for name in arguments.optimizers}


def _looks(arguments: argparse.Namespace) -> list[dict[str, int]]:
    """Where seeds are added until the comparison is decided: the seeds of each look; otherwise none."""
    from jointbench.bench.comparing.comparison import DEFAULT_SEEDS
    from jointbench.bench.comparing.deciding import planned_looks

    if not arguments.until_decided:
        return []
    planned = planned_looks(arguments.seeds or DEFAULT_SEEDS, arguments.until_decided, len(arguments.optimizers))
    return [dict.fromkeys(arguments.optimizers, seeds) for seeds in planned]


def _folders(arguments: argparse.Namespace) -> list[Path]:
    return list(dict.fromkeys(_folder(arguments, workers) for workers in arguments.workers or [None]))


def _folder(arguments: argparse.Namespace, workers: int | None) -> Path:
    from jointbench.bench.comparing.comparison_folder import workers_folder

    out: Path = arguments.out
    if workers is None or arguments.workers is None or workers == arguments.workers[0]:
        return out
    return workers_folder(out, workers)
