"""The page of whatever a folder holds: a comparison, one over tasks, or a log."""

import os
from importlib import resources
from pathlib import Path

from jointbench.bench.comparing.across_tasks import TASKS
from jointbench.bench.comparing.comparison_folder import SETTINGS, read_content
from jointbench.bench.pages.comparison_page import comparison_page
from jointbench.bench.pages.log_page import log_page, log_title
from jointbench.bench.pages.page import write_page
from jointbench.bench.pages.side_by_side import side_by_side
from jointbench.bench.pages.tasks_page import tasks_page
from jointbench.data.files import check_writable
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.croissant import EVALUATIONS
from jointbench.surrogate.stored import MANIFEST

PAGE = "report.html"


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Draw the page of a comparison, of one over tasks, or of a log as `out`; by default into its folder, that of a
    log's file beside it, that of a benchmark's trainings as of their file, since `fit` drew a page of the benchmark,
    and that of what ships with this package into the working directory.

    Raises LogError when `folder` holds none, UnwritableError before anything is drawn.
    """
    place = out or _place(folder)
    if os.path.exists(folder / SETTINGS):
        check_writable(place, "page")
        return write_page(place, "Which optimizer wins?", comparison_page(folder))
    if os.path.exists(folder / TASKS):
        check_writable(place, "page")
        return write_page(place, "Which optimizer wins, over tasks?", tasks_page(folder))
    log = EvaluationLog.open(folder)
    check_writable(place, "page")
    return write_page(place, log_title(log), log_page(log))


def _place(folder: Path) -> Path:
    with resources.as_file(resources.files("jointbench")) as package:
        if package.resolve() in folder.resolve().parents:
            return Path(f"{folder.resolve().stem}-{PAGE}")
    file = folder / EVALUATIONS if os.path.exists(folder / MANIFEST) else folder
    return file / PAGE if os.path.isdir(file) else file.with_name(f"{file.stem}-{PAGE}")


def write_side_by_side(first: Path, second: Path, out: Path | None = None) -> Path:
    """Draw the page of two comparisons as `out`, by default into the first one's folder.

    Raises LogError when a folder holds no comparison, InputError when they have too few optimizers in common,
    UnwritableError before anything is drawn.
    """
    for folder in (first, second):
        read_content(folder)
    place = out or first / f"beside-{second.resolve().name}.html"
    check_writable(place, "page")
    return write_page(place, "Do two comparisons agree?", side_by_side(first, second))
