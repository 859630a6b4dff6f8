"""`jointbench describe`: show the space, or one configuration's facts."""

import argparse

from jointbench.cli.command import Commands, say
from jointbench.cli.values import image_shape, whole
from jointbench.data.numbers import readable
from jointbench.data.quantities import counted, large
from jointbench.data.spaces.joint import JOINT, JointSpace
from jointbench.data.spaces.registry import SPACES, find_configuration
from jointbench.data.spaces.space import Space


def add_to(commands: Commands) -> None:
    summary = "Show the space, or one configuration's widths, parameters and FLOPs."
    add = commands.add("describe", run, summary, "describe zela-2018", answers=True).add_argument
    add("configuration", nargs="?", metavar="CONFIG.json", help="a JSON file or a named configuration")
    add("--image-shape", type=image_shape, default=(3, 32, 32), metavar="CxHxW", help="default 3x32x32")
    add("--classes", type=whole("classes", 2), default=10, help="default 10")


def run(arguments: argparse.Namespace) -> None:
    if arguments.configuration is None:
        _show_spaces()
        return
    space, configuration = find_configuration(arguments.configuration)
    facts = space.facts(configuration, arguments.image_shape, arguments.classes)
    channels, height, width = arguments.image_shape
    for name, value in configuration.items():
        say(f"  {name:<16} {readable(value)}")
    say(f"\n  for {height}x{width} images with {counted(channels, 'channel')} and {arguments.classes} classes:")
    say(f"  widths           {', '.join(str(w) for w in facts.widths)}")
    say(f"  parameters       {large(facts.parameters)}")
    say(f"  FLOPs an image   {large(facts.flops)}, forward, two a multiply-add")


def _show_spaces() -> None:
    say(f"space '{JOINT.name}': {len(JOINT.hyperparameters)} hyperparameters (Zela et al. 2018, Table 3)\n")
    for h in JOINT.hyperparameters:
        part = "architecture" if h.name in JOINT.architecture else "training"
        say(f"  {h.name:<16} {h.range:<28} {'log' if h.log else '   '}  {part}")
    say("\nnamed configurations:\n")
    _show_named(JOINT)
    for space in SPACES.values():
        if isinstance(space, JointSpace) and space != JOINT:
            say(f"\nspace '{space.name}': the same but for\n")
            for h, full in zip(space.hyperparameters, JOINT.hyperparameters, strict=True):
                if h != full:
                    say(f"  {h.name:<16} {h.range}")
    say("\nreference networks outside these spaces, for `jointbench train`:\n")
    for space in SPACES.values():
        if not isinstance(space, JointSpace):
            _show_named(space)


def _show_named(space: Space) -> None:
    for name, configuration in space.named.items():
        say(f"  {name:<24} {large(space.facts(configuration).parameters)} parameters")
