"""`jointbench describe`: show the spaces, a benchmark, or one configuration's facts."""

import argparse

from jointbench.cli.command import Commands, say
from jointbench.cli.values import image_shape, whole
from jointbench.data.errors import InputError


def add_to(commands: Commands) -> None:
    summary = "Show the spaces, a benchmark, or one configuration's widths, parameters and FLOPs."
    add = commands.add("describe", run, summary, "describe zela-2018", answers=True).add_argument
    add(
        "configuration",
        nargs="?",
        metavar="CONFIG.json",
        help="a JSON file, a named configuration, a space or a benchmark",
    )
    add("--image-shape", type=image_shape, default=(3, 32, 32), metavar="CxHxW", help="default 3x32x32")
    add("--classes", type=whole("classes", 2), default=10, help="default 10")
    add("--seed", type=whole("seed", 0), default=0, help="with which a generator's network is drawn, default 0")
    add("--out", metavar="FILE.svg", help="draw the network of a generator's configuration")


def run(arguments: argparse.Namespace) -> None:
    import jointbench
    from jointbench.bench.calls.describing import DescribedConfiguration

    what, shape, classes = arguments.configuration, arguments.image_shape, arguments.classes
    described = jointbench.describe(what, image_shape=shape, classes=classes, seed=arguments.seed)
    if arguments.out is not None:
        if not isinstance(described, DescribedConfiguration):
            raise InputError("out", arguments.out, "a configuration to draw, such as hnag:cifar10-bohb")
        described.draw(arguments.out)
    say(str(described))
