"""`jointbench doctor`: check a log, a benchmark or a comparison."""

import argparse
import json
import sys
from dataclasses import asdict

from jointbench.cli.command import Commands, say


def add_to(commands: Commands) -> None:
    summary = (
        "Check a log, a benchmark or a comparison and say what is found; changes nothing. Exit code 1 when something "
        "is wrong."
    )
    add = commands.add("doctor", run, summary, "doctor runs/log").add_argument
    add(
        "folder",
        metavar="LOG|BENCHMARK|COMPARISON",
        help="folder of a log, a benchmark or a comparison, a released log, or a benchmark that ships",
    )
    add("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> None:
    import jointbench

    found = jointbench.doctor(arguments.folder)
    say(json.dumps(asdict(found.findings), indent=2) if arguments.json else str(found))
    if not found.healthy:
        sys.exit(1)
