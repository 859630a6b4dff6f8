"""A process that has nothing to do but import, load and answer: seconds of each, and its peak memory.

`python -m jointbench.bench.speed.query_process CONTENDER FOLDER` prints them as JSON; `FOLDER` holds the others' files.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def alone(folder: Path) -> tuple[float, float]:
    return _ours(accelerated=False)


def accelerated(folder: Path) -> tuple[float, float]:
    return _ours(accelerated=True)


def _ours(*, accelerated: bool) -> tuple[float, float]:
    from jointbench.surrogate.stored import load_benchmark

    imported = time.perf_counter()
    benchmark = load_benchmark("digits-cpu")
    loaded = time.perf_counter()
    if accelerated:
        benchmark.accelerate()
    import numpy as np

    configurations = benchmark.search_space.sample(np.random.default_rng(0), 10_000)
    benchmark.query(configurations[0], benchmark.ladder.maximum, 3)
    benchmark.query_batch(benchmark.search_space.rows(configurations), benchmark.ladder.maximum, 3)
    return imported, loaded


def boosters(folder: Path) -> tuple[float, float]:
    import numpy as np
    import xgboost

    imported = time.perf_counter()
    files = sorted(folder.glob("*.ubj"))
    models = [xgboost.Booster({"nthread": 1}, model_file=str(file)) for file in files]
    loaded = time.perf_counter()
    features = np.load(folder / "features.npy")
    for model in models:
        model.inplace_predict(features)
    return imported, loaded


def pipelines(folder: Path) -> tuple[float, float]:
    import joblib

    from jointbench.bench.speed.query_others import Pipelines

    imported = time.perf_counter()
    made: Pipelines = joblib.load(folder / "pipelines.joblib")
    loaded = time.perf_counter()
    made.predict(joblib.load(folder / "frame.joblib"))
    return imported, loaded


CONTENDERS: dict[str, Callable[[Path], tuple[float, float]]] = {
    contender.__name__: contender for contender in (alone, accelerated, boosters, pipelines)
}


def _peak() -> int:
    """Bytes. Not `ru_maxrss`, which Linux passes on from the process that started this one."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    start = time.perf_counter()
    imported, loaded = CONTENDERS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"import": imported - start, "load": loaded - imported, "memory": _peak()}))  # noqa: T201


if __name__ == "__main__":
    main()
