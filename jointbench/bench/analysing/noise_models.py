"""Whether a generator's noise is better told by its hyperparameters than by one number: held-out likelihoods of
nago-mobo's Bayesian networks.

The paper's Table 1 (Ru et al. 2020), with the priors that it had and with repaired ones.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.exhibit import Exhibit, Table
from jointbench.bench.analysing.resampling import bootstrap
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import counted
from jointbench.optimizers.nago_mobo.network import BayesianNetworks, Priors, predicted

if TYPE_CHECKING:
    from pandas import DataFrame

#: The configurations are parted so often, into so many parts, each of which is held out in its turn.
PARTITIONS, PARTS = 4, 3

#: Configurations below which nothing is fitted.
FEWEST = 30

#: Negative log likelihood of who guesses the mean and the spread of what is standardised.
GUESSING = 0.5 * math.log(2 * math.pi * math.e)


@dataclass(frozen=True)
class HeldOut:
    """Of one prior: negative log likelihoods (nats, of values standardised by those fitted) and squared errors (in the
    same unit) of every evaluation in each partition, by one number for the noise and by a noise that hangs on the
    input: (2, partitions, n); `part`: in which it was held out, (partitions, n)."""

    likelihoods: FloatArray
    squares: FloatArray
    part: npt.NDArray[np.intp]

    @property
    def by_split(self) -> FloatArray:
        """Mean likelihoods of each split (2, partitions x parts)."""
        found = [
            [float(own[p][self.part[p] == k].mean()) for p, k in product(range(len(self.part)), range(PARTS))]
            for own in self.likelihoods
        ]
        return np.array(found)


def one_training_each(evidence: Evidence, rung: int) -> "DataFrame":
    """The evaluations at a rung, the first training of each network."""
    frame = evidence.ok[evidence.ok["rung"] == rung]
    return frame.drop_duplicates(["group", "architecture_seed"]).reset_index(drop=True)


def partitions(groups: npt.NDArray[np.intp], seed: int = 0) -> npt.NDArray[np.intp]:
    """The part of each evaluation (PARTITIONS, n): those of one configuration lie in one."""
    rng, different = np.random.default_rng(seed), np.unique(groups)
    found = []
    for _ in range(PARTITIONS):
        part = dict(zip(rng.permutation(different), np.arange(len(different)) % PARTS, strict=True))
        found.append([part[group] for group in groups])
    return np.array(found)


def held_out(points: FloatArray, losses: FloatArray, part: npt.NDArray[np.intp], priors: Priors, **how: Any) -> HeldOut:
    """Of evaluations at points (n, hyperparameters) in the unit cube; `how`: as `BayesianNetworks` takes it."""
    likelihoods, squares = np.empty((2, *part.shape)), np.empty((2, *part.shape))
    for noise, (seed, own) in product(range(2), _splits(part)):
        networks = BayesianNetworks(np.random.default_rng(seed), priors=priors, heteroscedastic=bool(noise), **how)
        networks.fit(points[~own], losses[~own, None])
        found = predicted(*networks.outputs_at(points[own]))
        apart = networks.outputs(losses[own, None])[:, 0] - found.mean[0]
        variance = found.deviation[0] ** 2
        partition = seed // PARTS
        likelihoods[noise, partition, own] = 0.5 * (apart**2 / variance + np.log(2 * math.pi * variance))
        squares[noise, partition, own] = apart**2
    return HeldOut(likelihoods, squares, part)


def _splits(part: npt.NDArray[np.intp]) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    for seed, (partition, k) in enumerate(product(range(len(part)), range(PARTS))):
        yield seed, part[partition] == k


def difference(found: HeldOut, groups: npt.NDArray[np.intp]) -> tuple[float, float, float]:
    """How much larger the likelihoods' negative logarithm is with noise that hangs on the input: the mean over
    configurations of the means of their evaluations, and its interval over resampled configurations."""
    each = (found.likelihoods[1] - found.likelihoods[0]).mean(axis=0)
    means = np.array([each[groups == group].mean() for group in np.unique(groups)])
    return float(means.mean()), *bootstrap(lambda some: float(some.mean()), means)


def noise_models(evidence: Evidence, **how: Any) -> Exhibit:
    """`how`: as `BayesianNetworks` takes it."""
    name, title = "noise_models", "Noise of generators: one number, or a function of the hyperparameters"
    rung = (len(evidence.rungs) - 1) // 2
    frame = one_training_each(evidence, rung)
    groups = frame["group"].to_numpy()
    configurations = len(np.unique(groups))
    if configurations < FEWEST:
        why = (
            f"{counted(configurations, 'configuration')} were trained for {evidence.amount(rung)}; held-out "
            f"likelihoods need {FEWEST}: whether noise is better told by hyperparameters cannot be told."
        )
        return Exhibit(name, title, missing=[why])
    points = evidence.unit_rows(frame)
    losses = evidence.objective.losses(frame["value"].to_numpy(float))
    part = partitions(groups)
    rows, numbers, told = list[list[str]](), dict[str, list[Any]](), list[str]()
    for priors in get_args(Priors):
        found = held_out(points, losses, part, priors, **how)
        apart, split = difference(found, groups), found.by_split
        medians, better = np.median(split, axis=1), int((split[1] < split[0]).sum())
        errors = np.sqrt(found.squares.mean(axis=(1, 2)))
        told.append(_told(priors, apart, medians, better, split.shape[1]))
        shown = f"{apart[0]:+.2f} ({apart[1]:+.2f} to {apart[2]:+.2f})"
        rows.append([priors, *(f"{m:.2f}" for m in medians), shown, f"{better} of {split.shape[1]}"])
        rows[-1] += [f"{one:.2f}" for one in errors]
        columns = {
            "priors": priors,
            "one_number": medians[0],
            "of_the_input": medians[1],
            "difference": apart[0],
            "difference_low": apart[1],
            "difference_high": apart[2],
            "better_splits": better,
            "splits": split.shape[1],
            "rmse_one_number": errors[0],
            "rmse_of_the_input": errors[1],
        }
        for key, value in columns.items():
            numbers.setdefault(key, []).append(value)
    words = (
        f"nago-mobo's networks, fitted to two thirds of {counted(len(frame), 'evaluation')} of {configurations:,} "
        f"configurations after {evidence.amount(rung)} (the first training of each network) and asked for the "
        f"{evidence.objective.label} of the rest, in {PARTITIONS * PARTS} splits: {PARTITIONS} partitions into {PARTS} "
        "parts; evaluations of one configuration stay together. Negative log likelihoods of an evaluation in nats, of "
        f"values standardised by those fitted, for which guessing their mean and spread has {GUESSING:.2f}: medians "
        "over splits, as in the paper's Table 1. The difference is that of means, paired, with its 95 % interval over "
        "resampled configurations; below 0 a noise that hangs on the input is the better one. Priors as published, and "
        "repaired (docs/objectives.md)."
    )
    headings = ["priors", "one number", "of the input", "difference of means", "better in", "RMSE, one number"]
    headings += ["RMSE, of the input"]
    table = Table(name, "Held-out negative log likelihoods", headings, rows, numbers, ("priors",))
    finding = f"Noise that hangs on a generator's hyperparameters is more likely than one number: {'; '.join(told)}."
    return Exhibit(name, title, [words], [], [table], finding=finding)


def _told(priors: str, apart: Sequence[float], medians: FloatArray, better: int, splits: int) -> str:
    verdict = "holds" if apart[2] < 0 else "does not hold" if apart[1] > 0 else "cannot be told"
    return (
        f"with {priors} priors this {verdict} (median negative log likelihood {medians[0]:.2f} with one number, "
        f"{medians[1]:.2f} so; mean difference {apart[0]:+.2f}, {apart[1]:+.2f} to {apart[2]:+.2f}; better in {better} "
        f"of {splits} splits)"
    )
