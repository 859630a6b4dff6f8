"""A run's decisions on disk, so that a run that was stopped goes on as if it had not been."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jointbench.bench.cluster import Started
from jointbench.data.errors import LogError, ReplayError
from jointbench.data.evaluation import Evaluation
from jointbench.optimizers.optimizer import Trial


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision: the optimizer was asked for, or told of, its n-th trial."""

    kind: Literal["ask", "tell"]
    number: int
    seed: int = 0
    budget: float = 0.0
    configuration: Mapping[str, Any] | None = None


class Journal:
    """JSON lines, one a decision, each on disk (fsync) before it takes effect.

    The interleaving of asks and tells decides what an asynchronous optimizer proposes; the evaluations are in
    the log, the interleaving is here. A torn last line (the process died while writing it) is a decision that
    never took effect and is cut off. One process at a time holds a journal; raises LogError for a second one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab")  # noqa: SIM115 - lives as long as the run
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise LogError("run", path.stem, f"no other process that is running it on {path.parent.parent}") from None
        whole = 0
        for line in path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                self.entries.append(Entry(**json.loads(line)))
            except (ValueError, TypeError):
                raise LogError("journal", str(path), f"JSON lines (byte {whole} on is none)") from None
            whole += len(line)
        self._file.truncate(whole)

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def ask(self, started: Started) -> None:
        trial = started.trial
        self._write(
            {
                "kind": "ask",
                "number": started.number,
                "seed": started.seed,
                "budget": trial.budget,
                "configuration": dict(trial.configuration),
            }
        )

    def tell(self, number: int) -> None:
        self._write({"kind": "tell", "number": number})

    def confirm(self, entry: Entry, trial: Trial | None) -> Trial:
        """The trial, if it is the one in the journal. Raises ReplayError otherwise."""
        if trial is None or dict(trial.configuration) != entry.configuration or trial.budget != entry.budget:
            raise ReplayError(
                f"trial {entry.number} in {self.path} is not what the optimizer proposes now; "
                "continue with the JointBench version that began this run, or start another log"
            )
        return trial

    def outcome(self, entry: Entry, evaluated: Mapping[int, Evaluation]) -> Evaluation:
        """The evaluation of a trial that the journal says was told. Raises LogError when the log lacks it."""
        if entry.number not in evaluated:
            raise LogError("log", str(self.path.parent.parent), f"trial {entry.number} of {self.path.stem} in it")
        return evaluated[entry.number]

    def close(self) -> None:
        self._file.close()
