"""Speed of the optimizers: microseconds an ask when 100, 300, 1,000 and 3,000 results are known.

All results are at one budget (a ladder of one rung), so that each ask proposes a new configuration and each result is
in the model: the worst case, since promotions cost nothing. Every ask follows a tell, so that a model is fitted anew
where the optimizer does so. Beside ours: HpBandSter's own BOHB, and smac's facade as it comes, of which
`smac-default` is the same with what changes nothing left out.
"""

import time
from collections.abc import Sequence
from importlib.util import find_spec

from jointbench.bench.speed.contenders import Contender, contender
from jointbench.bench.speed.measure import parser, present, progress

SIZES = (100, 300, 1_000, 3_000)
CHEAP = ("random", "hyperband", "asha", "regularized-evolution", "two-stage", "bohb")
SMAC = ("smac", "smac-default", "plain smac")
NAMES = (*CHEAP, "hpbandster-bohb", "tpe", "cma-es", *SMAC)
#: What a quick run has time for, by the number of results.
QUICK = {100: (*CHEAP, *SMAC), 1_000: (*CHEAP, "hpbandster-bohb", "tpe")}
#: What each optimizer needs, where a person may not have it.
NEEDS = {"tpe": "optuna", "cma-es": "cmaes", "hpbandster-bohb": "hpbandster"}
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
    for ours, theirs in (("bohb", "hpbandster-bohb"), ("smac", "smac-default"), ("smac", "plain smac")):
        for size in plan:
            if _key(theirs, size, "ask") in figures:
                ratio = _thinking(figures, theirs, size) / _thinking(figures, ours, size)
                figures[_key(theirs, size, "ratio")] = round(ratio, 1)
    present(
        "microseconds of an ask and, after the +, of a tell, by the number of results that are known",
        ("", *(f"{size:,}" for size in plan)),
        [(name, *(_cell(figures, name, size) for size in plan)) for name in installed],
        figures,
        as_json=arguments.json,
        libraries=("numpy", "scipy", "smac", *(name for name in ("optuna", "hpbandster") if find_spec(name))),
        notes=["x: how many times as long as ours (bohb, smac) both together take"],
    )


def _key(name: str, size: int, what: str) -> str:
    return f"{name.replace(' ', '_').replace('-', '_')}_{size}_{what}"


def _thinking(figures: dict[str, float | int | str], name: str, size: int) -> float:
    """HpBandSter fits its model when told, ours when asked: what a proposal takes is both."""
    return float(figures[_key(name, size, "ask")]) + float(figures[_key(name, size, "tell")])


def _cell(figures: dict[str, float | int | str], name: str, size: int) -> str:
    if _key(name, size, "ask") not in figures:
        return "-"
    both = f"{figures[_key(name, size, 'ask')]:,.0f} + {figures[_key(name, size, 'tell')]:,.0f}"
    ratio = figures.get(_key(name, size, "ratio"))
    return both if ratio is None else f"{both} ({ratio:,.0f}x)"


if __name__ == "__main__":
    main()
