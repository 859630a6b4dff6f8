"""How good a surrogate is, on configurations that it has not seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jointbench.data.evaluation import Status
from jointbench.data.space import FloatArray
from jointbench.surrogate.calibration import fit_noise, fit_odds
from jointbench.surrogate.models import FAILURES, MEMBERS, Models
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.table import TrainingTable

FOLDS = 5

#: Errors closer than this count as equal in the sparse Kendall tau (NAS-Bench-301's 0.1 %).
SPARSE = 0.001


def scores(real: FloatArray, predicted: FloatArray) -> dict[str, float | None]:
    """R2, RMSE (a fraction), Kendall's tau, sparse Kendall's tau and Spearman's rho; None where undefined."""
    from scipy.stats import kendalltau, spearmanr

    def defined(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    varies = len(real) > 1 and np.ptp(real) > 0 and np.ptp(predicted) > 0
    rounded = np.round(predicted / SPARSE) * SPARSE
    return {
        "r2": defined(1 - np.mean((real - predicted) ** 2) / real.var()) if varies else None,
        "rmse": defined(float(np.sqrt(np.mean((real - predicted) ** 2)))) if len(real) else None,
        "kendall": defined(kendalltau(real, predicted).statistic) if varies else None,
        "sparse_kendall": defined(kendalltau(real, rounded).statistic) if varies else None,
        "spearman": defined(spearmanr(real, predicted).statistic) if varies else None,
    }


@dataclass(frozen=True)
class HeldOut:
    """What models that have not seen a configuration say of it, for all rows of a table.

    `errors` (n, 2) are the expected validation and test errors of a training that ends ok; `spread` (n,) is the
    variance between members on the line; `noise` and `odds` are calibrated on all of this.
    """

    table: TrainingTable
    errors: FloatArray
    spread: FloatArray
    noise: Noise
    odds: dict[Status, tuple[float, float]]

    @classmethod
    def of(cls, table: TrainingTable, seed: int) -> "HeldOut":
        """By cross-validation; the folds part configurations, never evaluations of one."""
        fold = np.random.default_rng(seed).integers(FOLDS, size=int(table.group.max()) + 1)[table.group]
        seen = [kind for kind in FAILURES if (table.status == kind.value).any()]
        errors, spread = np.zeros((len(table), 2)), np.zeros(len(table))
        logits = {kind: np.zeros(len(table)) for kind in seen}
        for held_out in range(FOLDS):
            chosen = fold == held_out
            if not chosen.any():
                continue
            models, part = Models.fit(table.take(~chosen), seed), table.take(chosen)
            outputs = models.outputs(part)
            scales = models.outcome_model(Noise(0, 0, 0), {}).scales
            members = outputs[: 2 * MEMBERS].reshape(MEMBERS, 2, len(part))
            errors[chosen] = np.stack([s.from_line(members[:, k].mean(axis=0)) for k, s in enumerate(scales)], axis=1)
            spread[chosen] = members.var(axis=0).mean(axis=0)
            for kind, logit in zip(models.failures, outputs[-len(models.failures) :], strict=False):
                logits[kind][chosen] = logit
        odds = {kind: fit_odds(logits[kind], table.status == kind.value) for kind in seen}
        return cls(table, errors, spread, fit_noise(table, spread, errors), odds)

    def scores(self) -> list[dict[str, Any]]:
        """For the evaluations that ended ok, one row a budget and one for all, of each error."""
        ok, budgets = self.table.ok, self.table.budgets
        rows: list[dict[str, Any]] = []
        for budget in (*self.table.ladder.rungs, None):
            chosen = ok if budget is None else ok & np.isclose(budgets, budget)
            for part, error in enumerate(("validation", "test")):
                row = {"budget": budget, "error": error, "n": int(chosen.sum())}
                rows.append(row | scores(self.table.errors[chosen, part], self.errors[chosen, part]))
        return rows
