"""Small comparisons on the shipped benchmark, for the tests of what is computed, kept and shown."""

import json
import shutil
from pathlib import Path

from jointbench.bench.comparing.comparison import compare
from jointbench.bench.comparing.comparison_folder import Overhead
from jointbench.bench.comparing.simulated_objective import SimulatedObjective, simulated_settings
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.arrays import FloatArray
from jointbench.surrogate.stored import load_benchmark

NAMES = ("random", "hyperband")


def called_real(simulated: Path, folder: Path) -> None:
    """A copy of a comparison that says it was made by trainings."""
    shutil.copytree(simulated, folder)
    file = folder / "comparison.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["settings"]["objective"] = "training"
    file.write_text(json.dumps(content), encoding="utf-8")


#: What stands above the table of a comparison on a benchmark.
HEADINGS = (
    "optimizer",
    "seeds",
    "evaluations",
    "final validation error",
    "quartiles",
    "final test error",
    "regret",
    "mean rank",
    "speed-up over random",
)


def both(validation: FloatArray, test: FloatArray) -> dict[str, FloatArray]:
    """The errors of a trajectory by name."""
    return {"validation_error": validation, "test_error": test}


def small(
    out: Path,
    names: tuple[str, ...] = NAMES,
    seeds: int = 2,
    full_budgets: float = 8.0,
    workers: int = 4,
    overhead: Overhead = 0.0,
    death_rate: float = 0.0,
    objective: SimulatedObjective | None = None,
    force: bool = False,
) -> list[str]:
    settings = simulated_settings(
        objective or SurrogateObjective(load_benchmark("digits-cpu")),
        workers=workers,
        full_budgets=full_budgets,
        overhead=overhead,
        death_rate=death_rate,
    )
    return compare(
        settings,
        names,
        seeds=dict.fromkeys(names, seeds),
        out=out,
        jobs=1,
        command=f"jointbench compare --seeds {seeds}",
        progress=lambda done, total: None,
        force=force,
    )
