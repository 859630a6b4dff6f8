"""The run loop and its journal: budgets, order, seeds, and going on after a kill."""

from pathlib import Path

import pytest
from analytic import Analytic
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.running.cluster import Finished, SimulatedCluster
from jointbench.bench.running.journal import Journal
from jointbench.bench.running.run import run
from jointbench.data.errors import ReplayError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.seeds import training_seed
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Optimizer, Trial

LADDER = Ladder(1.0, 9.0)
ANYWHERE = JOINT.named["zela-2018"]


def optimizer(name: str = "hyperband", seed: int = 0, full_budgets: float = 6.0) -> Optimizer:
    return make_optimizer(name, JOINT, LADDER, seed=seed, full_budgets=full_budgets)


def fixed(budgets: list[float]) -> FixedList:
    trials = [Trial(ANYWHERE, budget) for budget in budgets]
    return FixedList(JOINT, LADDER, seed=0, full_budgets=100.0, name="fixed", trials=trials)


def simulated(workers: int = 3) -> SimulatedCluster:
    return SimulatedCluster(Analytic(LADDER), workers)


def interrupted(
    folder: Path, name: str, workers: int, kills: list[int], full_budgets: float = 6.0
) -> dict[int, Evaluation]:
    """All evaluations of a run that is killed after so many more of them, each time."""
    evaluated: dict[int, Evaluation] = {}
    for limit in [*kills, None]:
        journal = Journal(folder / "runs" / "x.journal")
        going = run(
            optimizer(name, full_budgets=full_budgets),
            simulated(workers),
            LADDER,
            full_budgets=full_budgets,
            seed=0,
            journal=journal,
            evaluated=evaluated,
        )
        for count, finished in enumerate(going, start=1):
            number = finished.started.number
            assert number not in evaluated, "an evaluation that was kept is made again"
            evaluated[number] = finished.evaluation
            if count == limit:
                break
        going.close()
        journal.close()
    return evaluated


def budgets(finished: list[Finished]) -> list[float]:
    return [one.evaluation.budget for one in finished]


def test_it_ends_before_the_trial_that_would_be_too_much() -> None:
    finished = list(run(fixed([9.0, 9.0, 3.0, 1.0]), simulated(1), LADDER, full_budgets=2.0, seed=0))
    assert budgets(finished) == [9.0, 9.0]


def test_it_ends_when_the_optimizer_has_no_more() -> None:
    assert len(list(run(fixed([1.0, 3.0]), simulated(5), LADDER, full_budgets=50.0, seed=0))) == 2


def test_every_training_has_a_seed_of_its_own() -> None:
    assert len({training_seed(s, n) for s in range(20) for n in range(1000)}) == 20_000


def test_an_optimizer_that_insists_on_a_seed_gets_it() -> None:
    trial = Trial(ANYWHERE, 1.0, seed=77)
    listed = FixedList(JOINT, LADDER, seed=0, full_budgets=9.0, name="fixed", trials=[trial])
    assert [one.evaluation.seed for one in run(listed, simulated(), LADDER, full_budgets=9.0, seed=0)] == [77]


def test_writing_a_journal_changes_nothing(tmp_path: Path) -> None:
    plain = list(run(optimizer(), simulated(), LADDER, full_budgets=6.0, seed=0))
    journal = Journal(tmp_path / "x.journal")
    assert [one.evaluation for one in plain] == [
        one.evaluation for one in run(optimizer(), simulated(), LADDER, full_budgets=6.0, seed=0, journal=journal)
    ]
    journal.close()


@given(st.sampled_from(["random", "hyperband", "bohb", "two-stage"]), st.integers(1, 6), st.lists(st.integers(1, 9)))
@settings(max_examples=15)
def test_a_run_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, name: str, workers: int, kills: list[int]
) -> None:
    evaluated = interrupted(tmp_path_factory.mktemp("run"), name, workers, kills)
    assert sorted(evaluated) == list(range(len(evaluated)))
    assert sum(e.budget for e in evaluated.values()) <= 6.0 * LADDER.maximum * (1 + 1e-9)
    assert [evaluated[number].seed for number in sorted(evaluated)] == list(range(len(evaluated)))


def test_with_one_worker_a_killed_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = list(run(optimizer("bohb"), simulated(1), LADDER, full_budgets=6.0, seed=0))
    assert interrupted(tmp_path, "bohb", 1, [4, 1, 7]) == {one.started.number: one.evaluation for one in whole}


def test_another_optimizer_does_not_go_on_with_a_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "runs" / "x.journal")
    next(run(optimizer(seed=0), simulated(), LADDER, full_budgets=6.0, seed=0, journal=journal))
    journal.close()
    journal = Journal(tmp_path / "runs" / "x.journal")
    with pytest.raises(ReplayError, match="trial 0"):
        next(run(optimizer(seed=1), simulated(), LADDER, full_budgets=6.0, seed=0, journal=journal))
    journal.close()
