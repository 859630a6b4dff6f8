"""What a call gives: its tables, its figures, its numbers; useful as it is in a notebook."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointbench.bench.calls.latex import latex_table
from jointbench.bench.pages.page import table_html
from jointbench.data.errors import UnknownNameError
from jointbench.data.frames import frame

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class ResultTable:
    """A table as the command prints it: cells in words.

    `numbers`: the same, or more, by column, as `to_pandas` gives it; None where the cells are all that there is.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: Headings of columns that are flush left.
    words: Collection[str] = ()
    #: Headings that a narrow terminal can do without, the least important first.
    spare: Sequence[str] = ()
    caption: str = ""
    numbers: Mapping[str, Sequence[Any]] | None = field(default=None, compare=False)

    def to_pandas(self) -> "DataFrame":
        """A row a row; errors are fractions. Raises MissingExtraError where pandas is missing."""
        if self.numbers is not None:
            return frame(self.numbers)
        return frame({heading: [row[index] for row in self.rows] for index, heading in enumerate(self.headings)})

    def to_latex(self) -> str:
        """A `tabular` for the package booktabs."""
        return latex_table(self.headings, self.rows, self.words)

    def __str__(self) -> str:
        from jointbench.bench.pages.console import WideTable, text

        return text(WideTable(self.title, self.headings, self.rows, tuple(self.words), self.spare, self.caption))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table_html(self.headings, self.rows)


@dataclass(frozen=True)
class Drawing:
    """A figure in the page's look, drawn when it is asked for; `height` in pixels."""

    draw: Callable[[], Any]
    height: int


class Result(ABC):
    """Tables and figures by name; the first of each is what is meant where none is named."""

    @abstractmethod
    def tables(self) -> dict[str, ResultTable]:
        """By name, the most important first."""

    @abstractmethod
    def drawings(self) -> dict[str, Drawing]:
        """By name, the most important first."""

    @abstractmethod
    def to_pandas(self) -> "DataFrame":
        """The numbers themselves, a row an observation."""

    def table(self, name: str | None = None) -> ResultTable:
        """Raises UnknownNameError."""
        table: ResultTable = _named("table", name, self.tables())
        return table

    def to_latex(self, name: str | None = None) -> str:
        """A table as a `tabular` for the package booktabs. Raises UnknownNameError."""
        return self.table(name).to_latex()

    def figure(self, name: str | None = None) -> Any:
        """A Plotly figure in the page's look, one of `drawings`. Raises UnknownNameError."""
        from jointbench.bench.pages.page import dressed

        drawing = _named("figure", name, self.drawings())
        return dressed(drawing.draw(), drawing.height)

    #: As it was called until version 0.3.
    plot = figure

    def export(self, out: str | Path, formats: Collection[str] = ("csv", "latex")) -> list[Path]:
        """Write all tables (csv, latex) and figures (svg, pdf, png) into a folder; returns the files.

        Raises as `jointbench.export` does.
        """
        from jointbench.bench.calls.files import write_result

        return write_result(self, Path(out), formats)

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def _named(kind: str, name: str | None, known: Mapping[str, Any]) -> Any:
    if name is None and known:
        return next(iter(known.values()))
    if not known:
        raise UnknownNameError(kind, name, f"no {kind}: there is none of this")
    if name is None or name not in known:
        raise UnknownNameError.of(kind, name, known)
    return known[name]
