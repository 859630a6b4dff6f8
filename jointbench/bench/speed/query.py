"""Speed of a query: one full answer, a batch, loading and importing, beside XGBoost's own calls and a pipeline.

A full answer is all targets with noise, from a dict, through the public call. The others do less: XGBoost's calls are
given finished features and say what the same trees do; the pipelines are as JAHS-Bench-201's (a pandas frame through
scikit-learn, one booster a metric) and draw nothing. All run on one thread.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from jointbench.bench.speed.measure import interleave, parser, present, progress
from jointbench.bench.speed.query_others import Pipelines, as_boosters, as_estimators
from jointbench.data.errors import MissingExtraError
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.model_file import read_models
from jointbench.surrogate.stored import MODELS, load_benchmark, released
from jointbench.surrogate.ubjson import split_ubjson

NAME, BATCH = "digits-cpu", 10_000
#: How many configurations a contender is asked for one by one, before it is the next one's turn.
ROUND = {"alone": 20, "accelerated": 20, "inplace": 4, "sklearn": 4, "pipelines": 1}

#: The contenders by the names of their figures.
TITLES = {
    "alone": "ours, NumPy alone",
    "accelerated": "ours, accelerated",
    "inplace": "XGBoost inplace_predict",
    "sklearn": "XGBoost scikit-learn",
    "pipelines": "JAHS-style pipelines",
}
#: Those that are seen to in processes of their own, and what they are called there.
PROCESSES = {"alone": "alone", "accelerated": "accelerated", "inplace": "boosters", "pipelines": "pipelines"}

#: What a process says.
SAID = ("import_seconds", "import_core_seconds", "load_seconds", "load_core_seconds", "memory_bytes")

Calls = dict[str, Callable[[], object]]


def per_configuration(
    calls: Calls, counts: Mapping[str, int], seconds: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of seconds by the clock, and of those of a core, which depend little on who else is at work."""
    taken: dict[str, list[float]] = {name: [] for name in calls}

    def counted(name: str) -> None:
        start = time.process_time()
        calls[name]()
        taken[name].append(time.process_time() - start)

    timings = interleave({name: partial(counted, name) for name in calls}, seconds=seconds)
    clock = {name: timing.median / counts[name] for name, timing in timings.items()}
    # The first call was not timed.
    return clock, {name: statistics.median(taken[name][1:]) / counts[name] for name in calls}


def compiled(benchmark: Benchmark) -> Benchmark | None:
    """None where llvmlite is not installed."""
    other = copy(benchmark)
    try:
        other.accelerate()
    except MissingExtraError:
        return None
    return other


def in_processes(folder: Path, contenders: list[str], repetitions: int) -> dict[str, dict[str, float]]:
    """Medians over fresh processes, by contender: seconds to import and to load, bytes at the peak.

    This process has imported the same files, so that all are in the file system's cache.
    """
    said: dict[str, list[dict[str, float]]] = {contender: [] for contender in contenders}
    for _ in range(repetitions):
        for contender, outputs in said.items():
            command = [sys.executable, "-m", f"{__package__}.query_process", PROCESSES[contender], str(folder)]
            outputs.append(json.loads(subprocess.check_output(command)))
    return {
        contender: {key: statistics.median(output[key] for output in outputs) for key in outputs[0]}
        for contender, outputs in said.items()
    }


def main() -> None:
    arguments = parser(__doc__ or "").parse_args()
    file, benchmark = released()[NAME] / MODELS, load_benchmark(NAME)
    models = list(split_ubjson(file.read_bytes()).values())
    (error, *_), _ = read_models(file.read_bytes(), str(file), benchmark.manifest.models, len(benchmark.features.names))
    progress("fitting the pipelines")
    pipelines = Pipelines(benchmark, len(error.roots), error.depth)
    boosters, estimators, faster = as_boosters(models), as_estimators(models), compiled(benchmark)
    budget, space = benchmark.ladder.maximum, benchmark.space
    asked = space.sample(np.random.default_rng(0), BATCH)
    rows, seeds, budgets = space.rows(asked), np.arange(BATCH), np.full(BATCH, budget)
    features = benchmark.features.many(rows, space.facts(rows, benchmark.images.shape), budgets)
    frame = pipelines.frame(benchmark, rows, budgets)

    def ours(asking: Benchmark, count: int) -> None:
        for seed, configuration in enumerate(asked[:count]):
            asking.query(configuration, budget, seed)

    def theirs(calls: Sequence[Callable[[Any], object]], count: int) -> None:
        for row in features[:count]:
            for call in calls:
                call(row[None])

    inplace = [booster.inplace_predict for booster in boosters]
    predict = [estimator.predict for estimator in estimators]
    # A copy has not been asked yet, and so compiles nothing.
    single: Calls = {"alone": lambda: ours(copy(benchmark), ROUND["alone"])}
    if faster is not None:
        single["accelerated"] = lambda: ours(faster, ROUND["accelerated"])
    single["inplace"] = lambda: theirs(inplace, ROUND["inplace"])
    single["sklearn"] = lambda: theirs(predict, ROUND["sklearn"])
    single["pipelines"] = lambda: [pipelines.query(one, budget) for one in asked[: ROUND["pipelines"]]]
    batch: Calls = {
        "alone": lambda: benchmark.query_batch(rows, budgets, seeds),
        "inplace": lambda: [call(features) for call in inplace],
        "sklearn": lambda: [call(features) for call in predict],
        "pipelines": lambda: pipelines.predict(frame),
    }
    progress("single answers")
    seconds = 4 if arguments.quick else 40
    answer, answer_core = per_configuration(single, ROUND, seconds)
    progress("batches")
    row, row_core = per_configuration(batch, dict.fromkeys(batch, BATCH), seconds)
    progress("processes")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number, model in enumerate(models):
            (folder / f"{number}.ubj").write_bytes(model)
        np.save(folder / "features.npy", features)
        joblib.dump(pipelines, folder / "pipelines.joblib")
        joblib.dump(frame, folder / "frame.joblib")
        alive = [name for name in PROCESSES if name in single]
        process = in_processes(folder, alive, 1 if arguments.quick else 9)
    measured = {
        "answer_seconds": answer,
        "answer_core_seconds": answer_core,
        "batch_row_seconds": row,
        "batch_row_core_seconds": row_core,
        **{key: {name: said[key] for name, said in process.items()} for key in SAID},
    }
    figures = {f"{name}_{what}": value for what, by in measured.items() for name, value in by.items()}
    figures |= {f"answer_ratio_{name}": answer[name] / answer["alone"] for name in answer}
    present(
        f"a query of {benchmark.name}: {len(benchmark.manifest.models)} models, {BATCH:,} rows in a batch",
        ("", *(TITLES[name] for name in single)),
        [
            (words, *(shown(measured[what].get(name)) for name in single))
            for words, what, shown in (
                ("one answer", "answer_seconds", microseconds),
                ("  seconds of a core", "answer_core_seconds", microseconds),
                ("a row of a batch", "batch_row_seconds", microseconds),
                ("  seconds of a core", "batch_row_core_seconds", microseconds),
                ("import, fresh process", "import_seconds", milliseconds),
                ("  seconds of a core", "import_core_seconds", milliseconds),
                ("load", "load_seconds", milliseconds),
                ("  seconds of a core", "load_core_seconds", milliseconds),
                ("  peak memory of the process", "memory_bytes", megabytes),
            )
        ],
        figures,
        as_json=arguments.json,
        libraries=("numpy", "xgboost", "scikit-learn", "pandas"),
    )


def microseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:,.1f} us"


def milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:,.0f} ms"


def megabytes(size: float | None) -> str:
    return "" if size is None else f"{size / 1e6:,.0f} MB"


if __name__ == "__main__":
    main()
