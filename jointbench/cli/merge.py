"""`jointbench merge`: make one log of several."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.data.quantities import counted


def add_to(commands: Commands) -> None:
    summary = "Put the evaluations of several logs into one; each counts once."
    add = commands.add("merge", run, summary, "merge runs/piece-1 runs/piece-2 --out runs/log").add_argument
    add("logs", type=Path, nargs="+", metavar="LOG", help="folders of logs, or released Parquet files")
    add("--out", type=Path, required=True, metavar="LOG", help="folder of the log; begun if it does not exist")


def run(arguments: argparse.Namespace) -> None:
    import jointbench

    log = jointbench.merge(arguments.logs, arguments.out).log
    say(f"{counted(log.table(['key']).num_rows, 'evaluation')} in {log.path}")
