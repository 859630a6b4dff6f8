"""What one objective alone would have found, beside the front of several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jointbench.bench.comparing.front_box import dominated
from jointbench.bench.comparing.fronts import FrontRun
from jointbench.data.arrays import FloatArray

#: How much of the first objective's side a person might give for less of another.
GIVEN = 0.01


@dataclass(frozen=True)
class Alone:
    """Of an optimizer's runs, medians over seeds: `values` of the objectives (objectives,), and `share`, of the box
    that one configuration dominates."""

    values: tuple[float, ...]
    share: float


def alone(runs: Sequence[FrontRun], place: int) -> Alone:
    """The configuration that would be the incumbent if the objective at this place alone counted."""
    return _medians(runs, [_best(run, place) for run in runs])


def nearly(runs: Sequence[FrontRun], place: int) -> Alone:
    """The configuration of the front that is best by the objective at this place, of those that were seen to be at most
    `GIVEN` of the first objective's side above the lowest."""
    chosen = []
    for run in runs:
        first, other = (run.sides[k].shares(run.seen_at_end[:, k]) for k in (0, place))
        allowed = first <= first.min(initial=np.inf) + GIVEN
        chosen.append(run.final[np.where(allowed, other, np.inf).argmin()] if len(first) else _nothing(run))
    return _medians(runs, chosen)


def _best(run: FrontRun, place: int) -> FloatArray:
    seen = run.sides[place].shares(run.seen_at_end[:, place])
    return np.asarray(run.final[seen.argmin()]) if len(seen) else _nothing(run)


def _nothing(run: FrontRun) -> FloatArray:
    """A run that found nothing has the reference."""
    return np.array([side.reference for side in run.sides])


def _medians(runs: Sequence[FrontRun], chosen: Sequence[FloatArray]) -> Alone:
    shares = [dominated(point[None], run.sides) for run, point in zip(runs, chosen, strict=True)]
    return Alone(tuple(float(value) for value in np.median(chosen, axis=0)), float(np.median(shares)))
