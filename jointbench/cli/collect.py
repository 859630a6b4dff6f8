"""`jointbench collect`: train what an optimizer proposes, and log it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.collection_options import collection_options
from jointbench.cli.command import Commands, say
from jointbench.cli.training_options import training_options
from jointbench.cli.values import positive, whole
from jointbench.cli.workplace_options import worker_keywords, workplace_options
from jointbench.data.quantities import counted

if TYPE_CHECKING:
    from jointbench.bench.collecting.collection_progress import CollectionProgress


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
        "--objective",
        metavar="FILE.py:FUNCTION",
        help="train by a function of your own, train(configuration, budget, seed, report), instead of our networks",
    )
    add(
        "--metrics",
        metavar="NAME,…",
        help="what the function returns, the objective first; its own with :max to maximise one, with :0..20 to "
        "bound it, with :fraction for one from 0 to 1, shown in per cent; default validation_error",
    )
    add(
        "--timeout",
        type=positive("timeout"),
        metavar="SECONDS",
        help="give a training of the function up then; default: where the budget is in seconds ten of it and a minute",
    )
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
        "--architectures",
        type=whole("architectures", 1),
        default=1,
        metavar="A",
        help="train each proposal of a generator on A networks drawn from it, and tell the optimizer the means; "
        "default 1",
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
    import jointbench
    from jointbench.cli.collection_display import CollectionDisplay
    from jointbench.data.images.joined import said_of_errors

    def hear(progress: "CollectionProgress") -> None:
        display(progress)
        if progress.event == "ended":
            log = jointbench.EvaluationLog.open(arguments.log)
            say(f"{progress.stage}: {counted(len(log), 'evaluation')} in {log.path}")

    with CollectionDisplay(arguments.quiet) as display:
        made = jointbench.collect(
            arguments.log,
            images=arguments.images,
            ladder=arguments.ladder,
            full_budgets=arguments.full_budgets,
            optimizer=arguments.optimizer,
            space=arguments.space,
            seed=arguments.seed,
            objective=arguments.objective,
            metrics=arguments.metrics,
            timeout=arguments.timeout,
            plan=arguments.plan,
            repeat=arguments.repeat,
            repeat_seeds=arguments.repeat_seeds,
            architectures=arguments.architectures,
            stop_after=arguments.stop_after,
            data=arguments.data,
            checkpoint_every=arguments.checkpoint_every,
            lock=not arguments.no_lock,
            progress=hear,
            **worker_keywords(arguments),
        )
    if said := said_of_errors(made.log.task.images):
        say(f"note: {said}")
    if not made.complete:
        say(f"stopped after {arguments.stop_after:g} minutes, the same command goes on")
    if why := made.nothing_known:
        print(f"jointbench: {made.log.path} has {why}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
