"""`jointbench doctor`: check a log, or a comparison."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.data.quantities import counted


def add_to(commands: Commands) -> None:
    summary = "Check a log or a comparison and say what is found; changes nothing. Exit code 1 when something is wrong."
    add = commands.add("doctor", run, summary, "doctor runs/log").add_argument
    add("log", type=Path, metavar="LOG|COMPARISON", help="folder, or a released Parquet file")
    add("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.collecting.doctor import examine
    from jointbench.bench.comparing.comparison_doctor import examine_comparison
    from jointbench.bench.comparing.comparison_folder import SETTINGS

    comparison = (arguments.log / SETTINGS).exists()
    found = examine_comparison(arguments.log) if comparison else examine(arguments.log)
    if arguments.json:
        say(json.dumps(asdict(found), indent=2))
    else:
        for fact in found.facts:
            say(f"  {fact}")
        for rung, by_status in found.evaluations.items():
            shown = ", ".join(f"{number:,} {status}" for status, number in by_status.items() if number)
            say(f"  budget {rung}: {shown or 'none'}")
        for note in found.notes:
            say(f"note: {note}")
        for sentence in found.fit:
            say(f"to fit: {sentence}")
        for problem in found.problems:
            say(f"PROBLEM: {problem}")
        say("healthy" if not found.problems else counted(len(found.problems), "problem"))
    if found.problems:
        sys.exit(1)
