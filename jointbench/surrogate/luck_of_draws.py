"""What luck is made of where networks are drawn: of the network, and of its training."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from jointbench.data.evaluation import Evaluation
from jointbench.data.metrics import Metric

#: The losses of one generator's trainings, network by network.
Networks = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Draws:
    """At one budget: standard deviations between networks of one generator, and between trainings of one network, in
    the objective's unit; of how many generators with several networks, and networks with several trainings."""

    budget: float
    architecture: float
    training: float
    generators: int
    networks: int


def draws_of(evaluations: Iterable[Evaluation], objective: Metric) -> list[Draws]:
    """One for each budget that has repeats of both kinds, the smallest first; of what ended ok.

    Variances are pooled over groups. That between networks, of one training each, is the sum of both parts; what
    trainings make of it is taken off, and what is left is at least 0.
    """
    found: dict[float, dict[tuple[object, ...], dict[int, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for one in evaluations:
        if one.ok:
            at = tuple(one.configuration.values())
            found[one.budget][at][one.architecture_seed].append(objective.loss_of(one))
    told = []
    for budget, generators in sorted(found.items()):
        several = [list(networks.values()) for networks in generators.values()]
        both, trained = variances(several)
        if both is not None and trained is not None:
            drawn = sum(len(networks) > 1 for networks in several)
            repeated = sum(len(losses) > 1 for networks in several for losses in networks)
            told.append(Draws(budget, max(0.0, both - trained) ** 0.5, trained**0.5, drawn, repeated))
    return told


def variances(generators: Sequence[Networks]) -> tuple[float | None, float | None]:
    """Pooled over groups, what lies between a generator's networks of one training each, and between the trainings of
    one network; None where no group has two."""
    between = _pooled([[losses[0] for losses in networks] for networks in generators])
    return between, _pooled([losses for networks in generators for losses in networks])


def _pooled(groups: Sequence[Sequence[float]]) -> float | None:
    """The variance inside of groups; None where none has two."""
    several = [np.asarray(group) for group in groups if len(group) > 1]
    if not several:
        return None
    squares = sum(float(np.square(group - group.mean()).sum()) for group in several)
    return squares / sum(len(group) - 1 for group in several)
