"""What all commands share: the parser, its one-sentence complaints, and the options that several have."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from jointbench.cli.values import positive


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def say(line: str = "") -> None:
    print(line)  # noqa: T201


class Commands:
    """The commands of a parser; each module beside this one adds its own. `dest`: where the one given stands."""

    def __init__(self, parser: Parser, dest: str = "command", required: bool = False) -> None:
        self._made = parser.add_subparsers(dest=dest, metavar="COMMAND", parser_class=Parser, required=required)

    def add(
        self,
        name: str,
        action: Callable[[argparse.Namespace], None],
        summary: str,
        example: str,
        answers: bool = False,
    ) -> Parser:
        """A command and what it does; `example` is shown without the program's name. One that `answers` is there for
        what it prints, and has no --quiet."""
        made: Parser = self._made.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  jointbench {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(action=action, quiet=False)
        if not answers:
            made.add_argument("-q", "--quiet", action="store_true", help="print what went wrong, and nothing else")
        return made


def full_budgets(sub: Parser, default: float | None = None, required: bool = True, more: str = "") -> None:
    shown = more if default is None else f"; default {default:g}"
    sub.add_argument(
        "--full-budgets",
        type=positive("full budgets"),
        required=required and default is None,
        default=default,
        metavar="N",
        help=f"stop when the budgets spent sum up to N of the largest{shown}",
    )


def anyway(sub: Parser) -> None:
    sub.add_argument(
        "--anyway", action="store_true", help="also on a benchmark that is not usable, as every page then says"
    )


def force(sub: Parser) -> None:
    sub.add_argument("--force", action="store_true", help="replace what is there")
