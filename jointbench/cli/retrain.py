"""`jointbench retrain`: check a comparison's winners by real trainings."""

import argparse
import sys
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.cli.training_options import training_options
from jointbench.cli.values import IMAGE_NAMES, names, positive, whole
from jointbench.cli.workplace_options import worker_keywords, workplace_options


def add_to(commands: Commands) -> None:
    summary = "Train the incumbents of a comparison for real and add predicted against real error to its page."
    sub = commands.add("retrain", run, summary, "retrain runs/compare --seeds 3")
    add = sub.add_argument
    add("comparison", type=Path, metavar="COMPARISON", help="folder that `compare` wrote")
    add("--images", help=f"{IMAGE_NAMES}; default those that the comparison is about")
    add("--seeds", type=whole("seeds", 1), default=3, metavar="N", help="trainings each, default 3")
    workplace_options(sub)
    add(
        "--objective",
        metavar="FILE.py:FUNCTION",
        help="train by a function of your own, as `collect` takes it, where the comparison is about such trainings",
    )
    add(
        "--timeout",
        type=positive("timeout"),
        metavar="SECONDS",
        help="give a training of the function up then; default: where the budget is in seconds ten of it and a minute",
    )
    add("--optimizers", type=names("optimizers"), help="whose incumbents; default all")
    add("--runs", type=whole("runs", 1), metavar="N", help="only the incumbents of an optimizer's first N runs")
    add(
        "--references",
        type=names("references"),
        default=["all"],
        help="published networks to train beside them, as `jointbench describe` lists them; default all, or none",
    )
    training_options(sub)


def run(arguments: argparse.Namespace) -> None:
    import jointbench
    from jointbench.bench.comparing.comparison_folder import RETRAININGS
    from jointbench.cli.collection_display import CollectionDisplay

    chosen: dict[str, list[str] | None] = {"all": None, "none": []}
    [first, *others] = arguments.references
    with CollectionDisplay(arguments.quiet) as display:
        made = jointbench.retrain(
            arguments.comparison,
            optimizers=arguments.optimizers,
            runs=arguments.runs,
            references=arguments.references if others else chosen.get(first, [first]),
            seeds=arguments.seeds,
            objective=arguments.objective,
            timeout=arguments.timeout,
            images=arguments.images,
            data=arguments.data,
            lock=not arguments.no_lock,
            progress=display,
            planned=say,
            **worker_keywords(arguments),
        )
    say(f"the picture: {made.page}")
    if why := made.nothing_known:
        anew = f"trained anew where {made.folder / RETRAININGS} is removed"
        print(f"jointbench: nothing is known of the incumbents: {why}; {anew}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
