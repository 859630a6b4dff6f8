"""`jointbench report`: draw a page."""

import argparse

from jointbench.cli.command import Commands, say


def add_to(commands: Commands) -> None:
    summary = "Draw the page of a comparison, of a log or a benchmark's trainings, or of two comparisons side by side."
    add = commands.add("report", run, summary, "report runs/compare").add_argument
    add(
        "folder",
        metavar="COMPARISON|LOG|BENCHMARK",
        help="folder of a comparison, a log or a benchmark, a released log, or a benchmark that ships",
    )
    add("second", nargs="?", metavar="COMPARISON", help="another comparison, to lay beside the first")
    # A Path would not tell whether a folder is meant.
    add(
        "--out",
        metavar="FILE.html",
        help="the page, or a folder for report.html; default in the folder, or here for what ships with JointBench",
    )


def run(arguments: argparse.Namespace) -> None:
    import jointbench

    say(f"the picture: {jointbench.report(arguments.folder, arguments.second, out=arguments.out)}")
