"""The options that say on how many workers, and where, a command trains."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.command import Parser
from jointbench.cli.values import whole

if TYPE_CHECKING:
    from jointbench.bench.running.workplaces import Workplace
    from jointbench.bench.training.hardware import Hardware


def workplace_options(sub: Parser) -> None:
    """How many workers, and where."""
    sub.add_argument(
        "--workers", type=whole("workers", 1), metavar="N", help="processes; default one a GPU, or 1 on the CPU"
    )
    place_options(sub)


def place_options(to: "argparse._ActionsContainer") -> None:
    """Where workers are, to a parser or to a group of its options."""
    add = to.add_argument
    add(
        "--workers-per-gpu",
        type=whole("workers per GPU", 1),
        metavar="K",
        help="trainings that share a GPU, with the calibrated clock; each may take 1/K of its memory; default 1",
    )
    add("--cluster", choices=["local", "slurm"], default="local", help="default local: this machine")
    add(
        "--no-lock",
        action="store_true",
        help="for a file system that cannot lock files: see to it yourself that no other process makes the same run",
    )
    add("--config", type=Path, metavar="FILE.toml", help="of a Slurm cluster: queue, walltime, memory, ...")
    add(
        "--dashboard",
        action="store_true",
        help="let Dask show its pages, to every user of this computer; needs bokeh; default: no pages",
    )


def workplace(arguments: argparse.Namespace) -> "tuple[Workplace, Hardware]":
    """Where the workers are and what each trains on.

    Raises InputError where the options do not go together, MissingExtraError where there is nothing to show pages with.
    """
    from jointbench.bench.calls.workers import Workers

    return Workers(
        arguments.device,
        arguments.precision,
        arguments.clock,
        arguments.compile,
        arguments.memory,
        arguments.workers,
        arguments.workers_per_gpu,
        arguments.cluster,
        arguments.config,
        arguments.dashboard,
    ).workplace()
