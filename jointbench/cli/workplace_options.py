"""The options that say on how many workers, and where, a command trains."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.command import Parser
from jointbench.cli.training_options import training_keywords
from jointbench.cli.values import whole

if TYPE_CHECKING:
    from jointbench.bench.calls.workers import PlaceOptions, WorkerOptions


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


def place_keywords(arguments: argparse.Namespace) -> "PlaceOptions":
    """What was said of hardware and place, as the calls take it."""
    return {
        **training_keywords(arguments),
        "workers_per_gpu": arguments.workers_per_gpu,
        "cluster": arguments.cluster,
        "config": arguments.config,
        "dashboard": arguments.dashboard,
    }


def worker_keywords(arguments: argparse.Namespace) -> "WorkerOptions":
    """The same with the number of workers."""
    return {**place_keywords(arguments), "workers": arguments.workers}
