"""The journal: every decision on disk before it takes effect, and a run that goes on from it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from analytic import Analytic

from jointbench.bench.running.cluster import Finished, SimulatedCluster, Started
from jointbench.bench.running.journal import Entry, Journal
from jointbench.bench.running.run import run
from jointbench.data.errors import LogError, ReplayError
from jointbench.data.evaluation import Curve, Evaluation, Provenance, Status
from jointbench.data.ladder import Ladder
from jointbench.data.schema import as_record
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Trial, make_optimizer
from jointbench.optimizers.optimizer import Optimizer

LADDER = Ladder(1.0, 9.0)
FULL_BUDGETS = 5.0
ANYWHERE = JOINT.named["zela-2018"]
OUTCOME = Evaluation(
    "joint",
    ANYWHERE,
    1 / 3,
    2**40,
    Status.OK,
    {"validation_error": 0.1, "test_error": 0.2, "parameters": 7},
    trial=0,
    key="x/0",
    curve=Curve((0.1, 0.2), (1.0, 2.0), (2.5, 1.5), (0.3, 0.1)),
    provenance=Provenance(images="digits", run="x"),
)


def test_a_decision_of_an_earlier_version_is_read() -> None:
    """Without extras and the seed of an architecture, and with every cost."""
    record = {**as_record(OUTCOME), "training_seconds": 3.0, "steps": 0}
    del record["extras"], record["architecture_seed"]
    entry = Entry("tell", 0, evaluation=json.loads(json.dumps(record)))
    assert entry.outcome == OUTCOME.measuring(training_seconds=3.0, steps=0)


def optimizer(name: str) -> Optimizer:
    return make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=FULL_BUDGETS)


def decisions(path: Path) -> list[tuple[str, int]]:
    """Kind and number of each, read without locking."""
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(entry["kind"], entry["number"]) for entry in entries]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "x.journal"
    journal = Journal(path)
    journal.ask(Started(0, Trial(ANYWHERE, 1 / 3, architecture_seed=5), seed=2**40))
    journal.tell(0, OUTCOME)
    journal.close()
    journal = Journal(path)
    ask, tell = journal.entries
    assert (ask.kind, ask.number, ask.seed, ask.budget) == ("ask", 0, 2**40, 1 / 3)
    assert journal.confirm(ask, Trial(ANYWHERE, 1 / 3, architecture_seed=5))
    with pytest.raises(ReplayError):
        journal.confirm(ask, Trial(ANYWHERE, 1 / 3, architecture_seed=6))
    assert ask.configuration == ANYWHERE
    assert (tell.kind, tell.number) == ("tell", 0)
    assert tell.outcome == OUTCOME
    journal.close()


def test_a_line_torn_anywhere_never_took_effect(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "x.journal"
    journal = Journal(path)
    journal.tell(1, OUTCOME)
    whole = path.stat().st_size
    journal.tell(2, OUTCOME)
    journal.close()
    content = path.read_bytes()
    for torn in range(whole, len(content)):
        path.write_bytes(content[:torn])
        journal = Journal(path)
        assert [entry.number for entry in journal.entries] == [1]
        journal.tell(3, OUTCOME)
        journal.close()
        assert decisions(path) == [("tell", 1), ("tell", 3)]


def test_a_second_process_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "x.journal"
    code = """
import sys
from pathlib import Path
from jointbench.bench.running.cluster import Started
from jointbench.bench.running.journal import Journal
from jointbench.optimizers import Trial
journal = Journal(Path(sys.argv[1]))
journal.ask(Started(5, Trial({}, 1.0), 0))
print("held", flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(LogError, match="no other process"):
        Journal(path)
    holder.kill()
    holder.communicate()
    journal = Journal(path)
    assert [entry.number for entry in journal.entries] == [5]
    journal.close()


def test_every_decision_is_on_disk_before_it_takes_effect(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "x.journal"

    class Watching(SimulatedCluster):
        def start(self, started: Started) -> None:
            assert decisions(path)[-1] == ("ask", started.number)
            super().start(started)

        def wait(self) -> Finished:
            finished = super().wait()
            self.last = finished.started.number
            return finished

    cluster = Watching(Analytic(LADDER), 3)
    searching = optimizer("hyperband")
    hear = searching.tell

    def tell(trial: Trial, evaluation: Evaluation) -> None:
        assert decisions(path)[-1] == ("tell", cluster.last)
        hear(trial, evaluation)

    searching.tell = tell  # type: ignore[method-assign]
    journal = Journal(path)
    finished = list(run(searching, cluster, LADDER, full_budgets=FULL_BUDGETS, seed=0, journal=journal))
    journal.close()
    assert len(decisions(path)) == 2 * len(finished) > 0


@pytest.mark.parametrize("name", ["random", "hyperband", "bohb", "two-stage"])
def test_a_run_killed_after_every_single_evaluation_proposes_what_the_uninterrupted_one_does(
    tmp_path: Path, name: str
) -> None:
    settings = {"full_budgets": FULL_BUDGETS, "seed": 0}
    whole = {
        one.started.number: one.evaluation
        for one in run(optimizer(name), SimulatedCluster(Analytic(LADDER, failing=5), 1), LADDER, **settings)
    }
    evaluated: dict[int, Evaluation] = {}
    for _ in range(len(whole)):
        journal = Journal(tmp_path / "runs" / "x.journal")
        cluster = SimulatedCluster(Analytic(LADDER, failing=5), 1)
        life = run(optimizer(name), cluster, LADDER, journal=journal, evaluated=evaluated, **settings)
        finished = next(life)
        evaluated = {**evaluated, finished.started.number: finished.evaluation}
        life.close()
        journal.close()
    assert evaluated == whole


def test_an_evaluation_that_the_journal_told_and_the_log_lacks_is_named(tmp_path: Path) -> None:
    def begin(journal: Journal) -> Finished:
        cluster = SimulatedCluster(Analytic(LADDER), 1)
        return next(run(optimizer("random"), cluster, LADDER, full_budgets=FULL_BUDGETS, seed=0, journal=journal))

    journal = Journal(tmp_path / "runs" / "x.journal")
    begin(journal)
    journal.close()
    journal = Journal(tmp_path / "runs" / "x.journal")
    with pytest.raises(LogError, match="trial 0 of x"):
        begin(journal)
    journal.close()


def test_a_line_that_is_no_decision_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    path.write_text("hello\n", encoding="utf-8")
    with pytest.raises(LogError, match="byte 0"):
        Journal(path)
