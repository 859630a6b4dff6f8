"""What is kept when a command is stopped, and what the same command then does."""

import argparse
from collections.abc import Callable, Mapping


def what_is_kept(arguments: argparse.Namespace) -> str:
    """The end of the sentence that begins with "stopped; "."""
    return _KEPT.get(arguments.command, _nothing)(arguments)


def _nothing(arguments: argparse.Namespace) -> str:
    return "nothing was written, and the same command begins anew"


def _collect(arguments: argparse.Namespace) -> str:
    return (
        f"every training that has ended is in {arguments.log}, and the same command goes on; one under way goes on "
        f"from its last checkpoint, which there is after {arguments.checkpoint_every:g} seconds"
    )


def _retrain(arguments: argparse.Namespace) -> str:
    return (
        f"every training that has ended is kept in {arguments.comparison}, and the same command makes those that are "
        "missing"
    )


def _compare(arguments: argparse.Namespace) -> str:
    from jointbench.cli.compare import wanted_runs

    runs = wanted_runs(arguments)
    there = sum(run.exists() for run in runs)
    # Forced again, it would replace what it has made.
    same = "the same command without --force" if arguments.force else "the same command"
    kept = f"{there} of {len(runs)} runs are kept in {arguments.out}, and {same} "
    if arguments.objective == "train":
        return kept + "goes on, in the middle of a run too: every training that has ended is kept"
    return kept + "makes the others; those that were under way begin anew"


def _train(arguments: argparse.Namespace) -> str:
    return (
        "nothing was logged, and the same command begins anew, or goes on from the training's last checkpoint where it "
        "had come to one: there is one every five minutes"
    )


def _merge(arguments: argparse.Namespace) -> str:
    return f"the logs are as they were, {arguments.out} may have a part of them, and the same command adds the rest"


#: Of those that write anything before they have ended.
_KEPT: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "collect": _collect,
    "retrain": _retrain,
    "compare": _compare,
    "train": _train,
    "merge": _merge,
}
