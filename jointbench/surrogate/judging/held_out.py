"""What a surrogate says of configurations that it has not seen."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jointbench.data.evaluation import Status
from jointbench.data.space import FloatArray
from jointbench.surrogate.calibration import fit_noise, fit_odds
from jointbench.surrogate.judging.scores import Row, scores, side_by_side
from jointbench.surrogate.models import DEFAULT, FAILURES, MEMBERS, ErrorSettings, Models
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.table import TrainingTable

FOLDS = 5


@dataclass(frozen=True)
class Said:
    """What models say of the rows of a table: `errors` (n, 2), validation and test, of trainings that end ok;
    `spread` (n,), the variance between members on the line; `costs` (n, 4) as a table has them, of trainings that
    end ok; `logits`: kind of failure to its log odds (n,) before calibration.
    """

    errors: FloatArray
    spread: FloatArray
    costs: FloatArray
    logits: dict[Status, FloatArray]

    @classmethod
    def by(cls, models: Models, table: TrainingTable) -> "Said":
        outputs = models.outputs(table)
        model = models.outcome_model(Noise(0, 0, 0), {})
        members = outputs[: 2 * MEMBERS].reshape(MEMBERS, 2, len(table))
        lines = members.mean(axis=0)
        usual = model.usual_costs(table.columns, table.facts, table.budgets)
        ratios = np.exp(outputs[2 * MEMBERS : 2 * MEMBERS + len(usual)])
        return cls(
            np.stack([scale.from_line(line) for scale, line in zip(model.scales, lines, strict=True)], axis=1),
            members.var(axis=0).mean(axis=0),
            np.stack([cost * ratio for cost, ratio in zip(usual, ratios, strict=True)], axis=1),
            dict(zip(models.failures, outputs[len(outputs) - len(models.failures) :], strict=True)),
        )


@dataclass(frozen=True)
class HeldOut:
    """What models that have not seen a configuration say of it, for all rows of a table; shapes as in `Said`.

    `fold` (n,) numbers the part that each row was held out with; `noise` and `odds` are calibrated on all of it.
    """

    table: TrainingTable
    fold: npt.NDArray[np.int64]
    errors: FloatArray
    spread: FloatArray
    costs: FloatArray
    logits: dict[Status, FloatArray]
    noise: Noise
    odds: dict[Status, tuple[float, float]]
    settings: ErrorSettings = DEFAULT

    @classmethod
    def of(cls, table: TrainingTable, seed: int, settings: ErrorSettings = DEFAULT) -> "HeldOut":
        """By cross-validation; the folds part configurations, never evaluations of one."""
        fold = folds(table, seed)
        seen = [kind for kind in FAILURES if (table.status == kind.value).any()]
        errors, spread, costs = np.zeros((len(table), 2)), np.zeros(len(table)), np.zeros((len(table), 4))
        logits = {kind: np.zeros(len(table)) for kind in seen}
        parts = [chosen for number in range(FOLDS) if (chosen := fold == number).any()]

        def say(chosen: npt.NDArray[np.bool_]) -> Said:
            return Said.by(Models.fit(table.take(~chosen), seed, settings), table.take(chosen))

        for chosen, said in zip(parts, side_by_side(say, parts), strict=True):
            errors[chosen], spread[chosen], costs[chosen] = said.errors, said.spread, said.costs
            for kind, logit in said.logits.items():
                logits[kind][chosen] = logit
        odds = {kind: fit_odds(logits[kind], table.status == kind.value) for kind in seen}
        return cls(table, fold, errors, spread, costs, logits, fit_noise(table, spread, errors), odds, settings)

    def scores(self) -> list[Row]:
        """For the evaluations that ended ok, one row a budget and one for all, of each error."""
        rows: list[Row] = []
        for budget, chosen in self.table.ok_by_budget():
            for part, error in enumerate(("validation", "test")):
                row = {"budget": budget, "error": error, "n": int(chosen.sum())}
                rows.append(row | scores(self.table.errors[chosen, part], self.errors[chosen, part]))
        return rows

    def chance(self, kind: Status) -> FloatArray:
        """Calibrated probability (n,) of a kind of failure that was seen."""
        slope, offset = self.odds[kind]
        return np.asarray(1 / (1 + np.exp(-np.clip(slope * self.logits[kind] + offset, -50, 50))))


def folds(table: TrainingTable, seed: int) -> npt.NDArray[np.int64]:
    """The fold (n,) of each row, drawn by configuration."""
    drawn = np.random.default_rng(seed).integers(FOLDS, size=int(table.group.max()) + 1)
    return np.asarray(drawn[table.group])
