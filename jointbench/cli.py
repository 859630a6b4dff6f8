"""The command line: one function a command; each prints for people and leaves the work to the folders below."""

import argparse
import math
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import jointbench
from jointbench.data.errors import InputError, JointBenchError
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


def _names(field: str) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        if not all(names) or len(set(names)) != len(names):
            raise InputError(field, text, "different names separated by commas")
        return names

    return parse


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
        from jointbench.data.errors import MissingExtraError

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


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="jointbench",
        description="Which optimizer wins when architecture and hyperparameters are searched together?",
    )
    parser.add_argument("--version", action="version", version=f"jointbench {jointbench.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, action: Callable[[argparse.Namespace], None], summary: str, example: str) -> Any:
        made = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  jointbench {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(action=action)
        return made

    sub = command(
        "describe",
        _describe,
        "Show the space, or one configuration's widths, parameters and FLOPs.",
        "describe zela-2018",
    )
    sub.add_argument("configuration", nargs="?", metavar="CONFIG.json", help="a JSON file or a named configuration")
    sub.add_argument("--image-shape", type=_image_shape, default=(3, 32, 32), metavar="CxHxW", help="default 3x32x32")
    sub.add_argument("--classes", type=_whole("classes", 2), default=10, help="default 10")

    sub = command(
        "collect",
        _collect,
        "Train what an optimizer proposes and log every evaluation; goes on where it stopped.",
        "collect runs/log --images digits --ladder 1,3,9,27 --optimizer random --full-budgets 20 --workers 2",
    )
    sub.add_argument("log", metavar="LOG", help="folder of the log; begun if it does not exist")
    sub.add_argument("--images", required=True, help="digits, fashion-mnist, cifar10 or cifar100")
    sub.add_argument("--ladder", type=Ladder.parse, required=True, help="budgets: 1,3,9,27 (seconds) or 3,9,27epochs")
    sub.add_argument("--optimizer", default="random", help="default random")
    sub.add_argument(
        "--full-budgets",
        type=_positive("full budgets"),
        required=True,
        metavar="N",
        help="stop when the budgets spent sum up to N of the largest",
    )
    sub.add_argument("--workers", type=_whole("workers", 1), default=1, help="processes, default 1")
    sub.add_argument("--seed", type=_whole("seed", 0), default=0, help="default 0")
    sub.add_argument(
        "--repeat",
        type=_whole("repeat", 1),
        metavar="K",
        default=None,
        help="instead of searching, repeat K configurations of the log at its two largest budgets",
    )
    sub.add_argument(
        "--repeat-seeds",
        type=_whole("repeat seeds", 2),
        default=3,
        metavar="S",
        help="until each has S evaluations a budget, default 3",
    )
    _training_options(sub)
    return parser


def _training_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--data", metavar="DIR", help="folder of the image files (default: $JOINTBENCH_DATA, the cache, a download)"
    )
    sub.add_argument("--device", help="cpu, cuda or cuda:1; default the first GPU, else the CPU")
    sub.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="default fp32")
    sub.add_argument("--memory", type=_memory, metavar="GiB", help="device memory a training may take; default all")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exits with 2 and one sentence on standard error when the input cannot be used."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = _parser().parse_args(words)
        parsed.words = shlex.join(["jointbench", *words])
        parsed.action(parsed)
    except JointBenchError as error:
        print(f"jointbench: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        print("jointbench: stopped; the same command goes on", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
