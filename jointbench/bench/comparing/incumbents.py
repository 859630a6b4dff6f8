"""What the runs of a comparison ended with."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.run_table import run_labels
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.arrow import from_struct


@dataclass(frozen=True)
class Incumbent:
    """The final incumbent of a run, and the errors (fractions) that the comparison judges it by."""

    optimizer: str
    run_seed: int
    configuration: Configuration
    validation_error: float
    test_error: float


def final_incumbents(folder: Path) -> list[Incumbent]:
    """One for each run that found any, in the order of names and seeds. Raises LogError where there are no runs."""
    Settings.read(folder)
    runs = run_files(folder)
    if not runs:
        raise LogError("comparison", str(folder), "a folder with finished runs")
    columns = ["incumbent", "configuration", "incumbent_validation_error", "incumbent_test_error"]
    called, found = run_labels(folder), []
    for optimizer, seed, path in runs:
        with open(path, "rb") as file:
            table = pq.read_table(file, columns=columns)
        kind = table.schema.field("configuration").type
        became = table.filter(table["incumbent"]).to_pylist()
        if became:
            last = became[-1]
            errors = last["incumbent_validation_error"], last["incumbent_test_error"]
            found.append(Incumbent(called[optimizer], seed, from_struct(last["configuration"], kind), *errors))
    return found
