"""The examination of a comparison's folder: what it is, what is in it, and what of it cannot be read."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.collecting.doctor import Findings
from jointbench.bench.comparing.comparison_folder import (
    RETRAININGS,
    RUNS,
    TRAININGS,
    Settings,
    read_content,
    run_files,
    workers_folders,
)
from jointbench.bench.comparing.failures import failures
from jointbench.bench.comparing.run_table import run_labels
from jointbench.data.quantities import counted
from jointbench.data.visible import visible


def examine_comparison(folder: Path) -> Findings:
    """Look through a comparison; changes nothing. Raises LogError where the folder holds none."""
    found, settings, called = Findings(), Settings.read(folder), run_labels(folder)
    stop = f"{settings.full_budgets:g} full budgets" if settings.time is None else f"{settings.time:,g} seconds"
    on = f"a comparison of optimizers on {settings.name} ({settings.objective})"
    found.facts.append(f"{on}: {stop} a run, {counted(settings.workers, 'worker')}")
    made, evaluations = Counter[str](), 0
    for optimizer, _, path in run_files(folder):
        try:
            evaluations += pq.read_metadata(path).num_rows
            made[called[optimizer]] += 1
        except (pa.ArrowException, OSError):
            found.problems.append(f"{path.name} in {RUNS} is damaged: delete it, and the same command makes it again")
    each = ", ".join(f"{name} {number}" for name, number in made.items())
    runs = f"{counted(made.total(), 'run')} with {counted(evaluations, 'evaluation')}"
    found.facts.append(f"{runs}: {each}" if made else "no run yet")
    found.facts += [f"made by `{command}`" for command in read_content(folder).get("commands", ())]
    for other in workers_folders(folder):
        found.facts.append(f"the same with other workers is in {other}")
    # Those of its runs are one log, those of its incumbents and of published networks a log a space.
    for log in (folder / TRAININGS, *visible(folder / RETRAININGS, "*/")):
        if log.exists():
            found.facts.append(f"trainings are in {log}, which `jointbench doctor` examines as a log")
    for failure in failures(folder):
        found.notes.append(f"a run failed, and the same command tries it again: {failure.sentence}")
    return found
