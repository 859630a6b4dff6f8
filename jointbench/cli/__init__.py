"""The command line: one module a command; each prints for people and leaves the work to the folders below."""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import jointbench
from jointbench.cli import (
    collect,
    compare,
    describe,
    doctor,
    fit,
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
from jointbench.cli.stopping import WITH_PROCESSES, Terminated, terminated_like_interrupted, what_is_kept
from jointbench.data.errors import JointBenchError

#: In the order in which a person meets them.
MODULES = (describe, train, measure, plan, collect, doctor, merge, fit, query, compare, retrain, report, publish)


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
    parsed = argparse.Namespace(command=None)
    try:
        parsed = parser().parse_args(words)
        parsed.words = shlex.join(["jointbench", *words])
        with terminated_like_interrupted() if parsed.command in WITH_PROCESSES else nullcontext():
            parsed.action(parsed)
    except JointBenchError as error:
        print(f"jointbench: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt as stop:
        print(f"jointbench: stopped; {what_is_kept(parsed)}", file=sys.stderr)  # noqa: T201
        sys.exit(128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT))
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.exit(0)
