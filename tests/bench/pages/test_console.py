"""What a person sees while a collection goes on."""

import io
from pathlib import Path

import pytest
from analytic import Analytic
from rich.console import Console

from jointbench.bench.collecting.collection_progress import CollectionProgress, WatchedCluster
from jointbench.bench.running.cluster import Finished, SimulatedCluster, Started
from jointbench.bench.running.run import run
from jointbench.cli.collection_display import CollectionDisplay
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Trial

LADDER = Ladder(1, 9)
ANYWHERE = JOINT.named["zela-2018"]


def ended(number: int, budget: float, error: float = 0.5, status: Status = Status.OK) -> Finished:
    errors = {"validation_error": error, "test_error": error}
    reason = "" if error < 0.9 else "because"
    evaluation = Evaluation("joint", ANYWHERE, budget, 0, status, errors, reason)
    return Finished(Started(number, Trial(ANYWHERE, budget), 0), evaluation, 0.0, 1.0)


class Hours:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now * 3600


class TestProgress:
    def test_rungs_failures_and_the_incumbent_are_counted(self) -> None:
        at = CollectionProgress(LADDER, 10.0)
        for finished in (ended(0, 1.0, 0.2), ended(1, 9.0, 0.4), ended(2, 9.0, 0.9, Status.DIVERGED), ended(3, 3.0)):
            at.started(finished.started)
            at.finished(finished)
        assert at.done_at == {1.0: 1, 9.0: 2, 3.0: 1}
        assert at.failures == {"diverged": 1}
        assert at.incumbent is not None
        assert (at.incumbent.budget, at.incumbent.validation_error) == (9.0, 0.4)
        assert at.spent == pytest.approx((1 + 9 + 9 + 3) / 9)
        assert at.running == {}

    def test_the_end_is_told_from_the_pace_of_this_start(self) -> None:
        clock = Hours()
        at = CollectionProgress(LADDER, 10.0, clock)
        assert at.seconds_left is None
        at.resumed([ended(i, 9.0).evaluation for i in range(4)])
        clock.now = 2.0
        at.finished(ended(4, 9.0))
        # One full budget took two hours; five of ten are left.
        assert at.seconds_left == pytest.approx(10 * 3600)
        assert at.evaluations_an_hour == pytest.approx(0.5)
        assert at.evaluations == 5

    def test_it_knows_what_runs_and_for_how_long(self) -> None:
        clock = Hours()
        at = CollectionProgress(LADDER, 10.0, clock)
        at.started(ended(3, 9.0).started)
        clock.now = 0.5
        assert at.running_for(3) == 1800

    def test_all_that_a_cluster_starts_and_ends_is_heard_of(self) -> None:
        at = CollectionProgress(LADDER, 20.0)
        cluster = WatchedCluster(SimulatedCluster(Analytic(LADDER), 3), at)
        optimizer = make_optimizer("hyperband", JOINT, LADDER, seed=0, full_budgets=20)
        most = 0
        for finished in run(optimizer, cluster, LADDER, full_budgets=20, seed=0):
            most = max(most, len(at.running))
            at.finished(finished)
        assert most == 3
        assert at.running == {}
        assert 19 <= at.spent <= 20


@pytest.mark.parametrize("unit", ["seconds", "epochs"])
def test_lines_of_a_collection_say_the_unit_of_a_budget(unit: str, capsys: pytest.CaptureFixture[str]) -> None:
    ladder = Ladder(1, 9, unit=unit)  # type: ignore[arg-type]
    with CollectionDisplay() as display:
        CollectionProgress(ladder, 10.0, stage="random-0", hear=display).finished(ended(7, 3.0))
    shown = " ".join(capsys.readouterr().err.split())
    assert f"random-0 #7, 3 {unit}: ok 50.0%" in shown
    assert f"at 3 {unit}" in shown


def test_a_failure_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with CollectionDisplay() as display:
        at = CollectionProgress(LADDER, 10.0, stage="random-0", hear=display)
        at.resumed([ended(0, 1.0).evaluation])
        at.finished(ended(1, 3.0, 0.9, Status.CRASHED))
    shown = capsys.readouterr().err
    assert "continues after 1 evaluation" in shown
    assert "crashed because" in shown
    assert "1 crashed" in shown


@pytest.fixture
def live() -> tuple[CollectionDisplay, io.StringIO]:
    screen = io.StringIO()
    return CollectionDisplay(console=Console(file=screen, force_terminal=True, width=100)), screen


def test_a_terminal_shows_rungs_trainings_and_the_end(live: tuple[CollectionDisplay, io.StringIO]) -> None:
    display, screen = live
    with display:
        at = CollectionProgress(LADDER, 10.0, stage="bohb-0", hear=display)
        at.finished(ended(1, 9.0, 0.25))
        at.finished(ended(2, 1.0, 0.9, Status.OUT_OF_MEMORY))
        at.started(ended(3, 3.0).started)
    shown = screen.getvalue()
    for words in (
        "bohb-0",
        "of 10 full budgets",
        "3 seconds",
        "ended",
        "running",
        "out_of_memory",
        "#3",
        "25.0% at 9 seconds",
    ):
        assert words in shown
    assert "evaluations an hour" in shown


def test_looking_at_it_changes_nothing(live: tuple[CollectionDisplay, io.StringIO], tmp_path: Path) -> None:
    display, _ = live
    console = Console(record=True, file=io.StringIO(), width=100, force_terminal=True)
    at = CollectionProgress(LADDER, 10.0, stage="bohb-0", hear=display)
    with display:
        at.started(ended(3, 3.0).started)
        for _ in range(2):
            console.print(display)
    assert at.evaluations == 0
    assert console.export_text().count("#3") == 2
