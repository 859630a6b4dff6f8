"""`jointbench report`: draw a page."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, say


def add_to(commands: Commands) -> None:
    summary = "Draw the page of a comparison, of a log, or of two comparisons side by side."
    add = commands.add("report", run, summary, "report runs/compare").add_argument
    add("folder", type=Path, metavar="COMPARISON or LOG", help="folder of a comparison, or a log")
    add("second", type=Path, nargs="?", metavar="COMPARISON", help="another comparison, to lay beside the first")
    add(
        "--out",
        type=Path,
        metavar="FILE.html",
        help="the page; default in the folder, or here for a log that ships with JointBench",
    )


def run(arguments: argparse.Namespace) -> None:
    import jointbench

    say(f"the picture: {jointbench.report(arguments.folder, arguments.second, out=arguments.out)}")
