"""Laws of the simulated cluster: who runs when, on a clock that only moves forward."""

import heapq
import math
from dataclasses import replace

import pytest
from analytic import Analytic
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.running.cluster import ATTEMPTS, Finished, SimulatedCluster, Started
from jointbench.bench.running.dying_workers import DyingWorkers
from jointbench.bench.running.overhead import Timed
from jointbench.bench.running.run import run
from jointbench.data.evaluation import REFERENCE_CLOCK, Configuration, Evaluation, Provenance, Status
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Trial

LADDER = Ladder(1.0, 27.0)
ANYWHERE = JOINT.named["zela-2018"]


def simulate(name: str, workers: int, full_budgets: float, seed: int, failing: int = 0) -> list[Finished]:
    optimizer = make_optimizer(name, JOINT, LADDER, seed=seed, full_budgets=full_budgets)
    cluster = SimulatedCluster(Analytic(LADDER, failing), workers)
    return list(run(optimizer, cluster, LADDER, full_budgets=full_budgets, seed=seed))


class Given:
    """Evaluations whose wall seconds are given, by seed."""

    space, ladder = JOINT, LADDER

    def __init__(self, walls: list[float]) -> None:
        self.walls = walls

    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
        metrics = {"validation_error": 0.5, "test_error": 0.5, "wall_seconds": self.walls[seed]}
        return Evaluation("joint", configuration, budget, seed, Status.OK, metrics)


def start_all(walls: list[float], workers: int) -> list[Finished]:
    """Trials 0, 1, ... as workers become free; in the order of their ends."""
    cluster = SimulatedCluster(Given(walls), workers)
    finished: list[Finished] = []
    for number in range(len(walls)):
        if number >= workers:
            finished.append(cluster.wait())
        cluster.start(Started(number, Trial(ANYWHERE, 1.0), number))
    while len(finished) < len(walls):
        finished.append(cluster.wait())
    return finished


optimizers = st.sampled_from(["random", "hyperband", "bohb", "two-stage"])


@given(optimizers, st.integers(1, 40), st.floats(1, 12), st.integers(0, 5), st.sampled_from([0, 2, 5]))
@settings(max_examples=30, deadline=None)
def test_workers_run_one_trial_at_a_time_on_a_clock_that_never_goes_back(
    name: str, workers: int, full_budgets: float, seed: int, failing: int
) -> None:
    finished = simulate(name, workers, full_budgets, seed, failing)
    ends = [one.end for one in finished]
    assert ends == sorted(ends)
    assert all(one.end == one.start + one.evaluation.wall_seconds for one in finished)
    # Whoever starts takes the place of somebody who has ended: never more places than workers.
    places: list[float] = []
    for one in sorted(finished, key=lambda one: one.started.number):
        if len(places) == workers:
            assert heapq.heappop(places) <= one.start
        heapq.heappush(places, one.end)


@given(optimizers, st.integers(1, 40), st.floats(1, 12), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_the_sum_of_budgets_stays_within_the_limit(name: str, workers: int, full_budgets: float, seed: int) -> None:
    spent = sum(one.evaluation.budget for one in simulate(name, workers, full_budgets, seed))
    # 1e-9: the ladder's own tolerance for a budget that text has rounded.
    assert spent <= full_budgets * LADDER.maximum * (1 + 1e-9)


@given(optimizers, st.integers(1, 40), st.integers(0, 5), st.sampled_from([0, 3]))
@settings(max_examples=10, deadline=None)
def test_the_same_seed_gives_the_same_run(name: str, workers: int, seed: int, failing: int) -> None:
    assert [
        (one.started.number, one.started.trial.configuration, one.evaluation, one.start, one.end)
        for one in simulate(name, workers, 6.0, seed, failing)
    ] == [
        (one.started.number, one.started.trial.configuration, one.evaluation, one.start, one.end)
        for one in simulate(name, workers, 6.0, seed, failing)
    ]


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5]), min_size=1, max_size=40), st.integers(1, 8))
def test_ends_at_the_same_instant_come_in_the_order_of_their_starts(walls: list[float], workers: int) -> None:
    keys = [(one.end, one.started.number) for one in start_all(walls, workers)]
    assert keys == sorted(keys)


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=60), st.integers(1, 8))
def test_no_worker_is_idle_while_there_is_a_trial(walls: list[float], workers: int) -> None:
    # The textbook schedule: each trial on the worker that is free first.
    free = [0.0] * workers
    expected = {}
    for number, wall in enumerate(walls):
        begin = heapq.heappop(free)
        expected[number] = (begin, begin + wall)
        heapq.heappush(free, begin + wall)
    assert {one.started.number: (one.start, one.end) for one in start_all(walls, workers)} == expected


def test_overhead_is_charged_one_trial_after_the_other() -> None:
    cluster = SimulatedCluster(Given([10.0, 10.0, 1.0]), 3, lambda: 2.0)
    for number in range(3):
        cluster.start(Started(number, Trial(ANYWHERE, 1.0), number))
    ends = [cluster.wait() for _ in range(3)]
    assert [(one.started.number, one.start, one.end) for one in ends] == [(2, 6.0, 7.0), (0, 2.0, 12.0), (1, 4.0, 14.0)]


def test_an_optimizer_that_thinks_longer_than_trials_take_is_what_everybody_waits_for() -> None:
    optimizer = make_optimizer("random", JOINT, LADDER, seed=0, full_budgets=5)
    cluster = SimulatedCluster(Analytic(LADDER), 4, lambda: 1000.0)
    finished = list(run(optimizer, cluster, LADDER, full_budgets=5, seed=0))
    assert [one.start for one in finished] == [1000.0 * k for k in range(1, 6)]


def test_the_stopwatch_counts_asking_and_telling_and_changes_nothing_else() -> None:
    seconds = iter(range(1000))
    timed = Timed(make_optimizer("bohb", JOINT, LADDER, seed=3, full_budgets=4), lambda: next(seconds))
    cluster = SimulatedCluster(Analytic(LADDER), 2)
    plain = simulate("bohb", 2, 4, 3)
    assert [one.evaluation for one in run(timed, cluster, LADDER, full_budgets=4, seed=3)] == [
        one.evaluation for one in plain
    ]
    # One second a call: every trial asked for and told, and the ask that was too much.
    assert timed.take() == 2 * len(plain) + 1
    assert timed.take() == 0


class TestDyingWorkers:
    def test_the_dead_cost_time_and_only_the_last_the_trial(self) -> None:
        plain, mortal = Analytic(LADDER), DyingWorkers(Analytic(LADDER), 200.0)
        crashed = 0
        for seed in range(300):
            without, evaluation = plain(ANYWHERE, 27.0, seed), mortal(ANYWHERE, 27.0, seed)
            if evaluation.status is Status.CRASHED:
                crashed += 1
                assert evaluation.validation_error == evaluation.test_error == 1.0
                assert evaluation.wall_seconds < ATTEMPTS * without.wall_seconds
            else:
                assert evaluation.validation_error == without.validation_error
                assert evaluation.wall_seconds >= without.wall_seconds
        assert 0 < crashed < 300

    def test_they_die_as_often_as_they_should(self) -> None:
        walls = [3600.0] * 2000
        mortal = DyingWorkers(Given(walls), 0.5)
        crashed = sum(mortal(ANYWHERE, 1.0, seed).status is Status.CRASHED for seed in range(2000))
        expected = (1 - math.exp(-0.5)) ** ATTEMPTS
        # Five standard deviations of a share of 2,000.
        assert crashed / 2000 == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 2000))

    def test_the_duration_of_all_attempts_is_what_a_worker_is_occupied_for(self) -> None:
        class OnAReferenceClock(Analytic):
            def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
                counted = Provenance(clock=f"{REFERENCE_CLOCK}v1")
                found = super().__call__(configuration, budget, seed)
                return replace(found.measuring(wall_seconds=9 * found.wall_seconds), provenance=counted)

        plain, mortal = OnAReferenceClock(LADDER), DyingWorkers(OnAReferenceClock(LADDER), 100.0)
        for seed in range(50):
            without, evaluation = plain(ANYWHERE, 27.0, seed), mortal(ANYWHERE, 27.0, seed)
            # What the wall clock says has no part in it: 27 seconds of the reference clock, once or several times.
            assert without.duration == 27.0
            assert evaluation.duration == evaluation.wall_seconds
            if evaluation.ok:
                assert evaluation.duration >= 27.0
            else:
                assert evaluation.duration < ATTEMPTS * 27.0
            assert evaluation.provenance.clock == ""

    def test_the_same_seed_dies_the_same_death(self) -> None:
        mortal = DyingWorkers(Analytic(LADDER), 200.0)
        assert [mortal(ANYWHERE, 27.0, s) for s in range(50)] == [mortal(ANYWHERE, 27.0, s) for s in range(50)]


def test_one_worker_runs_one_after_the_other() -> None:
    assert [(one.start, one.end) for one in start_all([3.0, 1.0, 2.0], 1)] == [(0.0, 3.0), (3.0, 4.0), (4.0, 6.0)]


def test_ten_thousand_workers_all_run_at_once() -> None:
    finished = simulate("random", 10_000, 12_000, 0)
    starts = [one.start for one in finished]
    assert starts.count(0.0) == 10_000
    assert len(finished) == 12_000
