"""A process that has nothing to do but import, load and answer: seconds, those of a core, and its peak memory.

`python -m jointbench.bench.speed.query_process CONTENDER FOLDER` prints them as JSON; `FOLDER` holds the others' files.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

#: Seconds by the clock, and of a core.
Moment = tuple[float, float]


def now() -> Moment:
    return time.perf_counter(), time.process_time()


def alone(folder: Path) -> tuple[Moment, Moment]:
    return _ours(accelerated=False)


def accelerated(folder: Path) -> tuple[Moment, Moment]:
    return _ours(accelerated=True)


def _ours(*, accelerated: bool) -> tuple[Moment, Moment]:
    from jointbench.surrogate.stored import load_benchmark

    imported = now()
    benchmark = load_benchmark("digits-cpu")
    loaded = now()
    if accelerated:
        benchmark.accelerate()
    import numpy as np

    configurations = benchmark.space.sample(np.random.default_rng(0), 10_000)
    benchmark.query(configurations[0], benchmark.ladder.maximum, 3)
    benchmark.query_batch(benchmark.space.rows(configurations), benchmark.ladder.maximum, 3)
    return imported, loaded


def boosters(folder: Path) -> tuple[Moment, Moment]:
    import numpy as np
    import xgboost

    imported = now()
    files = sorted(folder.glob("*.ubj"))
    models = [xgboost.Booster({"nthread": 1}, model_file=str(file)) for file in files]
    loaded = now()
    features = np.load(folder / "features.npy")
    for model in models:
        model.inplace_predict(features)
    return imported, loaded


def pipelines(folder: Path) -> tuple[Moment, Moment]:
    import joblib

    from jointbench.bench.speed.query_others import Pipelines

    imported = now()
    made: Pipelines = joblib.load(folder / "pipelines.joblib")
    loaded = now()
    made.predict(joblib.load(folder / "frame.joblib"))
    return imported, loaded


CONTENDERS: dict[str, Callable[[Path], tuple[Moment, Moment]]] = {
    contender.__name__: contender for contender in (alone, accelerated, boosters, pipelines)
}


def _peak() -> int:
    """Bytes. Not `ru_maxrss`, which Linux passes on from the process that started this one."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) * 1024


def main() -> None:
    start = now()
    imported, loaded = CONTENDERS[sys.argv[1]](Path(sys.argv[2]))
    said = {"memory_bytes": float(_peak())}
    for name, before, after in (("import", start, imported), ("load", imported, loaded)):
        said[f"{name}_seconds"], said[f"{name}_core_seconds"] = (b - a for a, b in zip(before, after, strict=True))
    print(json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    main()
