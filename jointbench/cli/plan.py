"""`jointbench plan`: what a collection will take."""

import argparse

from jointbench.cli.command import Commands, full_budgets, say
from jointbench.cli.values import memory, whole
from jointbench.data.joint import JOINT
from jointbench.data.ladder import Ladder

#: GiB of common GPUs, shown where no memory is named.
MEMORIES = (11, 24, 40, 80)
DAY = 86_400


def add_to(commands: Commands) -> None:
    summary = "Say what a collection will take: time, evaluations, disk, and what will not fit. Trains nothing."
    example = "plan --images cifar10 --ladder 400,1200,3600,10800 --full-budgets 256 --workers 10"
    sub = commands.add("plan", run, summary, example)
    add = sub.add_argument
    add("--images", required=True, help="digits, fashion-mnist, cifar10 or cifar100; they need not be here")
    add("--ladder", type=Ladder.parse, required=True, help="budgets: 1,3,9,27 (seconds) or 3,9,27epochs")
    add("--optimizer", default="bohb", help="default bohb")
    full_budgets(sub)
    add("--workers", type=whole("workers", 1), default=1, help="trainings at a time, default 1")
    add("--precision", choices=["fp32", "bf16"], default="fp32", help="default fp32")
    add("--memory", type=memory, metavar="GiB", help="of a device; default: several common ones are shown")


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.collecting.plan import memory_needed, plan, shares_that_do_not_fit
    from jointbench.data.image_facts import known_facts
    from jointbench.surrogate.rungs import Rungs

    images, ladder = known_facts(arguments.images), arguments.ladder
    made = plan(
        JOINT,
        ladder,
        images,
        optimizer=arguments.optimizer,
        full_budgets=arguments.full_budgets,
        workers=arguments.workers,
        precision=arguments.precision,
        memory=arguments.memory,
    )
    say(f"{sum(made.evaluations.values()):,} evaluations by {arguments.optimizer}:")
    for rung, number in made.evaluations.items():
        say(f"  {number:>8,} at {rung:g} {ladder.unit}")
    # Each promoted configuration is trained at its rungs anew; how many end ok nobody knows yet.
    for sentence in Rungs(ladder, tuple(made.evaluations[rung] for rung in ladder.rungs)).words([arguments.optimizer]):
        say(f"to fit: {sentence}")
    if ladder.unit == "seconds":
        say(f"device time   {made.total / DAY:.2f} GPU-days of budgets")
        say(f"wall time     {made.makespan / DAY:.2f} days with {arguments.workers} worker(s)")
        say("              both at most: a configuration that does not fit ends at once. Validation and start-up come")
        say("              on top: `python -m jointbench.bench.speed.training` measures their share on your device")
    else:
        passes = made.total * images.training
        say(f"device time   {made.total:,.0f} epochs, {passes:,.0f} images; how long an image takes is for")
        say("              `python -m jointbench.bench.speed.training` to say on your device")
        say(f"wall time     as that of {made.makespan:,.0f} epochs in a row, with {arguments.workers} worker(s)")
    say(f"disk          {made.log_bytes / 2**20:,.1f} MiB of log, up to {made.checkpoint_bytes / 2**30:,.2f} GiB of")
    say("              checkpoints of the trainings on their way")
    needed, _ = memory_needed(JOINT, images, arguments.precision)
    memories = [size * 2**30 for size in MEMORIES] if arguments.memory is None else [arguments.memory]
    say("will not fit  (an estimate: parameters, gradients, momentum, and a batch's activations)")
    for size, share in zip(memories, shares_that_do_not_fit(needed, memories), strict=True):
        say(f"  {share:>7.1%} of random configurations into {size / 2**30:g} GiB")
