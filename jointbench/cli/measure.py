"""`jointbench measure`: a reference clock for the device that it runs on."""

import argparse
import json
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.cli.training_options import hardware, training_options
from jointbench.cli.values import IMAGE_NAMES, whole
from jointbench.data.errors import InputError
from jointbench.data.quantities import counted


def add_to(commands: Commands) -> None:
    summary = "Time training steps of random networks on this device, which should be idle, and fit a reference clock."
    example = "measure --device cpu --space joint-small --images fashion-mnist-8 --out my-machine.json"
    sub = commands.add("measure", run, summary, example)
    add = sub.add_argument
    add("--space", default="joint-small", help="whose networks are timed, default joint-small")
    add("--images", default="fashion-mnist-8", help=f"which images they see: {IMAGE_NAMES}; default fashion-mnist-8")
    add("--networks", type=whole("networks", 30), default=300, metavar="N", help="default 300")
    add("--rounds", type=whole("rounds", 1), default=3, metavar="R", help="how often each is timed, default 3")
    add("--seed", type=whole("seed", 0), default=0, help="of the networks, default 0")
    add("--out", type=Path, required=True, metavar="FILE.json", help="the clock, for `--clock reference:FILE.json`")
    training_options(sub, clock=False)


def run(arguments: argparse.Namespace) -> None:
    device = hardware(arguments)
    import numpy as np
    from rich.console import Console
    from rich.progress import Progress

    from jointbench.bench.collecting.measuring import clock_file, measure
    from jointbench.bench.training.augmentation import DeviceImages
    from jointbench.data.files import check_writable, write_whole
    from jointbench.data.images.registry import load_images
    from jointbench.data.reference_clock import ReferenceClock
    from jointbench.data.spaces.registry import get_space

    out: Path = arguments.out
    if out.suffix != ".json" or not out.parent.is_dir():
        raise InputError("out", str(out), "a file FILE.json in a folder that exists")
    check_writable(out)
    space = get_space(arguments.space)
    device.prepare()
    images = DeviceImages(load_images(arguments.images, arguments.data), device.on)
    with Progress(console=Console(stderr=True, quiet=arguments.quiet), transient=True) as bar:
        task = bar.add_task("timing networks", total=None)
        measured = measure(
            space,
            images,
            device,
            networks=arguments.networks,
            rounds=arguments.rounds,
            seed=arguments.seed,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    content = clock_file(measured, out.stem, space, images, device, arguments.seed)
    ReferenceClock.from_dict(content, str(out))
    write_whole(out, json.dumps(content, indent=1) + "\n")
    low, middle, high = (1e3 * seconds for seconds in np.quantile(measured.seconds, [0.1, 0.5, 0.9]))
    errors = content["held_out_error"]
    say(f"{counted(len(measured.seconds), 'network')} of '{space.name}' on {images.facts.name}, {device.description}")
    say(f"a step takes {middle:.3g} ms at the median, {low:.3g} to {high:.3g} ms for four in five")
    say(f"relative error of the law on networks that it has not seen: median {errors['median']:.1%}, 90th percentile")
    say(f"{errors['90th percentile']:.1%}; the clock is {out}, to be used by --clock reference:{out}")
