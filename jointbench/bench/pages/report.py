"""The page of whatever a folder holds: a comparison or a log."""

from pathlib import Path

from jointbench.bench.comparing.comparison_folder import SETTINGS
from jointbench.bench.pages.comparison_page import comparison_page
from jointbench.bench.pages.log_page import log_page
from jointbench.bench.pages.page import write_page
from jointbench.bench.pages.side_by_side import side_by_side
from jointbench.data.log import EvaluationLog

PAGE = "report.html"


def write_report(folder: Path) -> Path:
    """Draw the page of a comparison (or of a log) into its folder; a released log's beside its file.

    Raises LogError when `folder` holds neither.
    """
    if (folder / SETTINGS).exists():
        return write_page(folder / PAGE, "Which optimizer wins?", comparison_page(folder))
    log = EvaluationLog.open(folder)
    place = folder / PAGE if folder.is_dir() else folder.with_name(f"{folder.stem}-{PAGE}")
    return write_page(place, f"Trainings on {log.images.name}", log_page(log))


def write_side_by_side(first: Path, second: Path) -> Path:
    """Draw the page of two comparisons into the first one's folder.

    Raises LogError when a folder holds no comparison, InputError when they have too few optimizers in common.
    """
    place = first / f"beside-{second.resolve().name}.html"
    return write_page(place, "Do two comparisons agree?", side_by_side(first, second))
