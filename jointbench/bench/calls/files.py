"""Tables and figures as files."""

from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from jointbench.bench.calls.figure_files import FigureFile, check_drawable, draw_all
from jointbench.bench.calls.result import Result
from jointbench.data.errors import InputError
from jointbench.data.files import check_writable, make_folder, write_whole
from jointbench.data.listed_names import listed_names

#: What figures and tables can be written as, and how the files' names end.
FIGURES: Mapping[str, str] = {"svg": ".svg", "pdf": ".pdf", "png": ".png"}
TABLES: Mapping[str, str] = {"csv": ".csv", "latex": ".tex"}

#: Pixels, as on a page.
WIDTH = 960

#: Pixels of a png for each of the figure's: sharp in print.
SCALE = 3

#: The numbers themselves, beside the tables.
NUMBERS = "evaluations"


def checked_formats(formats: Collection[str]) -> list[str]:
    """Each once. Raises InputError for one that there is not, or for none at all."""
    known = [*FIGURES, *TABLES]
    wanted = listed_names("formats", formats)
    for one in wanted or [""]:
        if one not in known:
            raise InputError("format", one, f"some of {', '.join(known)}")
    return list(dict.fromkeys(wanted))


def write_result(result: Result, out: Path, formats: Collection[str]) -> list[Path]:
    """Write all that a result shows into a folder, which is made if it is missing: all of it or nothing.

    Files of the same names are replaced. Raises InputError for a format, UnwritableError where there can be no such
    folder, MissingExtraError where figures cannot be drawn.
    """
    wanted = checked_formats(formats)
    if set(wanted) & set(FIGURES):
        check_drawable()
    check_writable(out, folder=True)
    # What cannot be read is refused before there is a folder.
    result.tables()
    make_folder(out)
    with TemporaryDirectory(dir=out, prefix=".writing-") as folder:
        made = Path(folder)
        if "csv" in wanted:
            for name, table in result.tables().items():
                table.to_pandas().to_csv(made / f"{name}{TABLES['csv']}", index=False)
            result.to_pandas().to_csv(made / f"{NUMBERS}{TABLES['csv']}", index=False)
        if "latex" in wanted:
            for name, table in result.tables().items():
                (made / f"{name}{TABLES['latex']}").write_text(table.to_latex(), encoding="utf-8")
        _draw(result, made, [one for one in wanted if one in FIGURES])
        files = sorted(made.iterdir())
        for file in files:
            write_whole(out / file.name, file.read_bytes())
    return [out / file.name for file in files]


def _draw(result: Result, folder: Path, formats: Collection[str]) -> None:
    if not formats:
        return
    wanted = list[FigureFile]()
    for name in result.drawings():
        figure = result.figure(name).to_dict()
        # Pages have a background of their own.
        figure["layout"] |= {"paper_bgcolor": "white", "plot_bgcolor": "white", "width": WIDTH}
        for one in formats:
            scale = SCALE if one == "png" else 1
            wanted.append(FigureFile(figure, folder / f"{name}{FIGURES[one]}", one, scale))
    draw_all(wanted)
