"""What is missing on a comparison's page: the runs that their optimizers did not bring to an end."""

from pathlib import Path

from jointbench.bench.comparing.failures import failures
from jointbench.bench.comparing.run_table import run_labels
from jointbench.bench.pages.page import table_html


def missing_section(folder: Path) -> list[str]:
    """Nothing where no run failed."""
    found = failures(folder)
    if not found:
        return []
    called = run_labels(folder, (one.optimizer for one in found))
    rows = [(called[one.optimizer], str(one.seed), one.sentence) for one in found]
    return [
        "<h2>What is missing</h2>",
        "<p>These runs failed and are in none of the figures below. Where an optimizer has other runs, those are what "
        "it is judged by, which may flatter it. The command that made the comparison tries them again.</p>",
        table_html(("optimizer", "seed", "what happened"), rows, kind="words"),
    ]
