"""Every exception that JointBench raises on purpose.

    JointBenchError
    ├── InputError               what a person gave is wrong: field, value, what was expected
    │   ├── UnknownNameError     a name that is in no registry
    │   ├── ConfigurationError   a configuration outside its space
    │   ├── BudgetError          a budget outside the ladder
    │   ├── LogError             a log that cannot be read or does not fit
    │   │   └── DamagedPartError a file of it that is no whole Parquet
    │   ├── BenchmarkError       a benchmark folder that cannot be read or does not fit
    │   ├── MissingDataError     image data that is not on this machine
    │   ├── WouldOverwriteError  something is there already and --force was not given
    │   └── UnwritableError      a place where nothing can be written
    ├── MissingExtraError        an optional dependency is not installed
    ├── OptimizerError           an optimizer raised, or proposed what cannot be evaluated
    └── ReplayError              an optimizer does not repeat what its journal says

The command line prints the message of any of these as one line and ends with exit code 2.
"""

from collections.abc import Iterable

#: Characters of a value that a message repeats.
_SHOWN = 200


class JointBenchError(Exception):
    """Base of all errors raised on purpose."""


class InputError(JointBenchError):
    """One field of the input has a value that cannot be used.

    Attributes: `field` (its name), `value` (what was given), `expected` (what would have been right).
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field}: {_shown(value)} given, expected {expected}")
        self.field, self.value, self.expected = field, value, expected

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, object, str]]:
        # Exceptions cross process borders (Dask); the default would call __init__ with the message alone.
        return type(self), (self.field, self.value, self.expected)


def _shown(value: object) -> str:
    """As Python writes it, NumPy's numbers as Python's, on one line and no longer than a sentence can bear."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    try:
        text = " ".join(repr(value).split())
    except (ValueError, RecursionError):
        # Python writes no integer of more than 4,300 digits.
        return f"a very large {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class UnknownNameError(InputError):
    """A name that is in no registry; `expected` lists the known ones."""

    @classmethod
    def of(cls, field: str, value: object, known: Iterable[str], hint: str = "") -> "UnknownNameError":
        names = sorted(known)
        if not names:
            return cls(field, value, hint.removeprefix(", or ") or f"no {field}: there is none")
        return cls(field, value, "one of " + ", ".join(names) + hint)


class ConfigurationError(InputError):
    """A configuration outside its space; `field` is the hyperparameter."""


class BudgetError(InputError):
    """A budget outside the ladder."""


class LogError(InputError):
    """A log that cannot be read, or that does not fit what it is used for."""


class DamagedPartError(LogError):
    """A file of a log that is no whole Parquet: the disk's or the file system's doing, never a writer's."""


class BenchmarkError(InputError):
    """A benchmark that cannot be read, or whose content does not fit together."""


class MissingDataError(InputError):
    """Image data that is not on this machine; `expected` says how to get it."""


class WouldOverwriteError(InputError):
    """Something stands where the output should go."""


class UnwritableError(InputError, OSError):
    """A place where nothing can be written; `reason` is what the system said, such as "Permission denied"."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(field, value, f"a place that can be written to ({reason})")
        self.reason = reason

    def __reduce__(self) -> tuple[type[InputError], tuple[str, object, str]]:
        return type(self), (self.field, self.value, self.reason)

    @classmethod
    def of(cls, field: str, path: object, error: OSError) -> "UnwritableError":
        return cls(field, str(path), error.strerror or str(error))


class MissingExtraError(JointBenchError):
    """An optional dependency is not installed; the message says which extra brings it."""


class OptimizerError(JointBenchError):
    """An optimizer raised, or proposed what cannot be evaluated: its name, its run's seed, where in the run, and what
    happened, as in `crash, seed 0, ask 6: ZeroDivisionError: my bug (broken.py:6)`."""


class ReplayError(JointBenchError):
    """A rebuilt optimizer proposes something else than its journal recorded."""
