"""BOHB for several objectives: brackets that promote whole fronts, and a model whose good points are the first fronts.

The appendix of NAGO (Ru et al. 2020) suggests to keep what is not dominated at each rung. Where ranks are needed they
are those of non-dominated sorting (Deb et al. 2002): the front first, then the front of the rest, and so on; within one
of them the less crowded first, the ends of a front before all others.
"""

import math
from collections.abc import Sequence

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.pareto import non_dominated
from jointbench.data.spaces.space import Space
from jointbench.optimizers.bohb import BOHB
from jointbench.optimizers.optimizer import Trial

#: Losses of a configuration, one an objective; empty for a failure.
Losses = tuple[float, ...]


class BOHBFronts(BOHB):
    """BOHB's brackets and model, with ranks in place of losses.

    When all places of a rung have been heard of, they are ranked among themselves as above, and the best go up, as
    many as the next rung has places; failures never do. In the model the results of a budget are ranked anew whenever
    it is fitted, all together. With one objective it is `bohb` to the bit.
    """

    name = "mo-bohb"
    several_objectives = True

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        self._told: dict[float, list[tuple[FloatArray, Losses]]] = {}
        self._new: set[float] = set()
        self._waiting: dict[int, list[tuple[int, Losses]]] = {}

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        if len(self.objectives) == 1:
            super().tell(trial, evaluation)
            return
        losses = tuple(metric.loss_of(evaluation) for metric in self.objectives)
        if not all(map(math.isfinite, losses)):
            losses = ()
        self._told.setdefault(trial.budget, []).append((self.sampler.point(trial.configuration), losses))
        self._new.add(trial.budget)
        bracket, place = self._running.pop(trial)
        heard = self._waiting.setdefault(id(bracket), [])
        heard.append((place, losses))
        if len(heard) == bracket.sizes[bracket.stage]:
            # Ranks take the whole rung.
            del self._waiting[id(bracket)]
            for (at, _), rank in zip(heard, _ranks([own for _, own in heard]), strict=True):
                bracket.report(at, rank)
        if bracket.next_action == "done":
            self._open.remove(bracket)

    def _sample(self) -> Configuration:
        if len(self.objectives) > 1:
            self._rank_results()
        return super()._sample()

    def _rank_results(self) -> None:
        """Of each budget that was heard of, so that the model takes the best for good."""
        for budget in sorted(self._new):
            told = self._told[budget]
            ranks = _ranks([losses for _, losses in told])
            order = np.argsort(ranks, kind="stable")
            self.sampler.rank(budget, np.array([told[place][0] for place in order]))
        self._new.clear()


def _ranks(losses: Sequence[Losses]) -> list[float]:
    """From 0, the best; of equal ones the earlier is the better one; failures are infinite."""
    ended = [place for place, own in enumerate(losses) if own]
    ranks = [math.inf] * len(losses)
    if ended:
        order = sorted_by_fronts(np.array([losses[place] for place in ended]))
        for rank, place in enumerate(order):
            ranks[ended[place]] = float(rank)
    return ranks


def sorted_by_fronts(losses: FloatArray) -> list[int]:
    """Places of losses (n, objectives), the best first, by non-dominated sorting and crowding distance."""
    left, order = np.arange(len(losses)), list[int]()
    while len(left):
        stands = non_dominated(losses[left])
        front = left[stands]
        order += front[np.argsort(-crowding(losses[front]), kind="stable")].tolist()
        left = left[~stands]
    return order


def crowding(front: FloatArray) -> FloatArray:
    """Of each point of a front (n, objectives) how far its neighbours lie apart, summed over the objectives as shares
    of the front's extent; infinite at the ends."""
    found = np.zeros(len(front))
    for column in front.T:
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        extent = ordered[-1] - ordered[0]
        found[order[[0, -1]]] = np.inf
        if extent > 0:
            found[order[1:-1]] += (ordered[2:] - ordered[:-2]) / extent
    return found
