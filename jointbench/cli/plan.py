"""`jointbench plan`: what a collection will take."""

import argparse

from jointbench.cli.collection_options import collection_options
from jointbench.cli.command import Commands, say
from jointbench.cli.values import memory, whole


def add_to(commands: Commands) -> None:
    summary = "Say what a collection will take: time, evaluations, disk, and what will not fit. Trains nothing."
    example = "plan --images cifar10 --ladder 400,1200,3600,10800 --optimizer bohb --full-budgets 256 --workers 10"
    sub = commands.add("plan", run, summary, example, answers=True)
    add = sub.add_argument
    collection_options(sub, required=True)
    add("--workers", type=whole("workers", 1), default=1, metavar="N", help="trainings at a time, default 1")
    add("--precision", choices=["fp32", "bf16"], default="fp32", help="default fp32")
    add("--memory", type=memory, metavar="GiB", help="of a device; default: several common ones are shown")


def run(arguments: argparse.Namespace) -> None:
    import jointbench

    made = jointbench.plan(
        images=arguments.images,
        ladder=arguments.ladder,
        full_budgets=arguments.full_budgets,
        optimizer=arguments.optimizer,
        space=arguments.space or "joint",
        seed=arguments.seed,
        workers=arguments.workers,
        precision=arguments.precision,
        memory=arguments.memory,
        checkpoint_every=arguments.checkpoint_every,
    )
    say(str(made))
