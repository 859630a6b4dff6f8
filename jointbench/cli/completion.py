"""What a shell completes when the tabulator key is pressed: commands, options, and the names that there are."""

import argparse
import os
from collections.abc import Callable
from contextlib import suppress

#: Set by the shell that asks; nobody else pays for the import.
_ASKED = "_ARGCOMPLETE"

#: What an argument names; the others are completed as files.
_KINDS = {
    "benchmark": "benchmarks",
    "images": "images",
    "kind": "",
    "optimizer": "optimizers",
    "optimizers": "optimizers",
    "space": "spaces",
}


def offer_completion(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and exit, where it is the one who asks and argcomplete is installed."""
    if _ASKED not in os.environ:
        return
    with suppress(ImportError):
        import argcomplete

        _name(parser)
        argcomplete.autocomplete(parser)


def _name(parser: argparse.ArgumentParser) -> None:
    """Tell argcomplete what the arguments of a parser and of its commands name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _name(command)
        elif action.dest in _KINDS:
            action.completer = completer(_KINDS[action.dest])  # type: ignore[attr-defined]


def completer(kind: str) -> Callable[..., list[str]]:
    """The names of a kind that begin with what has been typed, after the last comma; the kinds themselves for none."""

    def complete(prefix: str, **_: object) -> list[str]:
        from jointbench.bench.calls.listing import KINDS, names_of

        before, comma, last = prefix.rpartition(",")
        names = names_of(kind) if kind else KINDS
        return [f"{before}{comma}{name}" for name in names if name.startswith(last)]

    return complete
