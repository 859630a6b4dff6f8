"""ASHA and regularized evolution: who is promoted, who becomes a parent."""

import math

import pytest

from jointbench.data.errors import InputError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Trial
from jointbench.optimizers.asha import ASHA
from jointbench.optimizers.evolution import RegularizedEvolution

LADDER = Ladder(1.0, 9.0)


def ended(trial: Trial, loss: float) -> Evaluation:
    status = Status.OK if math.isfinite(loss) else Status.CRASHED
    error = loss if math.isfinite(loss) else 0.9
    return Evaluation(
        "joint", trial.configuration, trial.budget, 0, status, {"validation_error": error, "test_error": error}
    )


def asha(losses: list[float]) -> tuple[ASHA, list[Trial]]:
    """ASHA that was told these losses of its first trials, all of them running at once."""
    optimizer = ASHA(JOINT, LADDER, seed=0, full_budgets=10)
    trials = [optimizer.ask() for _ in losses]
    for trial, loss in zip(trials, losses, strict=True):
        optimizer.tell(trial, ended(trial, loss))
    return optimizer, trials


def test_a_third_of_what_ended_goes_up_best_first_and_once() -> None:
    optimizer, trials = asha([0.5, 0.1, 0.4, 0.3, 0.2, 0.6])
    assert {trial.budget for trial in trials} == {1.0}
    promoted = [optimizer.ask() for _ in range(3)]
    assert [trial.budget for trial in promoted] == [3.0, 3.0, 1.0]
    assert [trial.configuration for trial in promoted[:2]] == [trials[1].configuration, trials[4].configuration]


def test_nothing_goes_up_before_a_third_of_it_is_one() -> None:
    assert asha([0.1, 0.2])[0].ask().budget == 1.0
    assert asha([0.1, 0.2, 0.3])[0].ask().budget == 3.0


def test_failures_never_go_up() -> None:
    assert asha([math.inf] * 9)[0].ask().budget == 1.0


def test_the_highest_rung_comes_first() -> None:
    optimizer, _ = asha([i / 10 for i in range(9)])
    middle = [optimizer.ask() for _ in range(3)]
    assert {trial.budget for trial in middle} == {3.0}
    more = [optimizer.ask() for _ in range(3)]
    for trial in [*more, *middle]:
        optimizer.tell(trial, ended(trial, 0.05))
    # Twelve have ended at the smallest budget: four may be up, and one of them is already.
    assert [optimizer.ask().budget for _ in range(5)] == [9.0, 3.0, 3.0, 3.0, 1.0]


def test_a_child_differs_from_the_best_of_its_tournament_in_one_hyperparameter() -> None:
    optimizer = RegularizedEvolution(JOINT, LADDER, seed=0, full_budgets=10, population=4, tournament=50)
    trials = [optimizer.ask() for _ in range(4)]
    for trial, loss in zip(trials, (0.4, 0.1, math.inf, 0.3), strict=True):
        optimizer.tell(trial, ended(trial, loss))
    # Fifty draws from four members miss the best with a chance of 6e-7.
    for _ in range(20):
        child = optimizer.ask()
        differing = [name for name in JOINT.names if child.configuration[name] != trials[1].configuration[name]]
        assert len(differing) <= 1
        assert child.budget == LADDER.maximum


def test_the_oldest_dies() -> None:
    optimizer = RegularizedEvolution(JOINT, LADDER, seed=0, full_budgets=10, population=2, tournament=50)
    trials = [optimizer.ask() for _ in range(2)]
    optimizer.tell(trials[0], ended(trials[0], 0.1))
    optimizer.tell(trials[1], ended(trials[1], 0.3))
    child = optimizer.ask()
    optimizer.tell(child, ended(child, 0.2))
    grandchild = optimizer.ask()
    assert sum(grandchild.configuration[n] != child.configuration[n] for n in JOINT.names) <= 1
    assert sum(grandchild.configuration[n] != trials[0].configuration[n] for n in JOINT.names) <= 2


@pytest.mark.parametrize("options", [{"population": 0}, {"tournament": 0}])
def test_numbers_below_one_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InputError):
        RegularizedEvolution(JOINT, LADDER, seed=0, full_budgets=10, **options)
