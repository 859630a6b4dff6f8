"""What a published wheel offers beside its classes: its one benchmark, and the check that it still answers so.

Wheels hold this module as it stands here, next to a benchmark of their own.
"""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jointbench.data.errors import BenchmarkError, InputError
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.golden import check_golden, read_golden
from jointbench.surrogate.stored import read_benchmark, released


@cache
def load() -> Benchmark:
    """The wheel's benchmark, read once a process."""
    return read_benchmark(_home())


def _home() -> Path:
    homes = released()
    if len(homes) != 1:
        raise BenchmarkError("benchmark", sorted(homes), "the one that was published")
    return next(iter(homes.values()))


def check(arguments: Sequence[str]) -> None:
    """What `python -m` does with its arguments, of which it takes none but --help: compare all golden answers.

    Ends the process with a sentence, and exit code 1 if an answer has changed, 2 for arguments.
    """
    called = f"python -m {__name__.partition('.')[0]}"
    does = "checks that the benchmark still answers as when it was published, to the last bit"
    if arguments and set(arguments) <= {"-h", "--help"}:
        print(f"{called} {does}; it takes no arguments")  # noqa: T201
        return
    if arguments:
        print(f"{called}: {InputError('arguments', ' '.join(arguments), f'none: it {does}')}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    try:
        benchmark = load()
        count = check_golden(benchmark, read_golden(_home()))
    except BenchmarkError as error:
        sys.exit(f"not the published benchmark: {error}")
    print(f"{benchmark.name}: all {count} golden answers to the last bit")  # noqa: T201
