"""`jointbench.merge`: one log of several."""

from collections.abc import Sequence
from pathlib import Path

from jointbench.bench.calls.collecting import Collection
from jointbench.bench.calls.given import the_path
from jointbench.data.errors import InputError
from jointbench.data.merging import merge as merge_logs


def merge(logs: Sequence[str | Path | Collection], out: str | Path) -> Collection:
    """What `jointbench merge` does: put the evaluations of several logs into the one at `out`, each once.

    `out` is begun if it does not exist. Raises LogError when the logs do not go together, UnwritableError.
    """
    if isinstance(logs, (str, Path, Collection)) or not logs:
        raise InputError("logs", logs, "a list of at least one")
    paths = [one.log.path if isinstance(one, Collection) else the_path("logs", one) for one in logs]
    return Collection(merge_logs(paths, the_path("out", out)))
