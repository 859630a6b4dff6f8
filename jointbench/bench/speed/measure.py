"""What all speed programs share: their two options, interleaved timing, and how figures are shown."""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata

from rich.console import Console
from rich.table import Table

Figures = Mapping[str, float | int | str]


def parser(description: str) -> argparse.ArgumentParser:
    """With --quick (ends within 50 s) and --json (one flat object on standard output, and nothing else there)."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="fewer repetitions; ends within 50 s")
    made.add_argument("--json", action="store_true", help="print the figures as one flat JSON object")
    return made


@dataclass
class Timing:
    """Seconds of each repetition of one contender."""

    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        if len(self.seconds) < 2:
            return 0.0
        first, _, third = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (third - first) / 2 / self.median


def interleave(
    contenders: Mapping[str, Callable[[], object]],
    *,
    seconds: float,
    least: int = 3,
    clock: Callable[[], float] = time.perf_counter,
    before: Callable[[str], object] = lambda name: None,
) -> dict[str, Timing]:
    """Time the contenders by turns (A B A B ...), so that whatever disturbs the machine disturbs all of them.

    Each is called once beforehand, untimed; then all are called at least `least` times, until `seconds` are over.
    `clock` says what counts as time: the processor's, say, or a GPU's when all that was queued on it has ended;
    `before` does what must not be timed before a contender's turn.
    """
    for contender in contenders.values():
        contender()
    timings = {name: Timing() for name in contenders}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(timings.values())).seconds) < least:
        for name, contender in contenders.items():
            before(name)
            start = clock()
            contender()
            timings[name].seconds.append(clock() - start)
    return timings


def ratio(slower: Timing, faster: Timing) -> float:
    """How many times as fast: the median over turns, each compared with its neighbour in time."""
    return statistics.median(a / b for a, b in zip(slower.seconds, faster.seconds, strict=True))


def present(
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    figures: Figures,
    *,
    as_json: bool,
    libraries: Sequence[str] = ("numpy",),
    notes: Sequence[str] = (),
) -> None:
    """Print the table for people, or the figures as JSON; both say on what they were measured."""
    versions = {name: metadata.version(name) for name in libraries}
    if as_json:
        print(json.dumps({**figures, "machine": machine(), **{f"version_{n}": v for n, v in versions.items()}}))  # noqa: T201
        return
    table = Table(title=title, title_justify="left")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    for note in notes:
        console.print(note)
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    console.print(f"{machine()}; Python {platform.python_version()}, {said}")


def machine() -> str:
    """The processor's name and the number of its cores that this process may use."""
    import os

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {cores} cores"


def progress(words: str) -> None:
    """Say on standard error what is measured now."""
    print(words, file=sys.stderr)  # noqa: T201
