"""The options that say on how many workers, and where, a command trains."""

import argparse
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.command import Parser
from jointbench.cli.training_options import hardware
from jointbench.cli.values import whole
from jointbench.data.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from jointbench.bench.running.workplaces import Slurm, ThisMachine, Workplace
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
    if arguments.dashboard and find_spec("bokeh") is None:
        raise MissingExtraError("bokeh is needed for --dashboard: pip install 'jointbench[dashboard]'")
    place, device = _place(arguments)
    return replace(place, dashboard=arguments.dashboard), device


def _place(arguments: argparse.Namespace) -> "tuple[ThisMachine | Slurm, Hardware]":
    device, share = hardware(arguments), arguments.workers_per_gpu
    from jointbench.bench.running.workplaces import Slurm, ThisMachine, visible_gpus

    on_gpu = device.torch_device.type == "cuda"
    if arguments.config is not None and arguments.cluster != "slurm":
        raise InputError("config", str(arguments.config), "--cluster slurm with it")
    if share is not None and not on_gpu:
        raise InputError("workers per GPU", share, "a GPU to train on, not the CPU")
    share = 1 if share is None else share
    if arguments.cluster == "slurm":
        if arguments.config is None:
            raise InputError("cluster", "slurm", "--config FILE.toml with it")
        place = Slurm.read(arguments.config, arguments.workers or 1)
        # The workers of a job share its GPU.
        return place, _shared(device, place.processes if on_gpu else 1)
    if not on_gpu:
        return ThisMachine.processors(arguments.workers or 1), device
    # Only now that torch is known to be there.
    from jointbench.bench.training.hardware import gpu_count, gpu_memory

    gpus = visible_gpus(gpu_count())
    if device.torch_device.index is not None:
        gpus = [gpus[device.torch_device.index]]
    workers = arguments.workers or len(gpus) * share
    if workers > len(gpus) * share:
        raise InputError("workers", workers, f"at most {len(gpus) * share}: {share} a GPU on {len(gpus)} GPU(s)")
    if device.memory is None and share > 1:
        device = replace(device, memory=gpu_memory() // share)
    # A worker sees its own GPU alone.
    return ThisMachine.gpus(gpus, workers), _shared(replace(device, device="cuda"), share)


def _shared(device: "Hardware", trainings: int) -> "Hardware":
    if trainings > 1 and device.clock == "measured":
        raise InputError(
            "clock",
            device.clock,
            f"calibrated, since {trainings} trainings share a GPU and disturb each other's seconds",
        )
    return device
