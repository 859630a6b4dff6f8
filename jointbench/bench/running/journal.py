"""A run's decisions on disk, so that a run that was stopped goes on as if it had not been."""

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jointbench.bench.running.cluster import Started
from jointbench.data.errors import LogError, ReplayError, UnwritableError
from jointbench.data.evaluation import Evaluation
from jointbench.data.files import make_folder
from jointbench.data.option_words import option
from jointbench.data.schema import as_record, from_record
from jointbench.optimizers.optimizer import Trial


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision: the optimizer was asked for, or told of, its n-th trial."""

    kind: Literal["ask", "tell"]
    number: int
    seed: int = 0
    architecture_seed: int = 0
    budget: float = 0.0
    configuration: Mapping[str, Any] | None = None
    evaluation: Mapping[str, Any] | None = None

    @property
    def outcome(self) -> Evaluation | None:
        """What the optimizer was told; None of an ask, and in journals of the first versions."""
        if self.evaluation is None:
            return None
        return from_record(self.evaluation)


class Journal:
    """JSON lines, one a decision, each on disk (fsync) before it takes effect.

    The interleaving of asks and tells decides what an asynchronous optimizer proposes; it is here, and so is what it
    was told, a second time after the log, since nothing can be rebuilt without it. A torn last line (the process died
    while writing it) is a decision that never took effect and is cut off. One process at a time holds a journal;
    raises LogError for a second one, and where the file system has no locks, unless `lock` is False: then nothing
    keeps a second one out. Raises UnwritableError.
    """

    def __init__(self, path: Path, *, lock: bool = True) -> None:
        self.path = path
        self.entries: list[Entry] = []
        make_folder(path.parent)
        try:
            # Unbuffered, so that nothing of a write that failed is written later.
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the run
        except OSError as error:
            raise UnwritableError.of("journal", path, error) from None
        if lock:
            self._lock()
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

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            log = self.path.parent.parent
            raise LogError("run", self.path.stem, f"no other process that is running it on {log}") from None
        except OSError as error:
            self._file.close()
            unlocked = f"{option('lock', False)} where no other process runs it"
            expected = f"a file system that can lock files ({error.strerror}), or {unlocked}"
            raise LogError("journal", str(self.path), expected) from None

    def _write(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        try:
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:
            raise LogError("journal", str(self.path), f"a file that can be written to ({error.strerror})") from None

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
            # As journals are where nothing is drawn.
            | ({"architecture_seed": trial.architecture_seed} if trial.architecture_seed else {})
        )

    def tell(self, number: int, evaluation: Evaluation) -> None:
        self._write({"kind": "tell", "number": number, "evaluation": as_record(evaluation)})

    def confirm(self, entry: Entry, trial: Trial | None) -> Trial:
        """The trial, if it is the one in the journal. Raises ReplayError otherwise."""
        same = trial is not None and (dict(trial.configuration), trial.budget, trial.architecture_seed) == (
            entry.configuration,
            entry.budget,
            entry.architecture_seed,
        )
        if trial is None or not same:
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
