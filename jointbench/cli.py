"""The command line: one function a command; each prints for people and leaves the work to the folders below."""

import argparse
import json
import math
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import jointbench
from jointbench.data.errors import InputError, JointBenchError, MissingExtraError, WouldOverwriteError
from jointbench.data.joint import JOINT
from jointbench.data.ladder import Ladder

#: The benchmark that a command takes when none is named.
DEFAULT_BENCHMARK = "digits-cpu"
DEFAULT_OPTIMIZERS = "random,hyperband,bohb,smac,two-stage"


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def say(line: str = "") -> None:
    print(line)  # noqa: T201


def _whole(field: str, least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise InputError(field, text, f"a whole number of at least {least}")
        return value

    return parse


def _positive(field: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not (value > 0 and math.isfinite(value)):
            raise InputError(field, text, "a finite number above 0")
        return value

    return parse


def _least_zero(field: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not (value >= 0 and math.isfinite(value)):
            raise InputError(field, text, "a finite number of at least 0")
        return value

    return parse


def _overhead(text: str) -> float | str:
    return text if text == "measured" else _least_zero("overhead")(text)


def _worker_counts(text: str) -> list[int]:
    counts = [_whole("workers", 1)(part) for part in text.split(",")]
    if len(set(counts)) != len(counts):
        raise InputError("workers", text, "different numbers separated by commas")
    return counts


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(set(names)) != len(names):
        raise InputError("optimizers", text, "different names separated by commas")
    return names


def _describe(arguments: argparse.Namespace) -> None:
    if arguments.configuration is None:
        say(f"space '{JOINT.name}': {len(JOINT.hyperparameters)} hyperparameters (Zela et al. 2018, Table 3)\n")
        for h in JOINT.hyperparameters:
            part = "architecture" if h.name in JOINT.architecture else "training"
            say(f"  {h.name:<16} {h.range:<28} {'log' if h.log else '   '}  {part}")
        say("\nnamed configurations:\n")
        for name, configuration in JOINT.named.items():
            say(f"  {name:<24} {JOINT.facts(configuration).parameters / 1e6:6.2f}M parameters")
        return
    configuration = JOINT.load(arguments.configuration)
    facts = JOINT.facts(configuration, arguments.image_shape, arguments.classes)
    channels, height, width = arguments.image_shape
    for name, value in configuration.items():
        say(f"  {name:<16} {value:g}")
    say(f"\n  for {height}x{width} images with {channels} channel(s) and {arguments.classes} classes:")
    say(f"  widths           {', '.join(str(w) for w in facts.widths)}")
    say(f"  parameters       {facts.parameters:,} ({facts.parameters / 1e6:.2f}M)")
    say(f"  FLOPs an image   {facts.flops:,} ({facts.flops / 1e9:.3f} G, forward, two a multiply-add)")


def _image_shape(text: str) -> tuple[int, int, int]:
    try:
        channels, height, width = (int(part) for part in text.split("x"))
    except ValueError:
        channels = height = width = 0
    if min(channels, height, width) < 1:
        raise InputError("image shape", text, "channels x height x width such as 3x32x32")
    return channels, height, width


def _memory(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (value > 0 and math.isfinite(value)):
        raise InputError("memory", text, "GiB as a finite number above 0")
    return int(value * 2**30)


def _collect(arguments: argparse.Namespace) -> None:
    from jointbench.bench.collection import collect, repeats
    from jointbench.bench.console import CollectionDisplay
    from jointbench.data.images import load_images
    from jointbench.data.log import EvaluationLog
    from jointbench.optimizers import make_optimizer

    hardware = _hardware(arguments)
    # Only now that torch is known to be there.
    from jointbench.bench.training_objective import TrainingObjective

    facts = load_images(arguments.images, arguments.data).facts
    ladder: Ladder = arguments.ladder
    name = arguments.optimizer
    settings = {"seed": arguments.seed, "full_budgets": arguments.full_budgets}
    if arguments.repeat is None:
        optimizer = make_optimizer(name, JOINT, ladder, **settings)
        log = EvaluationLog.open_or_create(arguments.log, JOINT, ladder, facts)
    else:
        log = EvaluationLog.open_or_create(arguments.log, JOINT, ladder, facts)
        optimizer = repeats(log, arguments.repeat, arguments.repeat_seeds, **settings)
    objective = TrainingObjective(JOINT, ladder, arguments.images, hardware, arguments.data)
    run_name = f"{optimizer.name}-{arguments.seed}"
    with CollectionDisplay(run_name, ladder, arguments.full_budgets) as display:
        for finished in collect(log, objective, optimizer, run_name=run_name, workers=arguments.workers, **settings):
            display.show(finished)
    say(f"{run_name}: {log.table().num_rows} evaluations in {log.path}")


def _hardware(arguments: argparse.Namespace) -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch is needed to train: pip install 'jointbench[train]'") from None
    from jointbench.bench.trainer import Hardware

    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        usable = torch.device(device).type in ("cpu", "cuda")
    except RuntimeError:
        usable = False
    if not usable or (device != "cpu" and not torch.cuda.is_available()):
        raise InputError("device", device, "cpu" + (" or cuda" if torch.cuda.is_available() else ", there is no GPU"))
    return Hardware(device, arguments.precision, arguments.memory)


def _fit(arguments: argparse.Namespace) -> None:
    from jointbench.bench.console import quality_table, show
    from jointbench.data.log import EvaluationLog
    from jointbench.surrogate.card import card
    from jointbench.surrogate.surrogate import Surrogate

    out: Path = arguments.out
    if out.exists() and not arguments.force:
        raise WouldOverwriteError("benchmark folder", str(out), "one that does not exist, or --force")
    log = EvaluationLog.open(arguments.log)
    surrogate = Surrogate.fit(log, arguments.name or out.resolve().name, seed=arguments.seed)
    surrogate.save(out, extra={"card.md": card(surrogate.benchmark, log).encode()}, force=arguments.force)
    show(quality_table(surrogate.benchmark))
    say(f"{surrogate.benchmark.name}: fitted to {surrogate.benchmark.provenance['evaluations']} evaluations, in {out}")


def _query(arguments: argparse.Namespace) -> None:
    from jointbench.surrogate.benchmark import load_benchmark

    benchmark = load_benchmark(arguments.benchmark)
    configuration = benchmark.search_space.load(arguments.configuration)
    budget = benchmark.ladder.maximum if arguments.budget is None else arguments.budget
    say(json.dumps(asdict(benchmark.query(configuration, budget, arguments.seed)), indent=2))


def _compare(arguments: argparse.Namespace) -> None:
    from jointbench.bench.comparison import compare, default_seeds
    from jointbench.bench.comparison_folder import workers_folder
    from jointbench.bench.console import ComparisonDisplay, show, summary_table
    from jointbench.bench.report import write_report
    from jointbench.bench.trajectories import summary
    from jointbench.surrogate.benchmark import load_benchmark

    benchmark = load_benchmark(arguments.benchmark)
    first = arguments.workers[0]
    with ComparisonDisplay() as display:
        for workers in arguments.workers:
            compare(
                benchmark,
                arguments.optimizers,
                seeds={name: arguments.seeds or default_seeds(name) for name in arguments.optimizers},
                workers=workers,
                full_budgets=arguments.full_budgets,
                out=arguments.out if workers == first else workers_folder(arguments.out, workers),
                jobs=arguments.jobs,
                command=arguments.words,
                progress=display.update,
                force=arguments.force,
                overhead=arguments.charge_overhead,
                death_rate=arguments.death_rate,
            )
    page = write_report(arguments.out)
    show(summary_table(summary(arguments.out)))
    say(f"the picture: {page}")


def _retrain(arguments: argparse.Namespace) -> None:
    from jointbench.bench.report import write_report

    hardware = _hardware(arguments)
    # Only now that torch is known to be there.
    from jointbench.bench.retraining import retrain

    count = retrain(
        arguments.comparison,
        images=arguments.images,
        data_folder=arguments.data,
        hardware=hardware,
        seeds=arguments.seeds,
        workers=arguments.workers,
    )
    say(f"{count} trainings in {arguments.comparison}")
    say(f"the picture: {write_report(arguments.comparison)}")


def _report(arguments: argparse.Namespace) -> None:
    from jointbench.bench.report import write_report, write_side_by_side

    if arguments.second is None:
        say(f"the picture: {write_report(arguments.folder)}")
    else:
        say(f"the picture: {write_side_by_side(arguments.folder, arguments.second)}")


class _Commands:
    """The parser, command by command."""

    def __init__(self) -> None:
        self.parser = _Parser(
            prog="jointbench",
            description="Which optimizer wins when architecture and hyperparameters are searched together?",
        )
        self.parser.add_argument("--version", action="version", version=f"jointbench {jointbench.__version__}")
        self._commands = self.parser.add_subparsers(
            dest="command", required=True, metavar="COMMAND", parser_class=_Parser
        )
        self._describe()
        self._collect()
        self._fit()
        self._query()
        self._compare()
        self._retrain()
        self._report()

    def _command(self, name: str, action: Callable[[argparse.Namespace], None], summary: str, example: str) -> _Parser:
        made = self._commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  jointbench {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(action=action)
        return made

    def _describe(self) -> None:
        summary = "Show the space, or one configuration's widths, parameters and FLOPs."
        add = self._command("describe", _describe, summary, "describe zela-2018").add_argument
        add("configuration", nargs="?", metavar="CONFIG.json", help="a JSON file or a named configuration")
        add("--image-shape", type=_image_shape, default=(3, 32, 32), metavar="CxHxW", help="default 3x32x32")
        add("--classes", type=_whole("classes", 2), default=10, help="default 10")

    def _collect(self) -> None:
        summary = "Train what an optimizer proposes and log every evaluation; a run that was stopped goes on."
        example = (
            "collect runs/log --images digits --ladder 1,3,9,27 "
            "--optimizer random --full-budgets 20 --workers 2 --seed 0"
        )
        sub = self._command("collect", _collect, summary, example)
        add = sub.add_argument
        add("log", metavar="LOG", help="folder of the log; begun if it does not exist")
        add("--images", required=True, help="digits, fashion-mnist, cifar10 or cifar100")
        add("--ladder", type=Ladder.parse, required=True, help="budgets: 1,3,9,27 (seconds) or 3,9,27epochs")
        add("--optimizer", default="random", help="default random")
        _full_budgets(sub)
        add("--workers", type=_whole("workers", 1), default=1, help="processes, default 1")
        add("--seed", type=_whole("seed", 0), default=0, help="default 0")
        add(
            "--repeat",
            type=_whole("repeat", 1),
            metavar="K",
            help="instead of searching, repeat K configurations of the log at its two largest budgets",
        )
        add(
            "--repeat-seeds",
            type=_whole("repeat seeds", 2),
            default=3,
            metavar="S",
            help="until each has S evaluations a budget, default 3",
        )
        _training_options(sub)

    def _fit(self) -> None:
        summary = "Fit the surrogate to a log, judge it on held-out configurations and freeze it."
        sub = self._command("fit", _fit, summary, "fit runs/log --out runs/benchmark")
        add = sub.add_argument
        add("log", metavar="LOG", help="folder of the log, or a released Parquet file")
        add("--out", type=Path, required=True, metavar="BENCHMARK", help="folder to write")
        add("--name", help="the benchmark's name; default that of the folder")
        add("--seed", type=_whole("seed", 0), default=0, help="default 0")
        _force(sub)

    def _query(self) -> None:
        summary = "Ask a benchmark for the outcome of a configuration, as JSON."
        example = f"query {DEFAULT_BENCHMARK} zela-2018 --budget 27 --seed 3"
        add = self._command("query", _query, summary, example).add_argument
        add("benchmark", metavar="BENCHMARK", help="a name that ships, or a folder")
        add("configuration", metavar="CONFIG.json", help="a JSON file or a named configuration")
        add("--budget", type=_positive("budget"), help="default the largest")
        add("--seed", type=_whole("seed", 0), help="one noisy draw; default the expected outcome")

    def _compare(self) -> None:
        summary = "Compare optimizers on a benchmark with a simulated cluster; computes only what is not there yet."
        example = "compare --optimizers random,bohb --seeds 10 --workers 10 --full-budgets 256 --out runs/compare"
        sub = self._command("compare", _compare, summary, example)
        add = sub.add_argument
        add(
            "benchmark",
            nargs="?",
            default=DEFAULT_BENCHMARK,
            metavar="BENCHMARK",
            help=f"a name that ships, or a folder; default {DEFAULT_BENCHMARK}",
        )
        add("--optimizers", type=_names, default=DEFAULT_OPTIMIZERS, help=f"default {DEFAULT_OPTIMIZERS}")
        add("--seeds", type=_whole("seeds", 1), metavar="N", help="runs an optimizer; default 10 (smac-default: 2)")
        add(
            "--workers",
            type=_worker_counts,
            default=[10],
            metavar="N[,N...]",
            help="simulated workers, default 10; the page is about the first number and shows what the others change",
        )
        _full_budgets(sub, default=256.0)
        add("--out", type=Path, default=Path("runs/compare"), metavar="DIR", help="default runs/compare")
        add("--jobs", type=_whole("jobs", 1), help="processes; default one a core")
        add(
            "--charge-overhead",
            type=_overhead,
            nargs="?",
            const="measured",
            default=0.0,
            metavar="SECONDS",
            help="charge the optimizer's thinking to the simulated clock: as measured, or so many seconds a trial",
        )
        add(
            "--death-rate",
            type=_least_zero("death rate"),
            default=0.0,
            metavar="R",
            help="let workers die, R times an hour of a worker's work on average; default 0",
        )
        _force(sub)

    def _retrain(self) -> None:
        summary = "Train the incumbents of a comparison for real and add predicted against real error to its page."
        sub = self._command("retrain", _retrain, summary, "retrain runs/compare --images digits --seeds 3")
        add = sub.add_argument
        add("comparison", type=Path, metavar="COMPARISON", help="folder that `compare` wrote")
        add("--images", required=True, help="digits, fashion-mnist, cifar10 or cifar100")
        add("--seeds", type=_whole("seeds", 1), default=3, metavar="N", help="trainings each, default 3")
        add("--workers", type=_whole("workers", 1), default=1, help="processes, default 1")
        _training_options(sub)

    def _report(self) -> None:
        summary = "Draw the page of a comparison, of a log, or of two comparisons side by side."
        add = self._command("report", _report, summary, "report runs/compare").add_argument
        add("folder", type=Path, metavar="COMPARISON or LOG", help="folder of a comparison, or a log")
        add("second", type=Path, nargs="?", metavar="COMPARISON", help="another comparison, to lay beside the first")


def _full_budgets(sub: argparse.ArgumentParser, default: float | None = None) -> None:
    shown = "" if default is None else f"; default {default:g}"
    sub.add_argument(
        "--full-budgets",
        type=_positive("full budgets"),
        required=default is None,
        default=default,
        metavar="N",
        help=f"stop when the budgets spent sum up to N of the largest{shown}",
    )


def _force(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--force", action="store_true", help="replace what is there")


def _training_options(sub: argparse.ArgumentParser) -> None:
    add = sub.add_argument
    add("--data", metavar="DIR", help="folder of the image files; default $JOINTBENCH_DATA, the cache or a download")
    add("--device", help="cpu, cuda or cuda:1; default the first GPU, else the CPU")
    add("--precision", choices=["fp32", "bf16"], default="fp32", help="default fp32")
    add("--memory", type=_memory, metavar="GiB", help="device memory that a training may take; default all")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exits with 2 and one sentence on standard error when the input cannot be used."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = _Commands().parser.parse_args(words)
        parsed.words = shlex.join(["jointbench", *words])
        parsed.action(parsed)
    except JointBenchError as error:
        print(f"jointbench: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        print("jointbench: stopped; the same command goes on", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.exit(0)
