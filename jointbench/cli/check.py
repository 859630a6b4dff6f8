"""`jointbench check`: the optimizer contract, run on a person's class."""

import argparse
import sys

from jointbench.cli.command import Commands, say
from jointbench.cli.values import positive, whole


def add_to(commands: Commands) -> None:
    summary = "Run the optimizer contract on a class of your own; trains nothing. Exit code 1 when something fails."
    add = commands.add("check", run, summary, "check mine.py:Greedy").add_argument
    add("optimizer", metavar="FILE.py:CLASS", help="a class in a file, or any other name of an optimizer")
    add("--space", default="joint", help="default joint")
    add("--trials", type=whole("trials", 1), default=100, metavar="N", help="of each check; default 100")
    add(
        "--timeout",
        type=positive("timeout"),
        default=600.0,
        metavar="SECONDS",
        help="give a check up then; default 600",
    )


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls.checking import checks

    failed = 0
    given = {"space": arguments.space, "trials": arguments.trials, "timeout": arguments.timeout}
    for one in checks(arguments.optimizer, **given):
        failed += not one.holds
        say(f"  {'ok    ' if one.holds else 'FAILED'} {one.name}: {one.asks if one.holds else one.failed}")
    verb = "is" if failed == 1 else "are"
    say("the contract holds" if not failed else f"{failed} of the contract's promises {verb} not kept")
    if failed:
        sys.exit(1)
