"""At which rungs of its ladder a log holds enough to fit a surrogate that can be judged there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import LogError
from jointbench.data.evaluation import Status
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.log_at_rungs import LogAtRungs
from jointbench.data.quantities import counted, listed
from jointbench.surrogate.table import check_enough, groups, is_training, rows_of

#: Configurations that ended ok at a rung below which nothing is said of it, as of an optimizer that is left out.
FEWEST_AT_A_RUNG = 10

#: The least that the laws of the device can be fitted to, relative errors being what counts.
LEAST_COSTS = {"images_per_second": 1e-9, "peak_memory": 1}


@dataclass(frozen=True)
class Rungs:
    """Configurations that ended ok at each rung of a ladder, in its order, and what can be judged of them.

    A surrogate is fitted at the largest rung that has enough and at those below it down to the first that has not:
    a ladder has no gaps, and its top is what a comparison is about.
    """

    ladder: Ladder
    configurations: tuple[int, ...]

    @cached_property
    def kept(self) -> tuple[float, ...]:
        """The rungs at which a surrogate can be fitted and judged, ascending; empty where there is none."""
        enough = [number >= FEWEST_AT_A_RUNG for number in self.configurations]
        if not any(enough):
            return ()
        top = max(index for index, is_enough in enumerate(enough) if is_enough)
        first = max((index + 1 for index in range(top) if not enough[index]), default=0)
        return self.ladder.rungs[first : top + 1]

    @property
    def left_out(self) -> tuple[float, ...]:
        return tuple(rung for rung in self.ladder.rungs if rung not in self.kept)

    @property
    def fitted_ladder(self) -> Ladder:
        """The ladder of `kept`. Raises LogError where it is empty."""
        if not self.kept:
            expected = f"at least {FEWEST_AT_A_RUNG} at one of {self._budgets(self.ladder.rungs)}"
            raise LogError("configurations of the log that ended ok", self.configurations, expected)
        if not self.left_out:
            return self.ladder
        first = self.ladder.rungs.index(self.kept[0])
        return self.ladder.part(first, first + len(self.kept) - 1)

    def words(self, by: Iterable[str]) -> list[str]:
        """Sentences on what a surrogate is not fitted for, why, what to collect, and what cannot be compared then;
        none where all is well. `by`: the optimizers that trained, or will.
        """
        if not self.left_out:
            return []
        there = [n for n, rung in zip(self.configurations, self.ladder.rungs, strict=True) if rung not in self.kept]
        *before, last = there
        numbers = listed([*(f"{number:,}" for number in before), counted(last, "configuration")])
        fewer = f"{self._budgets(self.left_out)} with {numbers}"
        if not self.kept:
            return [f"no surrogate can be fitted: no budget has {FEWEST_AT_A_RUNG} configurations that ended ok"]
        said = [
            f"a surrogate is fitted for {self._budgets(self.kept)} and not for {fewer} that ended ok: "
            f"each budget from the largest down needs {FEWEST_AT_A_RUNG} for it to be judged there. "
            "To have all, collect more into the same log by `jointbench collect --optimizer hyperband`"
        ]
        if len(self.kept) == 1:
            who = sorted({name or "a person" for name in by})
            at, verb = self._budgets(self.kept), "trains" if len(who) == 1 else "train"
            why = f"there is enough at {at} only" if any(there) else f"{listed(who)} {verb} at {at} only"
            said.append(f"{why}: Hyperband cannot be compared on this")
        return said

    def _budgets(self, rungs: Sequence[float]) -> str:
        """Such as `1, 3 and 9 s`."""
        unit = "s" if self.ladder.unit == "seconds" else self.ladder.unit
        return f"{listed([f'{rung:g}' for rung in rungs])} {unit}"


def count_rungs(ladder: Ladder, budgets: npt.NDArray[np.float64], group: npt.NDArray[np.int64]) -> Rungs:
    """From the budgets (n,) and the numbers (n,) of the configurations of trainings that ended ok."""
    return Rungs(ladder, tuple(len(np.unique(group[ladder.at(budgets, rung)])) for rung in ladder.rungs))


def rungs_of(log: EvaluationLog) -> Rungs:
    """Raises LogError when there are too few configurations for any surrogate, when a training that ended ok has a
    cost to which nothing can be in proportion, and as `EvaluationLog.table` does.
    """
    # All columns, so that what is wrong anywhere is said before hours of fitting.
    table = log.table()
    ok = table["status"].to_numpy() == Status.OK.value
    for name, least in LEAST_COSTS.items() if is_training(log.task) else ():
        values = table[name].to_numpy()[ok]
        if (values < least).any():
            field, lowest = f"{name} of a training in {log.path} that ended ok", values.min().item()
            raise LogError(field, lowest, f"at least {least:g}")
    # What is inactive is no number, and differs from itself.
    group = groups(np.nan_to_num(rows_of(table, log.space)[ok], nan=np.inf))
    check_enough(len(np.unique(group)), log)
    return count_rungs(log.ladder, table["budget"].to_numpy()[ok], group)


def at_fitted_rungs(log: EvaluationLog) -> tuple[EvaluationLog, Rungs]:
    """The log without the rungs that a surrogate cannot be judged at, and what there is at each.

    Raises LogError when nothing is left.
    """
    rungs = rungs_of(log)
    ladder = rungs.fitted_ladder
    return (log if ladder == log.ladder else LogAtRungs(log, ladder)), rungs
