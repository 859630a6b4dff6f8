"""`jointbench retrain`: check a comparison's winners by real trainings."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.cli.training_options import training_options
from jointbench.cli.values import names, whole
from jointbench.cli.workplace_options import workplace, workplace_options
from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.quantities import counted
from jointbench.data.spaces.registry import SPACES, find_configuration, get_space
from jointbench.data.spaces.space import Space


def add_to(commands: Commands) -> None:
    summary = "Train the incumbents of a comparison for real and add predicted against real error to its page."
    sub = commands.add("retrain", run, summary, "retrain runs/compare --seeds 3")
    add = sub.add_argument
    add("comparison", type=Path, metavar="COMPARISON", help="folder that `compare` wrote")
    add("--images", help="digits, fashion-mnist, cifar10 or cifar100; default those that the comparison is about")
    add("--seeds", type=whole("seeds", 1), default=3, metavar="N", help="trainings each, default 3")
    workplace_options(sub)
    add("--optimizers", type=names, help="whose incumbents; default all")
    add("--runs", type=whole("runs", 1), metavar="N", help="only the incumbents of an optimizer's first N runs")
    add(
        "--references",
        type=names,
        default=["all"],
        help="published networks to train beside them, as `jointbench describe` lists them; default all, or none",
    )
    training_options(sub)


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.comparing.comparison_folder import read_content
    from jointbench.bench.pages.report import PAGE, write_report
    from jointbench.data.files import check_writable

    folder: Path = arguments.comparison
    read_content(folder)
    check_writable(folder / PAGE, "page")
    wanted = [*_incumbents(folder, arguments.optimizers, arguments.runs), *_references(arguments.references)]
    place, device = workplace(arguments)
    # Only now that torch is known to be there.
    from jointbench.bench.comparing.retraining import plan, retrain

    plans = plan(
        folder,
        wanted,
        images=arguments.images,
        data_folder=arguments.data,
        hardware=device,
        seeds=arguments.seeds,
    )
    made, there = sum(len(one.missing) for one in plans), sum(one.there for one in plans)
    if plans:
        ladder = plans[0].log.ladder
        each = ladder.amount(ladder.maximum)
        before = f"; {counted(there, 'is', 'are')} already in the log" if there else ""
        if made:
            say(f"{counted(made, 'training')} of {each} to run{before}")
        else:
            say(f"nothing left to train: {counted(there, 'training')} of {each} already in the log")
    retrain(plans, device, arguments.data, place, lock=not arguments.no_lock, quiet=arguments.quiet)
    say(f"the picture: {write_report(folder)}")


def _incumbents(folder: Path, optimizers: Sequence[str] | None, runs: int | None) -> list[tuple[Space, Configuration]]:
    from jointbench.bench.comparing.comparison_folder import Settings
    from jointbench.bench.comparing.incumbents import final_incumbents

    space, incumbents = get_space(Settings.read(folder).space), final_incumbents(folder)
    known = {one.optimizer for one in incumbents}
    for name in optimizers or ():
        if name not in known:
            raise UnknownNameError.of("optimizer", name, known)
    return [
        (space, one.configuration)
        for one in incumbents
        if (optimizers is None or one.optimizer in optimizers) and (runs is None or one.run_seed < runs)
    ]


def _references(chosen: Sequence[str]) -> list[tuple[Space, Configuration]]:
    if chosen == ["none"]:
        return []
    if chosen == ["all"]:
        return [(space, configuration) for space in SPACES.values() for configuration in space.named.values()]
    return [find_configuration(name) for name in chosen]
