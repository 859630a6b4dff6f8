"""`jointbench train`: train one network and log what came of it."""

import argparse
import json
import sys
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.cli.training_options import hardware, training_options
from jointbench.cli.values import budget, whole
from jointbench.data.errors import BudgetError
from jointbench.data.evaluation import Evaluation, failed
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import METRICS
from jointbench.data.quantities import large, size
from jointbench.data.schema import as_record
from jointbench.data.spaces.registry import find_configuration

#: From the smallest rung to the largest, on the paper's ladder: 400 to 10,800 s.
PAPER_SPAN = 27


def add_to(commands: Commands) -> None:
    summary = "Train one network for a budget, print what came of it and log it."
    sub = commands.add("train", run, summary, "train preact-resnet-18 --images digits --budget 27")
    add = sub.add_argument
    add("network", metavar="NAME", help="a named configuration, such as a reference network's, or a JSON file")
    add("--images", required=True, help="digits, fashion-mnist, cifar10 or cifar100")
    add("--budget", type=budget, required=True, help="27 (in the ladder's unit), 27s or 27epochs")
    add(
        "--ladder",
        type=Ladder.parse,
        help="the budget is a rung of it, whose position says how often the learning rate restarts; default: the "
        "budget is the largest of four, a factor of 3 apart (as the paper's 10800 s)",
    )
    add("--seed", type=whole("seed", 0), default=0, help="default 0")
    add("--log", type=Path, metavar="LOG", help="folder of the log; default runs/train-SPACE-IMAGES-BUDGET")
    add("--json", action="store_true", help="print the evaluation as JSON and nothing else")
    training_options(sub)


def run(arguments: argparse.Namespace) -> None:
    from jointbench.data.images.registry import load_images
    from jointbench.data.log import EvaluationLog

    space, configuration = find_configuration(arguments.network)
    ladder = _ladder(arguments)
    largest = f"{arguments.budget[0]:g} {ladder.unit}"
    device = hardware(arguments)
    # Only now that torch is known to be there.
    from jointbench.bench.running.training_objective import TrainingObjective

    facts = load_images(arguments.images, arguments.data).facts
    default = Path("runs") / f"train-{space.name}-{facts.name}-{largest.replace(' ', '-')}"
    log = EvaluationLog.open_or_create(arguments.log or default, space, ladder, facts)
    objective = TrainingObjective(space, ladder, arguments.images, device, arguments.data, log.path)
    if not arguments.quiet:
        print(f"training {arguments.network} on {facts.name} for {largest}", file=sys.stderr)  # noqa: T201
    evaluation = objective(configuration, arguments.budget[0], arguments.seed)
    log.append([evaluation])
    objective.discard(evaluation)
    if arguments.json:
        say(json.dumps(as_record(evaluation), indent=2))
    else:
        _show(evaluation)
        say(f"\nlogged in {log.path}")


def _ladder(arguments: argparse.Namespace) -> Ladder:
    """The ladder that was given or follows from the budget. Raises BudgetError when the budget is none of its rungs."""
    value, unit = arguments.budget
    if arguments.ladder is None:
        return Ladder(value / PAPER_SPAN, value, unit=unit or "seconds")
    ladder: Ladder = arguments.ladder
    if unit not in (None, ladder.unit):
        raise BudgetError("budget", f"{value:g} {unit}", f"{ladder.unit}, as the ladder's are")
    ladder.rung_of(value)
    return ladder


def _show(evaluation: Evaluation) -> None:
    made = evaluation.provenance
    lines = {
        "status": evaluation.status + (f": {evaluation.reason}" if evaluation.reason else ""),
        **{METRICS[name].label: METRICS[name].shown(evaluation.metrics[name]) for name in failed()},
        "steps": f"{evaluation.steps:,}",
        "epochs": f"{evaluation.epochs:.2f}",
        "parameters": large(evaluation.parameters),
        "training seconds": f"{evaluation.training_seconds:.2f} ({made.clock})",
        "wall seconds": f"{evaluation.wall_seconds:.2f}",
        "images a second": f"{evaluation.images_per_second:,.0f}",
        "peak memory": size(evaluation.peak_memory),
        "device": f"{made.device}, {made.precision}",
    }
    for name, value in lines.items():
        say(f"  {name:<17} {value}")
