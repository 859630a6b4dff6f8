"""Which hyperparameters act only where others let them."""

import numpy as np

from jointbench.data.spaces.joint import MAIN_BLOCKS
from jointbench.data.spaces.space import Space

#: Random configurations in which a share is counted.
_SAMPLED = 4_000


def inert_words(space: Space) -> list[str]:
    """A sentence for each hyperparameter that is conditional, and for ShakeDrop's rate, which has no effect in a
    network whose main blocks all have several branches (the paper's footnote 1). Shares are over random configurations.
    """
    rows = space.rows_at(np.random.default_rng(0).random((_SAMPLED, len(space.names))))
    active, said = np.isfinite(rows).mean(axis=0), list[str]()
    for name, share in zip(space.names, active.tolist(), strict=True):
        if share < 1:
            said.append(
                f"{name} is conditional: it is active in {share:.0%} of random configurations, and stands in the "
                "middle of its range elsewhere."
            )
    branches = [f"res_branches_{block}" for block in MAIN_BLOCKS]
    if {"death_rate", *branches} <= set(space.names):
        single = (rows[:, [space.names.index(name) for name in branches]] == 1).any(axis=1).mean()
        said.append(
            "death_rate, ShakeDrop's, acts only where a main block has a single branch: it is inert in "
            f"{1 - single:.0%} of random configurations, and its importance is over all of them."
        )
    return said
