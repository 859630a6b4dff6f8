"""Tables that fit a terminal."""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jointbench.bench.comparing.summary import Row, cells, headings
from jointbench.surrogate.judging.tables import JudgedTable
from jointbench.surrogate.judging.verdict import HEADINGS as VERDICT
from jointbench.surrogate.judging.verdict import Verdict

#: Columns of a comparison that a narrow terminal can do without, the least important first.
SPARE = ("speed-up over random", "regret", "quartiles", "evaluations", "seeds", "final test error", "mean rank")

#: Of a judgement.
SPARE_JUDGED = ("sparse Kendall", "Spearman", "RMSE", "regret of the best", "n")

#: Columns of a file or a pipe.
_WIDEST = 160


@dataclass(frozen=True)
class WideTable:
    """A table that is narrowed to fit: the headings in `spare` are given up in their order, those in `words` are flush
    left. Cells stand on one line, headings are divided between words."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[str]
    spare: Sequence[str]
    caption: str = ""

    def widths(self) -> dict[str, int]:
        """Of each column, whose words are whole."""
        found = {}
        for index, heading in enumerate(self.headings):
            longest = max(map(len, heading.split()), default=1)
            found[heading] = max(longest, max((len(row[index]) for row in self.rows), default=1))
        return found

    def fitted(self, width: int) -> tuple[Table, list[str]]:
        """The table for so many characters, and the headings for which there is no room."""
        widths, dropped = self.widths(), list[str]()
        for heading in self.spare:
            # Each column has a line and a space on both sides.
            if sum(widths.values()) + 3 * len(widths) + 1 <= width:
                break
            if heading in widths:
                del widths[heading]
                dropped.append(heading)
        room = width - sum(widths.values()) - 3 * len(widths) - 1
        for heading, least in widths.items():
            # Headings on one line, as long as there is room.
            wider = len(heading) - least
            if 0 < wider <= room:
                widths[heading], room = least + wider, room - wider
        table = Table(title=self.title, title_justify="left", caption=self.caption or None, caption_justify="left")
        for heading, least in widths.items():
            # What has no room in any table is a name with options, whose end tells it apart.
            justify: Literal["left", "right"] = "left" if heading in self.words else "right"
            table.add_column(heading, justify=justify, width=least if room >= 0 else None, overflow="fold")
        kept = [index for index, heading in enumerate(self.headings) if heading in widths]
        for row in self.rows:
            table.add_row(*(Text(row[index]) for index in kept))
        return table, dropped


def show(shown: WideTable | Table, width: int | None = None) -> None:
    """Print a table that fits the terminal; what is none has no width, unless COLUMNS says one."""
    console = Console(width=width)
    if width is None and not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_WIDEST)
    if isinstance(shown, Table):
        console.print(shown)
        return
    table, dropped = shown.fitted(console.width)
    console.print(table)
    if dropped:
        console.print(f"no room for: {', '.join(dropped)}", style="dim", highlight=False)


def judged_table(judged: JudgedTable) -> WideTable:
    """What was found about a surrogate."""
    words = ("error", "left out", "model")
    return WideTable(judged.title, judged.headings, judged.rows, words, SPARE_JUDGED, judged.words)


def verdict_table(found: Verdict) -> WideTable:
    """The numbers that decide."""
    title = f"The verdict, on {found.judged} {found.where}"
    words = (VERDICT[0], VERDICT[1], VERDICT[-1])
    return WideTable(
        title, VERDICT, [ground.cells for ground in found.grounds], words, ("refused", "usable"), found.words
    )


def summary_table(rows: Sequence[Row], title: str) -> WideTable:
    """The table of a comparison."""
    return WideTable(title, headings(rows), [cells(row) for row in rows], ("optimizer",), SPARE)


def listed_table(title: str, names: Mapping[str, str]) -> Table:
    """Names with what they are, in words."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, words in names.items():
        table.add_row(f"  {name}", Text(words))
    return table


def text(shown: WideTable, width: int = 120) -> str:
    """The table as plain text, in so many columns."""
    console = Console(width=width, file=io.StringIO(), color_system=None)
    table, dropped = shown.fitted(width)
    with console.capture() as captured:
        console.print(table)
        if dropped:
            console.print(f"no room for: {', '.join(dropped)}")
    return captured.get().rstrip()
