"""`jointbench.report`: draw a page, and what it gives."""

import os
from dataclasses import dataclass
from pathlib import Path

from jointbench.bench.calls.collecting import Collection
from jointbench.bench.calls.comparing import Comparison
from jointbench.bench.calls.given import the_evidence, the_path
from jointbench.bench.pages.report import PAGE, write_report, write_side_by_side
from jointbench.bench.pages.templates import fill


@dataclass(frozen=True)
class Page:
    """A page that opens offline in any browser: a `path`, which `open` takes, and a link in a notebook."""

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        return fill('<a href="{{ path }}" target="_blank">{{ path }}</a>', path=self.path)


def report(
    folder: str | Path | Comparison | Collection,
    second: str | Path | Comparison | None = None,
    *,
    out: str | Path | None = None,
) -> Page:
    """What `jointbench report` does: draw the page of a comparison, of one over tasks, of a log, of the trainings of a
    benchmark (also one that ships, by name), or of two comparisons side by side.

    `out`: the file, or a folder (one that exists, or a name that ends in a slash) for report.html; by default in the
    folder, or here for what ships with JointBench. Raises UnknownNameError where nothing is called so, LogError where
    the folder holds neither, InputError for comparisons that have too few optimizers in common, UnwritableError.
    """
    place = None if out is None else _page_at(out)
    if second is None:
        return Page(write_report(_folder(folder), place))
    return Page(write_side_by_side(_folder(folder), _folder(second), place))


def _page_at(out: str | Path) -> Path:
    path = the_path("out", out)
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return path / PAGE if str(out).endswith(separators) or os.path.isdir(path) else path


def _folder(given: str | Path | Comparison | Collection) -> Path:
    if isinstance(given, Comparison):
        return given.folder
    return given.log.path if isinstance(given, Collection) else the_evidence("folder", given)
