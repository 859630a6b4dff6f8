"""`jointbench collect`: train what an optimizer proposes, and log it."""

import argparse
import signal
from urllib.parse import quote

from jointbench.cli.command import Commands, full_budgets, say
from jointbench.cli.training_options import training_options
from jointbench.cli.values import positive, whole
from jointbench.cli.workplace_options import workplace, workplace_options
from jointbench.data.joint import JOINT
from jointbench.data.ladder import Ladder


def add_to(commands: Commands) -> None:
    summary = "Train what an optimizer proposes and log every evaluation; a run that was stopped goes on."
    example = (
        "collect runs/log --images digits --ladder 1,3,9,27 --optimizer random --full-budgets 20 --workers 2 --seed 0"
    )
    sub = commands.add("collect", run, summary, example)
    add = sub.add_argument
    add("log", metavar="LOG", help="folder of the log; begun if it does not exist")
    add("--images", required=True, help="digits, fashion-mnist, cifar10 or cifar100")
    add("--ladder", type=Ladder.parse, required=True, help="budgets: 1,3,9,27 (seconds) or 3,9,27epochs")
    add("--optimizer", default="random", help="default random")
    full_budgets(sub)
    add("--seed", type=whole("seed", 0), default=0, help="default 0")
    add(
        "--repeat",
        type=whole("repeat", 1),
        metavar="K",
        help="instead of searching, repeat K configurations of the log at its two largest budgets",
    )
    add(
        "--repeat-seeds",
        type=whole("repeat seeds", 2),
        default=3,
        metavar="S",
        help="until each has S evaluations a budget, default 3",
    )
    add(
        "--checkpoint-every",
        type=positive("checkpoint every"),
        default=300.0,
        metavar="SECONDS",
        help="a longer training is kept on disk so often, and goes on from there on another worker; default 300",
    )
    add(
        "--stop-after",
        type=positive("stop after"),
        metavar="MINUTES",
        help="stop then, so that the same command can go on later; default: when the budgets are spent",
    )
    workplace_options(sub)
    training_options(sub)


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.collecting.collection import collect, repeats
    from jointbench.bench.collecting.collection_display import CollectionDisplay
    from jointbench.data.images import load_images
    from jointbench.data.log import EvaluationLog
    from jointbench.optimizers import make_optimizer

    place, device = workplace(arguments)
    # Only now that torch is known to be there.
    from jointbench.bench.running.training_objective import TrainingObjective

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
    objective = TrainingObjective(
        JOINT, ladder, arguments.images, device, arguments.data, log.path, arguments.checkpoint_every
    )
    # It names files too.
    run_name = f"{quote(optimizer.name, safe=':=')}-{arguments.seed}"
    ended = ""
    try:
        if arguments.stop_after is not None:
            _raise_after(60 * arguments.stop_after)
        with CollectionDisplay(run_name, ladder, arguments.full_budgets) as display:
            collect(log, objective, optimizer, run_name=run_name, workplace=place, **settings, watcher=display)
    except _TimeIsUpError:
        ended = f"; stopped after {arguments.stop_after:g} minutes, the same command goes on"
    say(f"{run_name}: {log.table().num_rows} evaluations in {log.path}{ended}")


class _TimeIsUpError(Exception):
    """The minutes that a person gave are over."""


def _raise_after(seconds: float) -> None:
    def ring(number: int, frame: object) -> None:
        raise _TimeIsUpError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
