"""`jointbench doctor`: check a log, or a comparison."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from jointbench.cli.command import Commands, say


def add_to(commands: Commands) -> None:
    summary = "Check a log or a comparison and say what is found; changes nothing. Exit code 1 when something is wrong."
    add = commands.add("doctor", run, summary, "doctor runs/log").add_argument
    add("log", type=Path, metavar="LOG|COMPARISON", help="folder, or a released Parquet file")
    add("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> None:
    import jointbench

    found = jointbench.doctor(arguments.log)
    say(json.dumps(asdict(found.findings), indent=2) if arguments.json else str(found))
    if not found.healthy:
        sys.exit(1)
