"""The surrogate's own learning curve: its quality by the number of evaluations, for who wonders when to stop."""

import numpy as np

from jointbench.surrogate.judging.held_out import FOLDS, HeldOut, Said
from jointbench.surrogate.judging.scores import Row, scores, side_by_side
from jointbench.surrogate.models import Models
from jointbench.surrogate.table import FEWEST_CONFIGURATIONS

#: Shares of the configurations that are not held out.
SHARES = (0.125, 0.25, 0.5)


def learning_curve(held_out: HeldOut, seed: int) -> list[Row]:
    """Scores on the same held-out configurations of surrogates fitted to a share of the others, for test errors at
    the largest budget and over all; `n` is the number of evaluations that they were fitted to, on average.
    """
    table, fold = held_out.table, held_out.fold
    order = np.random.default_rng(seed).permutation(int(table.group.max()) + 1)[table.group]
    kept = {share: order < share * (order.max() + 1) for share in SHARES}
    work = [
        (share, number)
        for share in SHARES
        for number in range(FOLDS)
        if len(np.unique(table.group[kept[share] & (fold != number) & table.ok])) >= FEWEST_CONFIGURATIONS
    ]

    def predict(at: tuple[float, int]) -> tuple[int, Said]:
        share, number = at
        seen = kept[share] & (fold != number)
        return int(seen.sum()), Said.by(
            Models.fit(table.take(seen), seed, held_out.settings), table.take(fold == number)
        )

    found = dict(zip(work, side_by_side(predict, work), strict=True))
    rows: list[Row] = []
    for share in SHARES:
        if not all((share, number) in found for number in range(FOLDS)):
            continue
        errors = np.zeros(len(table))
        for number in range(FOLDS):
            errors[fold == number] = found[share, number][1].errors[:, 1]
        seen = float(np.mean([found[share, number][0] for number in range(FOLDS)]))
        rows += _scored(held_out, errors, round(seen))
    return rows + _scored(held_out, held_out.errors[:, 1], round(len(table) * (FOLDS - 1) / FOLDS))


def _scored(held_out: HeldOut, errors: np.ndarray, seen: int) -> list[Row]:
    table, largest = held_out.table, held_out.table.ladder.maximum
    return [
        {"n": seen, "budget": budget} | scores(table.errors[chosen, 1], errors[chosen])
        for budget, chosen in table.ok_by_budget()
        if budget is None or budget == largest
    ]
