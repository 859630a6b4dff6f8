"""The surrogate's own learning curve: its quality by the number of evaluations, for who wonders when to stop."""

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.judging.best import SHARES as BEST
from jointbench.surrogate.judging.best import among, held_against, lowest
from jointbench.surrogate.judging.held_out import FOLDS, HeldOut
from jointbench.surrogate.judging.scores import Row, scores, side_by_side
from jointbench.surrogate.models import error_models
from jointbench.surrogate.table import FEWEST_CONFIGURATIONS

#: Shares of the configurations that are not held out.
SHARES = (0.125, 0.25, 0.5)


def learning_curve(held_out: HeldOut, seed: int) -> list[Row]:
    """Scores on the same held-out configurations, those of the first partition, of surrogates fitted to a share of the
    others, for validation errors at the largest budget and over all; `n` is the number of evaluations that they were
    fitted to, on average. `best_spearman` and `best_relative_bias` are among the best quarter at the budget.
    """
    table, fold = held_out.table, held_out.fold
    order = np.random.default_rng(seed).permutation(int(table.parted.max()) + 1)[table.parted]
    kept = {share: order < share * (order.max() + 1) for share in SHARES}
    work = [
        (share, number)
        for share in SHARES
        for number in range(FOLDS)
        if len(np.unique(table.group[kept[share] & (fold != number) & table.ok])) >= FEWEST_CONFIGURATIONS
    ]
    scale = table.scales[0]

    def predict(at: tuple[float, int]) -> tuple[int, FloatArray]:
        share, number = at
        seen = kept[share] & (fold != number)
        logits = error_models(table.take(seen & table.ok), seed, held_out.settings).logits(table.take(fold == number))
        return int(seen.sum()), scale.from_logit(logits[:, 0])

    found = dict(zip(work, side_by_side(predict, work), strict=True))
    rows: list[Row] = []
    for share in SHARES:
        if not all((share, number) in found for number in range(FOLDS)):
            continue
        errors = np.zeros(len(table))
        for number in range(FOLDS):
            errors[fold == number] = found[share, number][1]
        seen = float(np.mean([found[share, number][0] for number in range(FOLDS)]))
        rows += _scored(held_out, errors, round(seen))
    return rows + _scored(held_out, held_out.errors[:, 0], round(len(table) * (FOLDS - 1) / FOLDS))


def _scored(held_out: HeldOut, errors: FloatArray, seen: int) -> list[Row]:
    table, largest = held_out.table, held_out.table.ladder.maximum
    rows: list[Row] = []
    for budget, chosen in table.ok_by_budget():
        if budget is not None and budget != largest:
            continue
        real, said = table.errors[chosen, 0], errors[chosen]
        few = lowest(real, table.group[chosen], max(BEST))
        against = held_against(table.measures.metrics[0] if table.measures else None, real)
        best = among(real[few], said[few], against) if few.any() else {"spearman": None, "relative_bias": None}
        row = {"n": seen, "budget": budget} | scores(real, said, table.sparse)
        rows.append(row | {f"best_{key}": best[key] for key in ("spearman", "relative_bias")})
    return rows
