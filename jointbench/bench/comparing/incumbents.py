"""What the runs of a comparison ended with."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.run_table import INCUMBENT, run_labels
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Configuration, Metrics
from jointbench.data.spaces.arrow import from_struct


@dataclass(frozen=True)
class Incumbent:
    """The final incumbent of a run, and the metrics that the comparison judges it by."""

    optimizer: str
    run_seed: int
    configuration: Configuration
    metrics: Metrics


def final_incumbents(folder: Path) -> list[Incumbent]:
    """One for each run that found any, in the order of names and seeds. Raises LogError where there are no runs."""
    names = [metric.name for metric in Settings.read(folder).metrics]
    runs = run_files(folder)
    if not runs:
        raise LogError("comparison", str(folder), "a folder with finished runs")
    called, found = run_labels(folder), []
    for optimizer, seed, path in runs:
        with open(path, "rb") as file:
            known = [name for name in names if f"{INCUMBENT}{name}" in pq.read_schema(file).names]
            columns = ["incumbent", "configuration", *(f"{INCUMBENT}{name}" for name in known)]
            table = pq.read_table(file, columns=columns)
        kind = table.schema.field("configuration").type
        became = table.filter(table["incumbent"]).to_pylist()
        if became:
            last = became[-1]
            metrics = {name: last[f"{INCUMBENT}{name}"] for name in known}
            found.append(Incumbent(called[optimizer], seed, from_struct(last["configuration"], kind), metrics))
    return found
