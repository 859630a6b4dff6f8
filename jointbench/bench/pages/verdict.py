"""The answer to the page's title, in words: who beats whom, or how many seeds would tell."""

from collections.abc import Sequence

from jointbench.bench.comparing.statistics import MOST_SEEDS, POWER, Omnibus, Pair, seeds_needed, seeds_to_decide
from jointbench.bench.comparing.summary import YARDSTICK, Row
from jointbench.data.quantities import counted, listed


def verdict(rows: Sequence[Row], tested: Sequence[Pair], asked: Omnibus | None) -> str:
    """In sentences of plain text; `rows` the best first, `tested` all pairs, `asked` as `statistics.omnibus` gives.

    Empty where there is nothing to compare.
    """
    if not tested or rows[0].rank is None:
        return ""
    if not any(pair.significant for pair in tested):
        return f"{_no_winner(rows, tested, _with_seeds(tested))}{_omnibus(asked)}"
    beaten = {row.optimizer: _beaten_by(row.optimizer, rows, tested) for row in rows}
    best = rows[0].optimizer
    if len(beaten[best]) == len(rows) - 1:
        with_seeds = _with_seeds([pair for pair in tested if pair.has(best)])
        said = [f"{best} beats {'all others' if len(rows) > 2 else beaten[best][0]} {with_seeds}"]
    else:
        said = [f"{best} beats {listed(beaten[best])}"] if beaten[best] else []
    said += [f"{name} beats {listed(others)}" for name, others in beaten.items() if others and name != best]
    lines = "; ".join(said) + "."
    if len(beaten[best]) == len(rows) - 1:
        return lines
    rival = next(row.optimizer for row in rows[1:] if row.optimizer not in beaten[best])
    pair = _pair(tested, best, rival)
    return (
        f"{lines} No winner between {best} and {rival} {_with_seeds([pair])}: p after Holm is {pair.corrected:.3f}; "
        f"{_would_decide(pair, len(tested))} (from the paired differences seen, power {POWER:.0%})."
    )


def sooner(row: Row) -> str:
    """That an optimizer is quicker than random search, where its interval says so; empty otherwise."""
    found = row.speedup
    if row.optimizer == YARDSTICK or found is None or found.interval is None or found.interval[0] <= 1:
        return ""
    low, high = found.interval
    return (
        f"It reaches random search's final {row.objective.label} {found.factor:.1f} times sooner (95 % interval "
        f"{low:.1f} to {high:.1f})."
    )


def _with_seeds(tested: Sequence[Pair]) -> str:
    """Pairs have different numbers where optimizers have."""
    fewest, most = min(pair.seeds for pair in tested), max(pair.seeds for pair in tested)
    return f"with {counted(most, 'seed')}" if fewest == most else f"with {fewest:,} to {most:,} seeds"


def _no_winner(rows: Sequence[Row], tested: Sequence[Pair], with_seeds: str) -> str:
    if all(pair.seeds == 1 for pair in tested):
        fewest = seeds_needed(len(tested), min(pair.level for pair in tested))
        return (
            f"No winner {with_seeds}: one run of each does not tell a difference from luck; it takes at least {fewest}."
        )
    least = min(tested, key=lambda pair: (pair.corrected, pair.p))
    said = (
        f"No winner {with_seeds}; the smallest p after Holm is {least.corrected:.3f} ({least.first} and "
        f"{least.second}); {_would_decide(least, len(tested))}"
    )
    first, second = _pair(tested, rows[0].optimizer, rows[1].optimizer), ""
    if first is not least:
        one, other = (_would_decide(pair, len(tested)) for pair in (least, first))
        best, rival = rows[0].optimizer, rows[1].optimizer
        second = f", and between {best} and {rival} {other}" if one != other else f", as between {best} and {rival}"
    return f"{said}{second} (from the paired differences seen, power {POWER:.0%})."


def _would_decide(pair: Pair, tested: int) -> str:
    needed = seeds_to_decide(pair, tested)
    if needed is None:
        return f"{MOST_SEEDS:,} seeds would not decide"
    if needed <= pair.seeds:
        # Seen so clearly that the same once more, or a few seeds, are likely to be enough.
        return "a few more seeds would decide"
    return f"about {needed:,} seeds would decide"


def _omnibus(asked: Omnibus | None) -> str:
    if asked is None or asked.significant:
        return ""
    return f" Friedman's test of all together finds no difference either (p = {asked.p:.3f})."


def _beaten_by(name: str, rows: Sequence[Row], tested: Sequence[Pair]) -> list[str]:
    """In the order of the rows."""
    beaten = {pair.other(name) for pair in tested if pair.significant and pair.has(name) and pair.better == name}
    return [row.optimizer for row in rows if row.optimizer in beaten]


def _pair(tested: Sequence[Pair], first: str, second: str) -> Pair:
    return next(pair for pair in tested if pair.has(first) and pair.has(second))
