"""`jointbench list`: what there is by name."""

import argparse
import json

from jointbench.cli.command import Commands, say


def add_to(commands: Commands) -> None:
    summary = "List the benchmarks, optimizers, spaces, images and known tasks that there are by name."
    add = commands.add("list", run, summary, "list optimizers", answers=True).add_argument
    add("kind", nargs="?", metavar="benchmarks|optimizers|spaces|images|tasks", help="default all")
    add("--json", action="store_true", help="print them as JSON")


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls.listing import names_of
    from jointbench.bench.pages.console import listed_table, show

    kind = arguments.kind
    found = names_of() if kind is None else {kind: names_of(kind)}
    if arguments.json:
        say(json.dumps(found if kind is None else found[kind], indent=2))
        return
    for kind, names in found.items():
        show(listed_table(kind, names))
