"""What a surrogate says of configurations that it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Status
from jointbench.surrogate.calibration import fit_odds
from jointbench.surrogate.judging.perfect import PerfectPredictor
from jointbench.surrogate.judging.scores import (
    Row,
    mean_rows,
    resampled_scores,
    resamples,
    scores,
    side_by_side,
    with_intervals,
)
from jointbench.surrogate.models import DEFAULT, FAILURES, Models, Settings, error_models
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.noise_law import fit_noise
from jointbench.surrogate.table import TrainingTable

FOLDS = 5
#: Partitions of the configurations into folds: scores on one of them depend on it by as much as models differ.
PARTITIONS = 10


@dataclass(frozen=True)
class Said:
    """What models say of the rows of a table: `errors` (n, 2), validation and test, of trainings that end ok;
    `spread` (n,), what the noise grows with, and `uncertainty` (n,), None of an ensemble, both variances of logits;
    `costs` (n, 4) as a table has them, of trainings that end ok; `logits`: kind of failure to its log odds (n,) before
    calibration.
    """

    errors: FloatArray
    spread: FloatArray
    costs: FloatArray
    logits: dict[Status, FloatArray]
    uncertainty: FloatArray | None

    @classmethod
    def by(cls, models: Models, table: TrainingTable) -> "Said":
        model = models.outcome_model(Noise(0, 0, 0), {})
        outputs = model.completed(models.outputs(table), table.budgets)
        parts = len(model.scales)
        logits = outputs[: parts * model.members].reshape(model.members, parts, len(table)).mean(axis=0)
        usual = model.usual_costs(table.columns, table.facts, table.budgets)
        learned = outputs[model.first_cost : model.first_cost + len(usual)]
        ratios = np.exp(learned)
        if models.measures is not None:
            scales = [cost.scale for cost in models.measures.costs]
            ratios = np.array([scale.from_logit(z) for scale, z in zip(scales, learned, strict=True)])
        return cls(
            np.stack([scale.from_logit(logit) for scale, logit in zip(model.scales, logits, strict=True)], axis=1),
            model.spread(outputs),
            np.array([cost * ratio for cost, ratio in zip(usual, ratios, strict=True)]).T.reshape(len(table), -1),
            dict(zip(models.failures, outputs[len(outputs) - len(models.failures) :], strict=True)),
            model.doubt(outputs),
        )


@dataclass(frozen=True)
class HeldOut:
    """What models that have not seen a configuration say of it, for all rows of a table; shapes as in `Said`.

    `fold` (n,) numbers the part that each row was held out with; `noise` and `odds` are calibrated on all of it.
    `others` (partitions - 1, n, 2) are the errors said in other partitions of the configurations into folds;
    `uncertainty` (n,) is a variance of logits, None of an ensemble.
    """

    table: TrainingTable
    fold: npt.NDArray[np.int64]
    errors: FloatArray
    spread: FloatArray
    costs: FloatArray
    logits: dict[Status, FloatArray]
    noise: Noise
    odds: dict[Status, tuple[float, float]]
    settings: Settings = DEFAULT
    others: FloatArray = field(default_factory=lambda: np.empty((0, 0, 2)))
    uncertainty: FloatArray | None = None

    @classmethod
    def of(
        cls,
        table: TrainingTable,
        seed: int,
        settings: Settings = DEFAULT,
        partitions: int = PARTITIONS,
        ended: Callable[[], object] = lambda: None,
    ) -> "HeldOut":
        """By cross-validation; the folds part configurations, never evaluations of one. Failures and costs are said
        in the first partition alone. `ended` is called after each fit.
        """
        fold = folds(table, seed)
        seen = [kind for kind in FAILURES if (table.status == kind.value).any()]
        errors, spread, costs = np.zeros_like(table.errors), np.zeros(len(table)), np.zeros_like(table.costs)
        logits = {kind: np.zeros(len(table)) for kind in seen}
        uncertainty = np.full(len(table), np.nan)
        parts = [chosen for number in range(FOLDS) if (chosen := fold == number).any()]

        def say(chosen: npt.NDArray[np.bool_]) -> Said:
            return Said.by(Models.fit(table.take(~chosen), seed, settings), table.take(chosen))

        for chosen, said in zip(parts, side_by_side(say, parts, ended), strict=True):
            errors[chosen], spread[chosen], costs[chosen] = said.errors, said.spread, said.costs
            if said.uncertainty is not None:
                uncertainty[chosen] = said.uncertainty
            for kind, logit in said.logits.items():
                logits[kind][chosen] = logit
        odds = {kind: fit_odds(logits[kind], table.status == kind.value) for kind in seen}
        noise, others = fit_noise(table, spread, errors), _other_partitions(table, seed, settings, partitions, ended)
        doubt = None if np.isnan(uncertainty).any() else uncertainty
        return cls(table, fold, errors, spread, costs, logits, noise, odds, settings, others, doubt)

    @property
    def partitions(self) -> FloatArray:
        """Errors (partitions, n, 2) said in all partitions, `errors` being the first."""
        return np.concatenate([self.errors[None], self.others.reshape(-1, *self.errors.shape)])

    @cached_property
    def perfect(self) -> PerfectPredictor:
        return PerfectPredictor.of(self, 0)

    def scores(self) -> list[Row]:
        """For the evaluations that ended ok (`n`, of so many `configurations`), one row a budget and one for all, of
        each error: means over the partitions; `low` and `high` are ends of 95 % intervals over the configurations,
        `ceiling_` a perfect predictor's scores.
        """
        return self._scores

    @cached_property
    def _scores(self) -> list[Row]:
        rows: list[Row] = []
        rng = np.random.default_rng(0)
        for budget, chosen in self.table.ok_by_budget():
            drawn = resamples(self.table.parted[chosen], rng) if chosen.any() else np.empty((0, 0))
            for part, error in enumerate(self.table.error_names):
                configurations = len(np.unique(self.table.group[chosen]))
                row = {"budget": budget, "error": error, "n": int(chosen.sum()), "configurations": configurations}
                real, said = self.table.errors[chosen, part], self.partitions[:, chosen, part]
                sparse = self.table.sparse
                found = mean_rows(scores(real, one, sparse) for one in said)
                if found["r2"] is not None:
                    found = with_intervals(found, resampled_scores(real, said, drawn, sparse))
                    expected = self.perfect.expected[chosen, part]
                    worlds = self.perfect.drawn[:, chosen, part]
                    ceiling = mean_rows(scores(world, expected, sparse) for world in worlds)
                    found |= {f"ceiling_{key}": value for key, value in ceiling.items()}
                rows.append(row | found)
        return rows

    def chance(self, kind: Status) -> FloatArray:
        """Calibrated probability (n,) of a kind of failure that was seen."""
        slope, offset = self.odds[kind]
        return np.asarray(1 / (1 + np.exp(-np.clip(slope * self.logits[kind] + offset, -50, 50))))


def _other_partitions(
    table: TrainingTable, seed: int, settings: Settings, partitions: int, ended: Callable[[], object]
) -> FloatArray:
    """Errors said of held-out configurations, (partitions - 1, n, 2), in all partitions but the first."""
    fold = [folds(table, seed + number) for number in range(partitions)]
    scales = table.scales
    work = [(number, part) for number in range(1, partitions) for part in np.unique(fold[number]).tolist()]

    def say(at: tuple[int, int]) -> FloatArray:
        chosen = fold[at[0]] == at[1]
        logits = error_models(table.take(~chosen & table.ok), seed, settings).logits(table.take(chosen))
        return np.stack([scale.from_logit(logit) for scale, logit in zip(scales, logits.T, strict=True)], axis=1)

    errors = np.zeros((partitions - 1, *table.errors.shape))
    for (number, part), said in zip(work, side_by_side(say, work, ended), strict=True):
        errors[number - 1, fold[number] == part] = said
    return errors


def folds(table: TrainingTable, seed: int) -> npt.NDArray[np.int64]:
    """The fold (n,) of each row, drawn by configuration."""
    drawn = np.random.default_rng(seed).integers(FOLDS, size=int(table.parted.max()) + 1)
    return np.asarray(drawn[table.parted])
