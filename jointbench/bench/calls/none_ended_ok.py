"""Trainings of which not one ended ok: what they were made for is not known, whoever asks for it."""

from collections import Counter
from collections.abc import Iterable

from jointbench.data.evaluation import Evaluation
from jointbench.data.quantities import counted


def none_ended_ok(evaluations: Iterable[Evaluation]) -> str:
    """How they ended and why the first did, in words; empty where one ended ok, or there is none."""
    # However many runs share a training, it was made once.
    failed: dict[str, Evaluation] = {}
    for one in evaluations:
        if one.ok:
            return ""
        failed[one.key] = one
    if not failed:
        return ""
    first, *_ = failed.values()
    which = "which did not end ok" if len(failed) == 1 else "none of which ended ok"
    how = ", ".join(f"{number:,} {status}" for status, number in Counter(one.status for one in failed.values()).items())
    why = f"; the first: {first.reason}" if first.reason else ""
    return f"{counted(len(failed), 'training')}, {which} ({how}{why})"
