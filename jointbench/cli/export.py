"""`jointbench export`: figures and tables as files."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.cli.values import formats


def add_to(commands: Commands) -> None:
    summary = "Write the figures and tables of a comparison, a log or a benchmark as files."
    sub = commands.add("export", run, summary, "export runs/compare --format svg,csv --out runs/figures")
    add = sub.add_argument
    add(
        "source",
        metavar="COMPARISON|LOG|BENCHMARK",
        help="folder of a comparison, a log or a benchmark, a released log, or a benchmark that ships",
    )
    add(
        "--format",
        type=formats,
        default="csv,latex",
        metavar="svg,pdf,png,csv,latex",
        help="figures as svg, pdf or png, tables as csv or latex; default csv,latex",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the files; of the same names replaced")


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls.exporting import export

    for path in export(arguments.source, arguments.out, formats=arguments.format):
        say(str(path))
