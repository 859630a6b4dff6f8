"""`jointbench train`: train one network and log what came of it."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.command import Commands, say
from jointbench.cli.training_options import training_keywords, training_options
from jointbench.cli.values import IMAGE_NAMES, whole
from jointbench.data.ladder import Ladder

if TYPE_CHECKING:
    from jointbench.bench.calls.progress import Progress


def add_to(commands: Commands) -> None:
    summary = "Train one network for a budget, print what came of it and log it."
    sub = commands.add("train", run, summary, "train preact-resnet-18 --images digits --budget 27")
    add = sub.add_argument
    add("network", metavar="NAME", help="a named configuration, such as a reference network's, or a JSON file")
    add("--space", metavar="SPACE", help="that of a JSON file: joint (default), joint-small, or another by name")
    add("--images", required=True, help=IMAGE_NAMES)
    add("--budget", required=True, help="27 (in the ladder's unit), 27s or 27epochs")
    add(
        "--ladder",
        type=Ladder.parse,
        help="the budget is a rung of it, whose position says how often the learning rate restarts; default: the "
        "budget is the largest of four, a factor of 3 apart (as the paper's 10800 s)",
    )
    add("--seed", type=whole("seed", 0), default=0, help="default 0")
    add(
        "--architecture-seed", type=whole("architecture seed", 0), default=0, help="of a generator's network; default 0"
    )
    add("--log", type=Path, metavar="LOG", help="folder of the log; default runs/train-SPACE-IMAGES-BUDGET")
    add("--json", action="store_true", help="print the evaluation as JSON and nothing else")
    training_options(sub)


def run(arguments: argparse.Namespace) -> None:
    import jointbench
    from jointbench.data.schema import as_record

    def hear(progress: "Progress") -> None:
        if not arguments.quiet:
            print(progress.stage, file=sys.stderr)  # noqa: T201

    made = jointbench.train(
        arguments.network,
        space=arguments.space,
        images=arguments.images,
        budget=arguments.budget,
        ladder=arguments.ladder,
        seed=arguments.seed,
        architecture_seed=arguments.architecture_seed,
        log=arguments.log,
        data=arguments.data,
        progress=hear,
        **training_keywords(arguments),
    )
    if arguments.json:
        say(json.dumps(as_record(made.evaluation), indent=2))
    else:
        say(str(made))
        say(f"\nlogged in {made.log.path}")
    if why := made.nothing_known:
        print(f"jointbench: the training did not end ok ({why})", file=sys.stderr)  # noqa: T201
        sys.exit(1)
