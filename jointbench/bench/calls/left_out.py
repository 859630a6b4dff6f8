"""Optimizers that a comparison does without, since they are not what their names say on what it is about."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers import unfit


class Place(NamedTuple):
    """Where an optimizer searches; `any_ladder`: one-rung forms will do."""

    space: Space
    ladder: Ladder
    any_ladder: bool = False


def without_unfit(optimizers: Iterable[str], places: Sequence[Place]) -> tuple[list[str], list[str]]:
    """Those that are fit for all places, in their order, and sentences about the others, each of which has its first
    reason. Raises as `make_optimizer` does for a name."""
    by_reason: dict[str, list[str]] = {}
    for name in optimizers:
        reasons = (unfit(name, *place) for place in places)
        by_reason.setdefault(next(filter(None, reasons), ""), []).append(name)
    fit = by_reason.pop("", [])
    return fit, [f"without {', '.join(names)}: {reason}" for reason, names in by_reason.items()]
