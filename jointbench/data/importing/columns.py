"""A table's columns, whatever it comes in: CSV, Parquet, a frame of pandas or Polars, an Arrow table."""

import csv
import difflib
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jointbench.data.errors import InputError, UnknownNameError

#: How a Parquet file begins.
_PARQUET = b"PAR1"
_DELIMITERS = ",;\t"
#: Columns that a sentence names of many.
_NAMED = 8
#: Characters of a column's name, of which sentences are made.
_LONGEST = 100


@dataclass(frozen=True)
class Columns:
    """Cells (n,) by column, as they were found: those of CSV are text.

    `source` is what a person calls the table; `digest` changes with any cell. `broken`: rows (from 0) that have not a
    cell a column, and what is wrong with them; their cells are None.
    """

    source: str
    cells: Mapping[str, list[Any]]
    digest: str
    broken: Mapping[int, InputError] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.cells.values())))

    def column(self, name: str, option: str) -> list[Any]:
        """The cells of a column. Raises UnknownNameError, in which `option` is what named it."""
        if name not in self.cells:
            names = list(self.cells)
            near = difflib.get_close_matches(str(name), names, n=_NAMED) or names[:_NAMED]
            more = f" ({len(names)} in all)" if len(names) > len(near) else ""
            raise UnknownNameError(option, name, f"a column of {self.source}: {', '.join(near)}{more}")
        return self.cells[name]


def read_columns(given: Any) -> Columns:
    """The columns of a CSV or Parquet file, known by its content, or of anything that has columns by name.

    CSV is UTF-8, with commas, semicolons or tabs, and names in its first line; a column without a name, as pandas
    writes its index, is left out. Raises InputError for what is no table, has no rows, or has one name twice.
    """
    if not isinstance(given, (str, Path)):
        return _of_frame(given)
    path = Path(given)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError("table", str(path), f"a CSV or Parquet file that can be read ({error.strerror})") from None
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith(_PARQUET):
        return _checked(Columns(str(path), _of_parquet(content, path), digest))
    cells, broken = _of_csv(content, path)
    return _checked(Columns(str(path), cells, digest, broken))


def _checked(columns: Columns) -> Columns:
    if not columns.cells or not len(columns):
        raise InputError("table", columns.source, "at least one column with a name, and one row")
    return columns


def _once(names: Iterable[str], source: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"columns of {source}", name, "each name once")
        if len(name) > _LONGEST:
            raise InputError(f"columns of {source}", name, f"names of at most {_LONGEST} characters")
        seen.add(name)


def _of_csv(content: bytes, path: Path) -> tuple[dict[str, list[Any]], dict[int, InputError]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        found = content[wrong.start : wrong.end]
        line = content.count(b"\n", 0, wrong.start) + 1
        raise InputError(f"table {path}", found, f"Parquet, or CSV in UTF-8 (line {line}: {wrong.reason})") from None
    first = text.lstrip("\r\n").split("\n", 1)[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=first.count), strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in lines if row)
    except csv.Error as wrong:
        raise InputError(f"table {path}", f"line {lines.line_num}", f"CSV ({wrong})") from None
    if not rows:
        raise InputError("table", str(path), "at least one column with a name, and one row")
    names, width = [name.strip() for name in rows[0]], len(rows[0])
    _once(filter(None, names), str(path))
    broken = {
        number: InputError(f"row {number + 1} of {path}", f"{len(row)} cells", f"{width}, one a column")
        for number, row in enumerate(rows[1:])
        if len(row) != width
    }
    whole = [row if len(row) == width else [None] * width for row in rows[1:]]
    cells = {name: [row[place] for row in whole] for place, name in enumerate(names) if name}
    return cells, broken


def _of_parquet(content: bytes, path: Path) -> dict[str, list[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(io.BytesIO(content)) as file:
            _once(file.schema_arrow.names, str(path))
            table = file.read()
        # Texts that are no UTF-8, which reading does not see.
        table.validate(full=True)
        return {name: table[name].to_pylist() for name in table.column_names}
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise InputError("table", str(path), f"Parquet that can be read ({type(error).__name__})") from None


def _of_frame(given: Any) -> Columns:
    labels: Any = (
        given if isinstance(given, Mapping) else getattr(given, "column_names", getattr(given, "columns", None))
    )
    try:
        names = list(labels)
        columns = {name: given[name] for name in dict.fromkeys(names)}
    except (TypeError, KeyError, ValueError, AttributeError):
        raise InputError("table", type(given).__name__, "a CSV or Parquet file, or a frame") from None
    cells = {name: _cells(name, column) for name, column in columns.items()}
    for name in names:
        if not isinstance(name, str):
            raise InputError("columns of the frame", name, "names that are text")
    _once(names, "the frame")
    if len({len(column) for column in cells.values()}) > 1:
        raise InputError("table", {name: len(column) for name, column in cells.items()}, "columns of one length")
    digest = hashlib.sha256(repr(cells).encode(errors="backslashreplace")).hexdigest()
    return _checked(Columns("the frame", cells, digest))


def _cells(name: object, column: Any) -> list[Any]:
    """Raises InputError, which names the column, for what is no column, text among it."""
    try:
        if isinstance(column, (str, bytes, Mapping)):
            raise TypeError
        for method in ("to_pylist", "to_list", "tolist"):
            if hasattr(column, method):
                return list(getattr(column, method)())
        return list(column)
    except (TypeError, ValueError, AttributeError):
        raise InputError(f"column {name} of the table", column, "a list of cells, one a row") from None
