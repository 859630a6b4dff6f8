"""Speed of the optimizers: microseconds an ask when 100, 300, 1,000 and 3,000 results are known, and a whole run.

All results are at one budget (a ladder of one rung), so that each ask proposes a new configuration and each result is
in the model: the worst case, since promotions cost nothing. Every ask follows a tell, so that a model is fitted anew
where the optimizer does so. Beside ours: HpBandSter's own BOHB, and smac's facade as it comes, of which
`smac-default` is the same with what changes nothing left out.

The run is one of the default comparison's: seed 0 on digits-cpu with 10 simulated workers, in seconds of the
processor's time, answers of the benchmark included and imports not. A quick one spends a quarter of the budgets.
"""

import time
from collections.abc import Sequence
from importlib.util import find_spec

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.bench.speed.contenders import SEED, Contender, contender
from jointbench.bench.speed.measure import parser, present, progress
from jointbench.optimizers import make_optimizer
from jointbench.surrogate.stored import load_benchmark

SIZES = (100, 300, 1_000, 3_000)
CHEAP = ("random", "hyperband", "asha", "regularized-evolution", "two-stage", "bohb")
SMAC = ("smac", "smac-default", "plain smac")
NAMES = (*CHEAP, "hpbandster-bohb", "tpe", "cma-es", *SMAC)
#: What a quick run has time for, by the number of results.
QUICK = {100: (*CHEAP, *SMAC), 1_000: (*CHEAP, "hpbandster-bohb", "tpe")}
#: What each optimizer needs, where a person may not have it.
NEEDS = {"tpe": "optuna", "cma-es": "cmaes", "hpbandster-bohb": "hpbandster"}
#: The default comparison's optimizers, and the budgets of its runs.
RUNS = ("random", "hyperband", "bohb", "smac", "two-stage")
RUN_BUDGETS, QUICK_RUN_BUDGETS, RUN_WORKERS = 256.0, 64.0, 10
#: Asks a turn: smac fits its model once in eight; these draw 64 configurations ahead.
BLOCK, AHEAD = 8, dict.fromkeys(("random", "hyperband", "asha"), 64)


def measure(made: Sequence[Contender], size: int, seconds: float) -> None:
    """One turn each, then by turns for so long, without the slow; not so many that a model grows by half and more."""
    for one in made:
        one.turn(AHEAD.get(one.name, BLOCK))
    end = time.perf_counter() + seconds
    for _ in range(size // 2 // BLOCK):
        for one in made:
            if one.spent < seconds / 4 and time.perf_counter() < end:
                one.turn(AHEAD.get(one.name, BLOCK))


def whole_run(name: str, objective: SurrogateObjective, full_budgets: float) -> tuple[float, int]:
    """Seconds of the processor's time, and evaluations."""
    space, ladder = objective.space, objective.ladder
    start = time.process_time()
    optimizer = make_optimizer(name, space, ladder, seed=SEED, full_budgets=full_budgets)
    cluster = SimulatedCluster(objective, RUN_WORKERS)
    evaluations = sum(1 for _ in run(optimizer, cluster, ladder, full_budgets=full_budgets, seed=SEED))
    return time.process_time() - start, evaluations


def whole_runs(full_budgets: float) -> dict[str, float | int]:
    """Figures of each optimizer's run, after a short one that imports and compiles what the first would wait for."""
    objective = SurrogateObjective(load_benchmark("digits-cpu"))
    figures: dict[str, float | int] = {}
    for name in RUNS:
        progress(f"{name}: a whole run")
        whole_run(name, objective, 1.0)
        seconds, evaluations = whole_run(name, objective, full_budgets)
        figures[f"{_plain(name)}_run_s"] = round(seconds, 3)
        figures[f"{_plain(name)}_run_evaluations"] = evaluations
    return figures


def main() -> None:
    arguments = parser(__doc__ or "").parse_args()
    installed = [name for name in NAMES if name not in NEEDS or find_spec(NEEDS[name])]
    plan = QUICK if arguments.quick else dict.fromkeys(SIZES, NAMES)
    figures: dict[str, float | int | str] = {}
    for size, names in plan.items():
        made = []
        for name in (name for name in names if name in installed):
            progress(f"{name}: telling it of {size:,} results")
            made.append(contender(name, size))
        progress("asking by turns")
        measure(made, size, 4 if arguments.quick else 60)
        for one in made:
            figures[_key(one.name, size, "ask")] = round(one.ask_us, 1)
            figures[_key(one.name, size, "tell")] = round(one.tell_us, 1)
    figures |= whole_runs(QUICK_RUN_BUDGETS if arguments.quick else RUN_BUDGETS)
    for ours, theirs in (("bohb", "hpbandster-bohb"), ("smac", "smac-default"), ("smac", "plain smac")):
        for size in plan:
            if _key(theirs, size, "ask") in figures:
                ratio = _overhead(figures, theirs, size) / _overhead(figures, ours, size)
                figures[_key(theirs, size, "ratio")] = round(ratio, 1)
    present(
        "microseconds of an ask and, after the +, of a tell, by the number of results that are known",
        ("", *(f"{size:,}" for size in plan), "a whole run"),
        [(name, *(_cell(figures, name, size) for size in plan), _run_cell(figures, name)) for name in installed],
        figures,
        as_json=arguments.json,
        libraries=("numpy", "scipy", "smac", *(name for name in ("optuna", "hpbandster") if find_spec(name))),
        notes=[
            "x: how many times as long as ours (bohb, smac) both together take",
            f"a whole run: processor seconds{' for a quarter of the budgets' if arguments.quick else ''}, "
            "and evaluations",
        ],
    )


def _plain(name: str) -> str:
    return name.replace(" ", "_").replace("-", "_")


def _key(name: str, size: int, what: str) -> str:
    return f"{_plain(name)}_{size}_{what}"


def _overhead(figures: dict[str, float | int | str], name: str, size: int) -> float:
    """HpBandSter fits its model when told, ours when asked: what a proposal takes is both."""
    return float(figures[_key(name, size, "ask")]) + float(figures[_key(name, size, "tell")])


def _cell(figures: dict[str, float | int | str], name: str, size: int) -> str:
    if _key(name, size, "ask") not in figures:
        return "-"
    both = f"{figures[_key(name, size, 'ask')]:,.0f} + {figures[_key(name, size, 'tell')]:,.0f}"
    ratio = figures.get(_key(name, size, "ratio"))
    return both if ratio is None else f"{both} ({ratio:,.0f}x)"


def _run_cell(figures: dict[str, float | int | str], name: str) -> str:
    key = f"{_plain(name)}_run"
    return f"{figures[f'{key}_s']:.1f} s ({figures[f'{key}_evaluations']:,})" if f"{key}_s" in figures else "-"


if __name__ == "__main__":
    main()
