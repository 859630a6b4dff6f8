"""`jointbench collect`: train what an optimizer proposes, and log it."""

import argparse
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.collection_options import collection_options
from jointbench.cli.command import Commands, say
from jointbench.cli.training_options import training_options
from jointbench.cli.values import positive, whole
from jointbench.cli.workplace_options import workplace, workplace_options
from jointbench.data.errors import InputError

if TYPE_CHECKING:
    from jointbench.bench.calls.collecting import CollectionRun
    from jointbench.bench.collecting.evidence import EvidencePlan
    from jointbench.data.images.facts import ImageFacts


def add_to(commands: Commands) -> None:
    summary = "Train what an optimizer proposes and log every evaluation; a run that was stopped goes on."
    example = (
        "collect runs/log --images digits --ladder 1,3,9,27 --optimizer random --full-budgets 20 --workers 2 --seed 0"
    )
    sub = commands.add("collect", run, summary, example)
    add = sub.add_argument
    add("log", metavar="LOG", help="folder of the log; begun if it does not exist")
    add(
        "--plan",
        type=Path,
        metavar="FILE.toml",
        help="collect the parts of a plan, which names space, images, ladder, clock and memory",
    )
    collection_options(sub, required=False)
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
        "--stop-after",
        type=positive("stop after"),
        metavar="MINUTES",
        help="stop then, so that the same command can go on later; default: when the budgets are spent",
    )
    workplace_options(sub)
    training_options(sub)


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls.collecting import train_runs
    from jointbench.bench.collecting.evidence import EvidencePlan
    from jointbench.data.images.registry import load_images

    plan = None if arguments.plan is None else EvidencePlan.read(arguments.plan)
    if plan is not None:
        arguments.space, arguments.images, arguments.ladder = plan.space.name, plan.images, plan.ladder
        arguments.clock, arguments.memory = plan.clock, int(plan.memory * 2**30)
    for option in ("images", "ladder") + (() if plan else ("full_budgets",)):
        if getattr(arguments, option) is None:
            raise InputError(option.replace("_", " "), None, f"--{option.replace('_', '-')}, or a --plan")
    place, device = workplace(arguments)
    facts = load_images(arguments.images, arguments.data).facts
    try:
        if arguments.stop_after is not None:
            _raise_after(60 * arguments.stop_after)
        for made in train_runs(
            _runs(arguments, plan, facts),
            arguments.images,
            hardware=device,
            workplace=place,
            data=arguments.data,
            checkpoint_every=arguments.checkpoint_every,
            quiet=arguments.quiet,
            lock=not arguments.no_lock,
        ):
            say(f"{made.name}: {len(made.log):,} evaluations in {made.log.path}")
    except _TimeIsUp:
        say(f"stopped after {arguments.stop_after:g} minutes, the same command goes on")


def _runs(
    arguments: argparse.Namespace, plan: "EvidencePlan | None", images: "ImageFacts"
) -> "Iterator[CollectionRun]":
    """Each is made when those before it have ended: what a part of a plan trains may follow from them."""
    from jointbench.bench.calls.collecting import CollectionRun, searching
    from jointbench.bench.collecting.collection import repeats
    from jointbench.bench.collecting.evidence import optimizer_of
    from jointbench.data.log import EvaluationLog
    from jointbench.data.seeds import collection_seed
    from jointbench.data.spaces.registry import get_space
    from jointbench.optimizers import make_optimizer

    space, ladder = get_space(arguments.space), arguments.ladder
    if plan is not None:
        log = EvaluationLog.open_or_create(arguments.log, space, ladder, images)
        for part in plan.parts:
            optimizer, full_budgets = optimizer_of(part, log)
            yield CollectionRun(part.name, log, optimizer, full_budgets, collection_seed(part.seed))
        return
    settings = {"seed": collection_seed(arguments.seed), "full_budgets": arguments.full_budgets}
    if arguments.repeat is None:
        optimizer = make_optimizer(arguments.optimizer, space, ladder, **settings)
        log = EvaluationLog.open_or_create(arguments.log, space, ladder, images)
    else:
        log = EvaluationLog.open_or_create(arguments.log, space, ladder, images)
        optimizer = repeats(log, arguments.repeat, arguments.repeat_seeds, **settings)
    yield searching(log, optimizer, arguments.seed, arguments.full_budgets)


class _TimeIsUp(BaseException):
    """The minutes that a person gave are over; no fault of whatever happens to be at work then, so no Exception."""


def _raise_after(seconds: float) -> None:
    def ring(number: int, frame: object) -> None:
        raise _TimeIsUp

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
