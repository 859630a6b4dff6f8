"""What an exhibit is: a title, words, figures and tables, or a sentence on what is missing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A plotly figure, drawn when it is asked for; `name` names its files, `words` stand above it, `height` in pixels.

    `half`: half a page's width is enough for it; `folded`: it is shown when a reader asks for more.
    """

    name: str
    words: str
    draw: Callable[[], Any]
    height: int = 420
    half: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Table:
    """Cells in words under `headings`, and the numbers behind them by column; `words` are the headings of columns that
    are flush left. `folded` as of `Figure`."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Mapping[str, Sequence[Any]]
    words: Collection[str] = ()
    folded: bool = False


@dataclass(frozen=True)
class Exhibit:
    """One thing that the evidence says.

    `finding`: it in a sentence with its interval, for the top of the page; empty where it is not worth one. `missing`:
    a sentence each for what the source cannot support.
    """

    name: str
    title: str
    words: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    missing: Sequence[str] = ()
    finding: str = ""
