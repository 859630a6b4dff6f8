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
    from jointbench.bench.pages.report import write_report, write_side_by_side

    if arguments.second is None:
        say(f"the picture: {write_report(arguments.folder, arguments.out)}")
    else:
        say(f"the picture: {write_side_by_side(arguments.folder, arguments.second, arguments.out)}")
