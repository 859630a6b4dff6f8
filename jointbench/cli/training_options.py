"""The options of every command that trains, and the hardware that they describe."""

import argparse
from typing import TYPE_CHECKING

from jointbench.cli.values import memory

if TYPE_CHECKING:
    from jointbench.bench.calls.workers import TrainingOptions
    from jointbench.bench.training.hardware import Hardware


def training_options(to: "argparse._ActionsContainer", *, clock: bool = True) -> None:
    """Add them to a parser, or to a group of its options; `clock`: whether budgets have seconds that one counts."""
    add = to.add_argument
    add("--data", metavar="DIR", help="folder of the image files; default $JOINTBENCH_DATA, the cache or a download")
    add("--device", help="cpu, cuda or cuda:1; default the first GPU, else the CPU")
    add("--precision", choices=["fp32", "bf16"], default="fp32", help="default fp32")
    if clock:
        add(
            "--clock",
            metavar="CLOCK",
            default="measured",
            help="of the budget's seconds: measured (default); calibrated, the steps that fit into them on this device "
            "if idle; or reference:NAME, the steps that fit into them on a named device, the same on every machine",
        )
    else:
        to.set_defaults(clock="measured")
    add("--compile", action="store_true", help="through torch.compile, whose time is outside the budget")
    add("--memory", type=memory, metavar="GiB", help="device memory that a training may take; default all")


def training_keywords(arguments: argparse.Namespace) -> "TrainingOptions":
    """What was said, as the calls take it."""
    return {
        "device": arguments.device,
        "precision": arguments.precision,
        "clock": arguments.clock,
        "compile": arguments.compile,
        "memory": arguments.memory,
    }


def hardware(arguments: argparse.Namespace) -> "Hardware":
    """What a single training runs on. Raises as `Workers.hardware` does."""
    from jointbench.bench.calls.workers import Workers

    return Workers.of(**training_keywords(arguments)).hardware()
