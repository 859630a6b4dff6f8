"""What is heard of a call while it works: nothing, a person's callback, or a bar in a notebook."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from jointbench.bench.pages.templates import fill


class Progress(Protocol):
    """`done` of `total` of a stage, which begins when it is first heard of; None where nobody counts.

    Evaluations of a comparison, parts of a stage of a fit, full budgets of trainings: those are a
    `CollectionProgress`, which knows more.
    """

    @property
    def stage(self) -> str: ...

    @property
    def done(self) -> float: ...

    @property
    def total(self) -> float | None: ...


@dataclass(frozen=True)
class Stage:
    """A `Progress` in numbers."""

    stage: str
    done: float = 0
    total: float | None = None


#: Hears of the progress of a call, in the thread that made it; what it raises ends the call.
Hear = Callable[[Progress], None]

_Heard = TypeVar("_Heard", bound=Progress)


@contextmanager
def heard(progress: Callable[[_Heard], None] | None, quiet: bool = False) -> Iterator[Callable[[_Heard], None]]:
    """A person's callback; where there is none a bar in a notebook, unless it shall be quiet."""
    if progress is not None:
        yield progress
    elif not quiet and (display := _notebook()) is not None:
        bar = NotebookBar(display)
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield _ignore


def _ignore(progress: Progress) -> None:
    pass


def _notebook() -> Any | None:
    """IPython's module of displays where this runs in a kernel, whoever shows it."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from importlib import import_module

    return import_module("IPython.display")


class NotebookBar:
    """A bar below the cell, which goes when the call is over."""

    def __init__(self, display: Any) -> None:
        self._html = display.HTML
        self._shown = display.display(display.HTML(""), display_id=True)

    def __call__(self, progress: Progress) -> None:
        self._shown.update(self._html(bar_html(progress)))

    def close(self) -> None:
        self._shown.update(self._html(""))


def bar_html(progress: Progress) -> str:
    """A stage's name, its bar, which runs to and fro where nobody counts, and its numbers."""
    stage, done, total = progress.stage, progress.done, progress.total
    if total is None:
        return fill("{{ stage }} <progress></progress>", stage=stage)
    return fill(
        '{{ stage }} <progress value="{{ done }}" max="{{ total }}"></progress> {{ counted }}',
        stage=stage,
        done=f"{done:g}",
        total=f"{total:g}",
        counted=f"{_shown(done)} of {_shown(total)}",
    )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
