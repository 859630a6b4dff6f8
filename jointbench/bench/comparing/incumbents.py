"""What the runs of a comparison ended with."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from jointbench.bench.comparing.comparison_folder import Settings, run_files
from jointbench.bench.comparing.run_table import INCUMBENT, LEFT, read_run, run_labels
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Configuration, Metrics
from jointbench.data.spaces.arrow import from_struct


@dataclass(frozen=True)
class Incumbent:
    """The final incumbent of a run, or one of its final front, and the metrics that the comparison judges it by."""

    optimizer: str
    run_seed: int
    configuration: Configuration
    metrics: Metrics


def final_incumbents(folder: Path) -> list[Incumbent]:
    """One for each run that found any, in the order of names and seeds; of several objectives all of its final front,
    in the order in which they were found. Raises LogError where there are no runs."""
    settings = Settings.read(folder)
    names, several = [metric.name for metric in settings.metrics], bool(settings.box)
    runs = run_files(folder)
    if not runs:
        raise LogError("comparison", str(folder), "a folder with finished runs")
    called, found = run_labels(folder), []
    for optimizer, seed, path in runs:
        with open(path, "rb") as file:
            written = frozenset(pq.read_schema(file).names)
        known = [name for name in names if f"{INCUMBENT}{name}" in written]
        columns = ["incumbent", "configuration", *(f"{INCUMBENT}{name}" for name in known)]
        table = read_run(path, [*columns, LEFT] if several else columns)
        kind = table.schema.field("configuration").type
        became = table.filter(table["incumbent"]).to_pylist()
        stand = [one for one in became if one[LEFT] is None] if several else became[-1:]
        for last in stand:
            metrics = {name: last[f"{INCUMBENT}{name}"] for name in known}
            found.append(Incumbent(called[optimizer], seed, from_struct(last["configuration"], kind), metrics))
    return found
