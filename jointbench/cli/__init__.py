"""The command line: one module a command; each prints for people and leaves the work to the folders below."""

import argparse
import errno
import gc
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

import jointbench
from jointbench.cli import (
    analyse,
    check,
    collect,
    compare,
    describe,
    doctor,
    export,
    fit,
    import_table,
    leaderboard,
    listing,
    measure,
    merge,
    plan,
    publish,
    query,
    report,
    retrain,
    train,
)
from jointbench.cli.command import Commands, Parser
from jointbench.cli.completion import offer_completion
from jointbench.cli.stopping import what_is_kept
from jointbench.cli.terminal import hear_nothing_more, print_anywhere
from jointbench.cli.termination import Terminated, terminated_in_order
from jointbench.data.errors import JointBenchError
from jointbench.data.option_words import on_command_line

#: In the order in which a person meets them.
MODULES = (
    *(listing, describe, train, measure, plan, collect, import_table, doctor, merge, fit, query),
    *(check, compare, leaderboard, retrain, report, analyse, export, publish),
)

#: What a system says of files and disks that a person may mend; anything else is a mistake of ours.
_OF_FILES = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP),
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE),
    }
)


def parser() -> Parser:
    """The parser with all commands."""
    made = Parser(
        prog="jointbench",
        description="Which optimizer wins when architecture and hyperparameters are searched together?",
    )
    made.add_argument("--version", action="version", version=f"jointbench {jointbench.__version__}")
    commands = Commands(made)
    for module in MODULES:
        module.add_to(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exits with 2 and one sentence on standard error when the input cannot be used."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    print_anywhere()
    parsed = argparse.Namespace(command=None)
    try:
        made = parser()
        offer_completion(made)
        parsed = made.parse_args(words)
        if parsed.command is None:
            made.print_help()
            return
        parsed.words = shlex.join(["jointbench", *words])
        with on_command_line(), terminated_in_order(), _silent(parsed.quiet):
            parsed.action(parsed)
        sys.stdout.flush()
    except JointBenchError as error:
        print(f"jointbench: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt as stop:
        print(f"jointbench: stopped; {what_is_kept(parsed)}", file=sys.stderr)  # noqa: T201
        # Python would look through all that torch holds before it ends: more than a second.
        gc.freeze()
        sys.exit(143 if isinstance(stop, Terminated) else 130)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        hear_nothing_more()
        sys.exit(0)
    except OSError as error:
        if error.errno not in _OF_FILES:
            raise
        if error.filename is None:
            hear_nothing_more()
        print(f"jointbench: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


@contextmanager
def _silent(quiet: bool) -> Iterator[None]:
    """Nothing is heard of standard output where a person wants it quiet."""
    if not quiet:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
