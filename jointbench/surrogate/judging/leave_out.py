"""Leave one optimizer out: does a surrogate know what an optimizer finds that did not collect for it?"""

import numpy as np

from jointbench.data.errors import InputError
from jointbench.surrogate.judging.scores import Row, scores, side_by_side
from jointbench.surrogate.models import DEFAULT, Settings, error_models
from jointbench.surrogate.table import FEWEST_CONFIGURATIONS, TrainingTable

#: What a log calls who proposed the evaluations of a plan's parts, which are no optimizers: some of these parts are
#: where surrogates err, so that nothing could be asked of one without them.
PARTS = ("sobol", "near-best", "replicates", "surprises", "near-surprises", "draws", "ends")

#: Evaluations that ended ok below which nothing is scored.
FEWEST = 10


def without(table: TrainingTable, optimizer: str) -> TrainingTable:
    """The rows of configurations that `optimizer` never tried. Raises InputError when too few are left to fit to."""
    theirs = np.isin(table.group, table.group[table.optimizer == optimizer])
    left = table.take(~theirs)
    succeeded = len(np.unique(left.group[left.ok]))
    if succeeded < FEWEST_CONFIGURATIONS:
        expected = f"one without which {FEWEST_CONFIGURATIONS} configurations that ended ok are left, not {succeeded}"
        raise InputError("optimizer to leave out", optimizer, expected)
    return left


def leave_one_out(table: TrainingTable, seed: int, settings: Settings = DEFAULT) -> list[Row]:
    """For each optimizer, and each budget and all, scores of predicting both errors of its evaluations without any
    evaluation of a configuration that it tried; optimizers that collected nearly everything are passed over.
    """

    scales = table.scales

    def predict(optimizer: str) -> list[Row]:
        try:
            left = without(table, optimizer)
        except InputError:
            return []
        theirs = table.take(table.optimizer == optimizer)
        logits = error_models(left.take(left.ok), seed, settings).logits(theirs)
        said = [scale.from_logit(logit) for scale, logit in zip(scales, logits.T, strict=True)]
        return [
            {"left_out": optimizer, "budget": budget, "error": error, "n": int(chosen.sum())}
            | scores(theirs.errors[chosen, part], said[part][chosen])
            for budget, chosen in theirs.ok_by_budget()
            for part, error in enumerate(table.error_names)
            if chosen.sum() >= FEWEST
        ]

    names = sorted(set(table.optimizer.tolist()))
    return [row for rows in side_by_side(predict, names) for row in rows] if len(names) > 1 else []
