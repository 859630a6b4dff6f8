"""`jointbench plan`: what a collection will take."""

import argparse

from jointbench.cli.collection_options import collection_options
from jointbench.cli.command import Commands, say
from jointbench.cli.values import memory, whole
from jointbench.data.quantities import counted, duration, size

#: GiB of common GPUs, shown where no memory is named.
MEMORIES = (11, 24, 40, 80)


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
    from jointbench.bench.collecting.plan import memory_needed, plan, shares_that_do_not_fit
    from jointbench.data.images.facts import known_facts
    from jointbench.data.spaces.registry import get_space
    from jointbench.surrogate.rungs import Rungs

    images, ladder, space = known_facts(arguments.images), arguments.ladder, get_space(arguments.space)
    made = plan(
        space,
        ladder,
        images,
        optimizer=arguments.optimizer,
        full_budgets=arguments.full_budgets,
        workers=arguments.workers,
        precision=arguments.precision,
        memory=arguments.memory,
        seed=arguments.seed,
        checkpoint_every=arguments.checkpoint_every,
    )
    say(f"{sum(made.evaluations.values()):,} evaluations by {arguments.optimizer}:")
    for rung, number in made.evaluations.items():
        say(f"  {number:>8,} at {rung:g} {ladder.unit}")
    # Each promoted configuration is trained at its rungs anew; how many end ok nobody knows yet.
    for sentence in Rungs(ladder, tuple(made.evaluations[rung] for rung in ladder.rungs)).words([arguments.optimizer]):
        say(f"to fit: {sentence}")
    workers = counted(arguments.workers, "worker")
    if ladder.unit == "seconds":
        say(f"device time   {duration(made.total, 'GPU-')} of budgets")
        say(f"wall time     {duration(made.makespan)} with {workers}")
        say("              both at most: a configuration that does not fit ends at once. Validation and start-up come")
        say("              on top: `python -m jointbench.bench.speed.training` measures their share on your device")
    else:
        passes = made.total * images.training
        say(f"device time   {made.total:,.0f} epochs, {passes:,.0f} images; how long an image takes is for")
        say("              `python -m jointbench.bench.speed.training` to say on your device")
        say(f"wall time     as that of {made.makespan:,.0f} epochs in a row, with {workers}")
    say(f"disk          {size(made.log_bytes)} of log")
    if made.checkpoint_bytes:
        say(f"              up to {size(made.checkpoint_bytes)} of checkpoints of the trainings on their way")
    else:
        every = duration(arguments.checkpoint_every)
        say(f"              no checkpoints: no budget is longer than the {every} between two")
    needed, _ = memory_needed(space, images, arguments.precision)
    memories = [each * 2**30 for each in MEMORIES] if arguments.memory is None else [arguments.memory]
    say("will not fit  (an estimate: parameters, gradients, momentum, and a batch's activations)")
    for limit, share in zip(memories, shares_that_do_not_fit(needed, memories), strict=True):
        say(f"  {share:>7.1%} of random configurations into {limit / 2**30:g} GiB")
