"""Speed of the simulated cluster: microseconds that simulating adds to an evaluation.

The optimizer proposes what it was made with and the objective looks its answer up, so that what is left is the run
loop and the cluster; the same calls without a cluster are subtracted. Beside it, by turns on the same evaluations: a
cluster that looks at all workers to find the one that ends first, and Syne Tune's simulator backend where it is
installed, with a scheduler and a backend that take as little time as ours. The time is the processor's, since nothing
here waits.
"""

import time
from functools import partial
from importlib.util import find_spec

from jointbench.bench.speed.measure import interleave, parser, present, progress
from jointbench.bench.speed.simulations import Workload, syne_tune
from jointbench.data.quantities import counted

WORKERS = (1, 10, 1_000, 10_000)
EVALUATIONS = 20_000
#: What the slower ones are shown with: evaluations and workers.
SCANNED = 3_000, 1_000
SYNE_TUNE = 200, 10


def main() -> None:
    arguments = parser(__doc__ or "").parse_args()
    seconds = 10 if arguments.quick else 60
    whole = Workload(EVALUATIONS)
    progress(f"simulating {EVALUATIONS:,} evaluations")
    timings = interleave(
        {
            "calls": whole.calls_alone,
            **{str(workers): partial(whole.simulate, workers) for workers in WORKERS},
        },
        seconds=seconds,
        clock=time.process_time,
    )
    alone = timings["calls"].median / EVALUATIONS * 1e6
    figures: dict[str, float | int | str] = {"evaluations": EVALUATIONS, "calls_us": round(alone, 2)}
    rows = []
    for workers in WORKERS:
        added = timings[str(workers)].median / EVALUATIONS * 1e6 - alone
        figures[f"added_us_{workers}"] = round(added, 2)
        rows.append((f"{workers:,} worker{'s' * (workers > 1)}", f"{added:.1f} us", "", ""))
    others = {"scanning": ("a list of all workers", *SCANNED)}
    if find_spec("syne_tune"):
        others["syne_tune"] = ("Syne Tune's simulator", *SYNE_TUNE)
    for key, (name, count, workers) in others.items():
        progress(f"beside {name}")
        few = Workload(count)
        slower = partial(syne_tune, few, workers) if key == "syne_tune" else partial(few.scan, workers)
        pair = interleave(
            {"ours": partial(few.simulate, workers), "other": slower},
            seconds=seconds / 2,
            clock=time.process_time,
        )
        each = {which: timing.median / count * 1e6 - alone for which, timing in pair.items()}
        figures[f"{key}_workers"] = workers
        figures[f"{key}_us"] = round(each["other"], 1)
        figures[f"{key}_ratio"] = round(each["other"] / each["ours"], 1)
        ours, other = f"{each['ours']:.1f} us", f"{each['other']:,.0f} us"
        rows.append((f"{counted(workers, 'worker')}; {name}", ours, other, f"{each['other'] / each['ours']:,.0f}x"))
    present(
        "what simulating adds to an evaluation",
        ("", "ours", "the other", "ratio"),
        rows,
        figures,
        as_json=arguments.json,
        libraries=("numpy", *(["syne-tune"] if "syne_tune" in others else [])),
    )


if __name__ == "__main__":
    main()
