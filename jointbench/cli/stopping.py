"""What is kept when a command is stopped, and what the same command then does."""

import argparse
from collections.abc import Callable, Mapping

from jointbench.data.quantities import counted


def what_is_kept(arguments: argparse.Namespace) -> str:
    """The end of the sentence that begins with "stopped; "."""
    return _KEPT.get(arguments.command, _nothing)(arguments)


def _nothing(arguments: argparse.Namespace) -> str:
    return "nothing was written; run the same command again to start over"


def _collect(arguments: argparse.Namespace) -> str:
    kept = f"every finished training is in {arguments.log}; run the same command again to continue: one that was under "
    if arguments.objective is not None:
        return f"{kept}way starts over"
    return f"{kept}way resumes from its last checkpoint, of which there is one every {arguments.checkpoint_every:g} s"


def _retrain(arguments: argparse.Namespace) -> str:
    return (
        f"every finished training is kept in {arguments.comparison}; run the same command again to make those that "
        "are missing"
    )


def _compare(arguments: argparse.Namespace) -> str:
    from jointbench.cli.compare import wanted_runs

    if arguments.tasks is not None:
        return f"every finished run is kept in {arguments.out}; run the same command again to make the others"
    runs = wanted_runs(arguments)
    there = sum(run.exists() for run in runs)
    # Forced again, it would replace what it has made.
    same = "the same command without --force" if arguments.force else "the same command"
    if not runs:
        return f"no run had begun; run {same} again to make them"
    if there == len(runs):
        return f"all {counted(there, 'run')} are finished and kept in {arguments.out}; run {same} again for its page"
    kept = f"{there} of {counted(len(runs), 'run')} finished and kept in {arguments.out}; run {same} again to "
    if arguments.objective == "train":
        return kept + "continue, even in the middle of a run: every finished training is kept"
    return kept + "make the others; those that were under way start over"


def _train(arguments: argparse.Namespace) -> str:
    return (
        "nothing was logged; run the same command again to resume from the training's last checkpoint, of which there "
        "is one every five minutes, or else to start over"
    )


def _merge(arguments: argparse.Namespace) -> str:
    kept = f"the logs are unchanged, and {arguments.out} may hold a part of them"
    return f"{kept}; run the same command again to add the rest"


#: Of those that write anything before they have ended.
_KEPT: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "collect": _collect,
    "retrain": _retrain,
    "compare": _compare,
    "train": _train,
    "merge": _merge,
}
