"""The search of NAGO for several objectives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.exact import log
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.data.pareto import non_dominated
from jointbench.data.spaces.space import Space
from jointbench.optimizers.bohb import BOHB
from jointbench.optimizers.kde import GRID
from jointbench.optimizers.nago_mobo.arithmetic import normals
from jointbench.optimizers.nago_mobo.choosing import cheap_front, confidence, improvements, lipschitz, penalty
from jointbench.optimizers.nago_mobo.network import BayesianNetworks, Prediction, Priors, predicted
from jointbench.optimizers.optimizer import Optimizer, Trial

Acquisition = Literal["lcb", "ehvi"]
Uncertainty = Literal["predictive", "epistemic"]

#: What is inactive lies here in the unit cube.
_INACTIVE = 0.5
#: Of the candidates half are uniform; the others lie about so far from the best known, in each direction.
_NEAR = 0.1
#: Points at which the slope of a model is looked up, and the steepest of them, around which it is looked up again.
_SLOPES, _STEEPEST, _AROUND = 128, 10, 8
#: Draws of a network over which an exact metric is averaged.
_ARCHITECTURES = 4


class NagoMOBO(Optimizer):
    """Fit a Bayesian network with input-dependent noise to each objective; take the front of their acquisitions among
    candidates; choose a batch of `batch` from it by uncertainty, apart from each other; wait until all have ended.

    At one budget, `budget`, by default the middle rung (the paper's; the upper one of two, the third of four). It
    begins with the evaluations at this budget of the log `start`, and as long as they are fewer than `first` with
    brackets of BOHB for the first objective, or where there is one budget alone with uniform configurations. Failures
    count as the worst that was seen. Objectives that cannot be below 0 and are no fractions are modelled by their
    logarithms.

    `acquisition`: each objective's lower confidence bound, or of two objectives the expected improvement of the
    hypervolume. `uncertainty`: by which the batch is chosen, with the noise (the paper's) or without. `known`: exact
    objectives are computed and not modelled. `priors`, `burn_in`, `again`, `chains` and `samples` as `BayesianNetworks`
    has them. Raises InputError for options out of their ranges, and where exact objectives are not known.
    """

    name = "nago-mobo"
    several_objectives = True

    def __init__(
        self,
        space: Space,
        ladder: Ladder,
        *,
        seed: int,
        full_budgets: float,
        start: str | None = None,
        first: int = 50,
        budget: float | None = None,
        batch: int = 8,
        acquisition: Acquisition = "lcb",
        uncertainty: Uncertainty = "predictive",
        known: bool = False,
        priors: Priors = "repaired",
        candidates: int = 500,
        samples: int = 100,
        chains: int = 4,
        burn_in: int = 3000,
        again: int = 100,
    ) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        rungs = ladder.rungs
        self.budget = rungs[len(rungs) // 2] if budget is None else rungs[ladder.rung_of(budget)]
        at_least = {"first": first, "batch": batch, "samples": samples, "chains": chains, "again": again}
        for option, value in {**at_least, "burn in": burn_in, "candidates": candidates}.items():
            least = batch if option == "candidates" else 2 if option == "first" else 1
            if value < least:
                raise InputError(f"{option} of {self.name}", value, f"a whole number of at least {least}")
        for option, word, words in (
            ("acquisition", acquisition, ("lcb", "ehvi")),
            ("uncertainty", uncertainty, ("predictive", "epistemic")),
            ("priors", priors, ("repaired", "published")),
        ):
            if word not in words:
                raise InputError(f"{option} of {self.name}", word, " or ".join(words))
        if acquisition == "ehvi" and len(self.objectives) != 2:
            raise InputError(f"acquisition of {self.name}", acquisition, "two objectives beside it")
        self._first, self._batch, self._candidates = first, batch, candidates
        self._acquisition, self._epistemic = acquisition, uncertainty == "epistemic"
        self._exact = [known and self._computable(metric) for metric in self.objectives]
        if known and not any(self._exact):
            raise InputError(f"known of {self.name}", known, "an objective that arithmetic knows of the networks")
        self._networks = BayesianNetworks(
            self.rng, priors=priors, chains=chains, samples=samples, burn_in=burn_in, again=again
        )
        self._points: list[FloatArray] = []
        self._losses: list[list[float]] = []
        self._seen: set[tuple[float, ...]] = set()
        self._queue: list[Configuration] = []
        self._own: set[Trial] = set()
        self._begun, self._rounds = False, 0
        self._bohb = self._inner() if len(rungs) > 1 else None
        if start is not None:
            self._read(start)

    def _inner(self) -> BOHB:
        made = BOHB.__new__(BOHB)
        made.objectives, made.first = tuple(self.objectives[:1]), self.first
        made.__init__(self.space, self.ladder, seed=self.seed, full_budgets=self.full_budgets)  # type: ignore[misc]
        return made

    def _read(self, start: str) -> None:
        log_there = EvaluationLog.open(Path(start))
        if log_there.space != self.space:
            raise InputError(f"start of {self.name}", start, f"a log of the space {self.space.name}")
        for evaluation in log_there.evaluations():
            if self.ladder.at(evaluation.budget, self.budget):
                self._hear(evaluation.configuration, evaluation)

    def _computable(self, metric: Metric) -> bool:
        if not metric.exact or self.images is None:
            return False
        facts = self.space.facts_on(self.images, self.space.active(self.space.usual))
        return facts is not None and metric.name in facts.exact

    def ask(self) -> Trial | None:
        if not self._queue and len(self._losses) < self._first:
            if self._bohb is not None:
                return self._bohb.ask()
            configuration = self.space.sample(self.rng)[0]
            self._queue = [configuration if self._begun else self.space.changed(configuration, self.first)]
        if not self._queue:
            if self._own:
                return None
            self._queue = self._next_batch()
        self._begun = True
        trial = Trial(self._queue.pop(0), self.budget)
        self._own.add(trial)
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        if trial in self._own:
            self._own.remove(trial)
        elif self._bohb is not None:
            self._bohb.tell(trial, evaluation)
        if trial.budget == self.budget:
            self._hear(trial.configuration, evaluation)

    def _hear(self, configuration: Configuration, evaluation: Evaluation) -> None:
        self._points.append(self._encoded([configuration])[0])
        self._seen.add(tuple(self._points[-1].tolist()))
        losses = [metric.loss_of(evaluation) for metric in self.objectives]
        self._losses.append([_modelled(metric, loss) for metric, loss in zip(self.objectives, losses, strict=True)])

    def _encoded(self, configurations: Sequence[Configuration]) -> FloatArray:
        """Points (n, hyperparameters) of the unit cube, on a grid, so that they are the same on every machine."""
        encoded = self.space.encode(self.space.rows(configurations), inactive=_INACTIVE)
        return np.asarray(np.rint(encoded / GRID) * GRID)

    def _targets(self) -> FloatArray | None:
        """What is minimised (n, objectives), failures as the worst that was seen; None before anything ended well."""
        losses = np.array(self._losses)
        ended = np.isfinite(losses).all(axis=1)
        if not ended.any():
            return None
        return np.where(ended[:, None], losses, losses[ended].max(axis=0))

    def _next_batch(self) -> list[Configuration]:
        targets, candidates = self._targets(), self._proposed()
        if targets is None:
            return candidates[: self._batch]
        points = self._encoded(candidates)
        self._rounds += 1
        model = _Model(self, np.array(self._points), targets, points, candidates)
        return [candidates[place] for place in model.batch(self._batch)]

    def _proposed(self) -> list[Configuration]:
        """Candidates that have not been evaluated, each once: uniform ones, and neighbours of the front."""
        targets, count = self._targets(), self._candidates
        drawn = self.rng.random((count, len(self.space.names)))
        if targets is not None:
            front = np.array(self._points)[non_dominated(targets)]
            near = front[self.rng.integers(len(front), size=count // 2)]
            moved = np.abs(near + _NEAR * normals(self.rng, near.shape))
            drawn[: count // 2] = np.minimum(moved, np.maximum(2 - moved, 0.0))
        drawn = np.rint(drawn / GRID) * GRID
        found: dict[tuple[float, ...], Configuration] = {}
        configurations = [self.space.at(point) for point in drawn]
        for point, configuration in zip(self._encoded(configurations).tolist(), configurations, strict=True):
            if tuple(point) not in self._seen:
                found.setdefault(tuple(point), configuration)
        # A small space may hold no others.
        return list(found.values()) if len(found) >= self._batch else configurations

    def known_at(self, place: int, candidates: Sequence[Configuration]) -> FloatArray:
        """What arithmetic says of an objective, as it is modelled: (n,), means over draws of the networks."""
        assert self.images is not None
        metric, rows = self.objectives[place], self.space.rows(candidates)
        shape, classes = self.images.shape, self.images.classes
        draws = [
            np.asarray(self.space.facts(rows, shape, classes, seed).exact[metric.name], dtype=float)
            for seed in range(_ARCHITECTURES)
        ]
        means = np.add.reduce(draws, axis=0) / _ARCHITECTURES
        return np.array([_modelled(metric, metric.loss(mean)) for mean in means.tolist()])


class _Model:
    """What is known of candidates, and the choice among them."""

    def __init__(
        self,
        search: NagoMOBO,
        told: FloatArray,
        targets: FloatArray,
        points: FloatArray,
        candidates: Sequence[Configuration],
    ) -> None:
        self.search, self.points = search, points
        self.modelled = [place for place, exact in enumerate(search._exact) if not exact]
        self.networks, self.samples = search._networks, dict[int, FloatArray]()
        #: (n, objectives): of what is computed the deviation is 0.
        self.mean, self.deviation = np.zeros((2, len(points), targets.shape[1]))
        self.unsure, self.targets = np.ones_like(self.mean), targets.copy()
        self.slopes = dict[int, float]()
        if self.modelled:
            self._predict(told, targets[:, self.modelled])
        for place, exact in enumerate(search._exact):
            if exact:
                self.mean[:, place] = search.known_at(place, candidates)

    def _predict(self, told: FloatArray, targets: FloatArray) -> None:
        self.networks.fit(told, targets)
        means, noise = self.networks.outputs_at(self.points)
        found: Prediction = predicted(means, noise)
        slopes = self._steepest()
        for number, place in enumerate(self.modelled):
            self.samples[place] = means[number]
            self.mean[:, place], self.deviation[:, place] = found.mean[number], found.deviation[number]
            sure = np.sqrt(found.epistemic[number]) if self.search._epistemic else found.deviation[number]
            self.unsure[:, place] = sure
            self.slopes[place] = slopes[number]
            self.targets[:, place] = self.networks.outputs(targets)[:, number]

    def _steepest(self) -> list[float]:
        """The largest slope of each mean in the cube: at some candidates, and around those where it is steepest."""
        rng, at = self.search.rng, self.points[:: max(1, len(self.points) // _SLOPES)]
        slopes = self.networks.slopes_at(at)
        found = []
        for number, own in enumerate(slopes):
            steepest = at[np.argsort(-np.square(own).sum(axis=1), kind="stable")[:_STEEPEST]]
            around = np.repeat(steepest, _AROUND, axis=0)
            around = np.clip(around + _NEAR / 2 * normals(rng, around.shape), 0.0, 1.0)
            found.append(lipschitz(np.concatenate([own, self.networks.slopes_at(around)[number]])))
        return found

    def batch(self, size: int) -> list[int]:
        """Places of candidates, one after the other: each the best by what is gained times all penalties so far."""
        if self.search._acquisition == "ehvi":
            among = np.arange(len(self.points))
            worth = self._expected_improvement()
        else:
            beta = confidence(self.search._rounds, self.points.shape[1])
            among = cheap_front(self.mean - beta * self.deviation, size)
            worth = np.multiply.reduce(self.unsure[among].T, axis=0)
        chosen = list[int]()
        for _ in range(min(size, len(among))):
            worth[np.isin(among, chosen)] = -1.0
            place = int(among[int(worth.argmax())])
            chosen.append(place)
            for objective in self.modelled:
                worth *= penalty(
                    self.points[among],
                    self.points[place],
                    self.slopes[objective],
                    float(self.mean[place, objective]),
                    float(self.deviation[place, objective]),
                    float(self.targets[:, objective].min()),
                )
        return chosen

    def _expected_improvement(self) -> FloatArray:
        """Of the hypervolume below the worst that was seen, over samples of both means: (n,)."""
        count = len(self.points)
        both = [
            self.samples[place] if place in self.samples else self.mean[:, place].reshape(1, count)
            for place in range(2)
        ]
        first, second = np.broadcast_arrays(*both)
        gained = improvements(self.targets[non_dominated(self.targets)], self.targets.max(axis=0), first, second)
        return np.asarray(np.add.reduce(gained, axis=0) / len(gained))


def _modelled(metric: Metric, loss: float) -> float:
    """By its logarithm what cannot be below 0 and is no fraction."""
    if metric.fraction or metric.maximize or metric.bounds[0] < 0 or not 0 < loss < np.inf:
        return loss
    return float(log(float(loss)))
