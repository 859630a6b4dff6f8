"""Brackets of successive halving, and Hyperband's course through them."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Trial, make_optimizer
from jointbench.optimizers.brackets import Bracket, bracket_sizes
from jointbench.optimizers.contract import outcome

#: HpBandSter 0.7.4 with eta 3, by number of rungs (tests/test_parity_hpbandster.py asks it).
SIZES = {
    2: [(3, 1), (2,)],
    3: [(9, 3, 1), (3, 1), (3,)],
    4: [(27, 9, 3, 1), (9, 3, 1), (6, 2), (4,)],
    5: [(81, 27, 9, 3, 1), (27, 9, 3, 1), (9, 3, 1), (6, 2), (5,)],
    6: [(243, 81, 27, 9, 3, 1), (81, 27, 9, 3, 1), (27, 9, 3, 1), (18, 6, 2), (9, 3), (6,)],
}


@pytest.mark.parametrize("rungs", SIZES)
def test_sizes_are_hpbandsters_and_repeat_after_a_cycle(rungs: int) -> None:
    cycle = [bracket_sizes(iteration, rungs, 3.0) for iteration in range(2 * rungs)]
    assert cycle == 2 * SIZES[rungs]


def fill(bracket: Bracket[int], losses: list[float], first: int = 0) -> list[int]:
    """One rung: places taken as the bracket says, then their losses; returns the configurations in place order."""
    placed: list[int] = []
    while bracket.next_action in ("promote", "sample"):
        if bracket.next_action == "promote":
            placed.append(bracket.promote()[1])
        else:
            placed.append(first + len(placed))
            bracket.add(placed[-1])
    for place, loss in enumerate(losses):
        bracket.report(place, loss)
    return placed


def test_the_best_go_up_in_the_order_of_their_places() -> None:
    bracket: Bracket[int] = Bracket((4, 2), 0)
    fill(bracket, [0.4, 0.1, 0.3, 0.2])
    assert (bracket.rung, bracket.next_action) == (1, "promote")
    assert [bracket.promote()[1], bracket.promote()[1]] == [1, 3]
    assert bracket.next_action == "pending"


def test_failures_never_go_up_and_new_configurations_take_the_free_places() -> None:
    bracket: Bracket[int] = Bracket((4, 2, 1), 0)
    fill(bracket, [math.inf, math.inf, 0.3, math.inf])
    assert fill(bracket, [math.inf, math.inf], first=10) == [2, 11]
    assert fill(bracket, [0.5], first=20) == [20]
    assert bracket.next_action == "done"


def test_of_equal_losses_the_earlier_places_go_up() -> None:
    bracket: Bracket[int] = Bracket((9, 3), 0)
    fill(bracket, [0.5] * 7 + [0.4, 0.5])
    assert [bracket.promote()[1] for _ in range(3)] == [0, 1, 7]
    assert bracket.next_action == "pending"


def test_a_rung_waits_for_its_last_place() -> None:
    bracket: Bracket[int] = Bracket((3, 1), 2)
    for configuration in range(3):
        assert bracket.next_action == "sample"
        bracket.add(configuration)
    for place in (2, 0):
        bracket.report(place, 0.1)
        assert (bracket.next_action, bracket.rung) == ("pending", 2)
    bracket.report(1, 0.2)
    assert (bracket.next_action, bracket.rung) == ("promote", 3)


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, math.inf]), min_size=9, max_size=9), st.randoms())
def test_what_goes_up_is_never_worse_than_what_stays(losses: list[float], random: object) -> None:
    bracket: Bracket[int] = Bracket((9, 3, 1), 0)
    for configuration in range(9):
        bracket.add(configuration)
    order = list(range(9))
    random.shuffle(order)  # type: ignore[attr-defined]
    for place in order:
        bracket.report(place, losses[place])
    up = []
    while bracket.next_action == "promote":
        up.append(bracket.promote()[1])
    assert len(up) == min(3, sum(math.isfinite(loss) for loss in losses))
    stay = [losses[i] for i in range(9) if i not in up]
    assert max((losses[i] for i in up), default=0.0) <= min(stay)


@pytest.mark.parametrize("name", ["hyperband", "bohb"])
def test_256_full_budgets_are_1132_evaluations(name: str) -> None:
    ladder = Ladder(400.0, 10800.0)
    optimizer = make_optimizer(name, JOINT, ladder, seed=0, full_budgets=256)

    def evaluate(configuration: Configuration, budget: float, seed: int) -> Evaluation:
        return outcome(optimizer, Trial(configuration, budget), failed=False)

    finished = run(optimizer, SimulatedCluster(evaluate, 1), ladder, full_budgets=256, seed=0)
    counts = Counter(end.started.trial.budget for end in finished)
    assert counts == {400.0: 486, 1200.0: 306, 3600.0: 204, 10800.0: 136}


def test_hyperband_promotes_what_was_best_at_the_lower_rung() -> None:
    ladder = Ladder(1.0, 27.0)
    optimizer = make_optimizer("hyperband", JOINT, ladder, seed=0, full_budgets=4)
    losses: dict[float, list[tuple[float, Configuration]]] = {rung: [] for rung in ladder.rungs}
    for _ in range(27 + 9 + 3 + 1):
        trial = optimizer.ask()
        assert trial is not None
        evaluation = outcome(optimizer, trial, failed=False)
        losses[trial.budget].append((evaluation.validation_error, trial.configuration))
        optimizer.tell(trial, evaluation)
    for lower, higher in zip(ladder.rungs, ladder.rungs[1:], strict=False):
        promoted = [configuration for _, configuration in losses[higher]]
        worst = max(loss for loss, configuration in losses[lower] if configuration in promoted)
        assert worst == np.sort([loss for loss, _ in losses[lower]])[len(promoted) - 1]
