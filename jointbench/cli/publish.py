"""`jointbench publish`: a folder for a data repository, and a wheel that needs NumPy alone."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, anyway, force, say
from jointbench.cli.values import day


def add_to(commands: Commands) -> None:
    summary = "Write a benchmark as a folder for a data repository, with a wheel that answers with NumPy alone."
    sub = commands.add("publish", run, summary, "publish runs/benchmark --out runs/published")
    add = sub.add_argument
    add("benchmark", metavar="BENCHMARK", help="a folder that `jointbench fit` wrote, or a name that ships")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    add("--date", type=day, help="day of publication such as 2026-12-24; default today")
    anyway(sub)
    force(sub)


def run(arguments: argparse.Namespace) -> None:
    import jointbench

    made = jointbench.publish(
        arguments.benchmark, arguments.out, date=arguments.date, anyway=arguments.anyway, force=arguments.force
    )
    say(f"{made.name}: published in {made.folder}")
    say(f"the wheel, {made.wheel.stat().st_size / 1e6:.1f} MB: pip install {made.wheel}")
