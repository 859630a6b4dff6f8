"""Configurations drawn ahead are those that are drawn one by one."""

import numpy as np
import pytest

from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.uniform import AHEAD


@pytest.mark.parametrize("name", ["random", "hyperband", "asha"])
def test_what_is_drawn_ahead_is_what_single_draws_give(name: str) -> None:
    # On one rung nothing is promoted: every trial is a draw.
    optimizer = make_optimizer(name, JOINT, Ladder(27.0, 27.0), seed=3, full_budgets=1000, any_ladder=True)
    rng = np.random.default_rng(3)
    for _ in range(2 * AHEAD + 1):
        trial = optimizer.ask()
        assert trial is not None
        single = JOINT.sample(rng)[0]
        # As text, so that the kinds of the numbers count too.
        assert repr(dict(trial.configuration)) == repr(single)


@pytest.mark.parametrize("counts", [(1, 200), (15, 16, 170), (100, 3, 98)])
def test_a_sample_is_the_same_however_it_is_divided(counts: tuple[int, ...]) -> None:
    rng, whole = np.random.default_rng(0), np.random.default_rng(0)
    parts = [configuration for count in counts for configuration in JOINT.sample(rng, count)]
    assert repr(parts) == repr(JOINT.sample(whole, sum(counts)))
