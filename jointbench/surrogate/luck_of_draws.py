"""What luck is made of where networks are drawn: of the network, and of its training."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from jointbench.data.arrays import FloatArray
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
    between, of_networks, within, of_trainings = np.sum([squares(networks) for networks in generators], axis=0)
    return (between / of_networks if of_networks else None, within / of_trainings if of_trainings else None)


def squares(networks: Networks) -> FloatArray:
    """Of a generator, sums of squares about the mean, each with its degrees of freedom, (4,): between its networks of
    one training each, and between the trainings of one network, added over networks."""
    firsts = [losses[0] for losses in networks]
    within = sum(_about_mean(losses) for losses in networks)
    trainings = sum(len(losses) - 1 for losses in networks)
    return np.array([_about_mean(firsts), len(firsts) - 1, within, trainings])


def _about_mean(losses: Sequence[float]) -> float:
    array = np.asarray(losses)
    return float(np.square(array - array.mean()).sum())
