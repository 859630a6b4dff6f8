"""Comparisons on real trainings, and the retrainings of their winners: the same kind of result as on a surrogate."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from analytic import Analytic

from jointbench.bench.comparing.comparison_folder import RETRAININGS, TRAININGS, Settings, run_file, run_files
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.real_comparison import on_the_clock, own_trainings
from jointbench.bench.comparing.retraining import FIRST_SEED
from jointbench.bench.comparing.retraining_results import read_retrained
from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.journal import Journal
from jointbench.bench.running.run import run
from jointbench.cli import main
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer

LADDER = Ladder(1.0, 9.0)

#: An optimizer whose networks take a moment to train.
SMALL = """
from jointbench import Optimizer, Trial

class Small(Optimizer):
    budgets = "minimum", "maximum"

    def ask(self):
        configuration = dict(self.space.named["zela-2018"], filters=8, batch_size=32)
        for block in (1, 2, 3):
            configuration |= {f"res_blocks_{block}": 1, f"res_branches_{block}": 1, f"widen_factor_{block}": 1.0}
        configuration["learning_rate"] = float(self.rng.uniform(0.01, 0.1))
        self.budgets = self.budgets[1:] + self.budgets[:1]
        return Trial(configuration, getattr(self.ladder, self.budgets[0]))

    def tell(self, trial, evaluation):
        pass
"""
COMPARE = (
    "compare digits-cpu --objective train --images digits --ladder 0.02,0.06 --full-budgets 2 --seeds 1 --workers 1"
)


def test_a_comparison_on_trainings_is_one_like_any_other_and_its_winners_are_retrained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Worker processes that import torch, twice: most of the time that this takes.
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SMALL, encoding="utf-8")
    command = [*COMPARE.split(), "--device", "cpu", "--optimizers", "mine.py:Small", "--out", "out"]
    main(command)
    out = tmp_path / "out"
    assert Settings.read(out).objective == "training"
    trainings = {(e.provenance.run, e.trial): e for e in EvaluationLog.open(out / TRAININGS).evaluations()}
    for name, _, path in run_files(out):
        rows = pq.read_table(path).to_pylist()
        assert sum(row["budget"] for row in rows) <= 2 * 0.06 + 1e-9
        made = {trial: e for (run_name, trial), e in trainings.items() if run_name == path.stem}
        assert {row["number"]: row["validation_error"] for row in rows} == {
            k: e.validation_error for k, e in made.items()
        }
        # One worker: each begins where the last ended.
        assert [row["start"] for row in rows] == [0.0, *(row["end"] for row in rows[:-1])], name
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "mine.py:Small" in capsys.readouterr().out
    # The same command makes no training.
    before = run_file(out, "mine.py:Small", 0).stat().st_mtime_ns
    main(command)
    assert run_file(out, "mine.py:Small", 0).stat().st_mtime_ns == before
    assert len(list(EvaluationLog.open(out / TRAININGS).evaluations())) == len(trainings)

    assert "Real retrainings" not in page
    main(["retrain", "out", "--seeds", "2", "--workers", "1", "--device", "cpu", "--references", "none"])
    found = read_retrained(out)
    assert [one.name for one in found] == ["mine.py:Small"]
    assert sorted(e.seed for e in found[0].evaluations) == [FIRST_SEED, FIRST_SEED + 1]
    assert {e.budget for e in found[0].evaluations} == {0.06}
    assert "Real retrainings" in (out / "report.html").read_text(encoding="utf-8")
    assert len(final_incumbents(out)) == 1
    assert (out / RETRAININGS / "joint").is_dir()


def test_the_clock_of_trainings_is_that_of_a_cluster(tmp_path: Path) -> None:
    # What a journal says of a run is put on the clock that the simulated cluster had.
    for workers in (1, 3):
        optimizer = make_optimizer("hyperband", JOINT, LADDER, seed=0, full_budgets=5)
        journal = Journal(tmp_path / f"{workers}.journal")
        cluster = SimulatedCluster(Analytic(LADDER), workers)
        finished = list(run(optimizer, cluster, LADDER, full_budgets=5, seed=0, journal=journal))
        journal.close()
        again = Journal(tmp_path / f"{workers}.journal")
        evaluated = {one.started.number: one.evaluation for one in finished}
        told = list(on_the_clock(again.entries, evaluated))
        again.close()
        assert [(one.started.number, one.start, one.end) for one in told] == [
            (one.started.number, one.start, one.end) for one in finished
        ]


def test_an_incumbent_is_judged_by_the_mean_of_its_trainings_at_the_largest_budget() -> None:
    objective = Analytic(LADDER, failing=3)
    here, other = JOINT.named["zela-2018"], {**JOINT.named["zela-2018"], "learning_rate": 0.003}
    made = [objective(here, budget, seed) for budget, seed in ((1.0, 1), (9.0, 1), (9.0, 2), (9.0, 3))]
    truth = own_trainings([*made, objective(other, 9.0, 1)], JOINT)
    # A failure counts with an error of 1, whatever it carries.
    assert (made[3].ok, made[3].validation_error) == (False, 0.9)
    found = truth(made[0])
    for name in ("validation_error", "test_error"):
        assert found[name] == pytest.approx((sum(one.metrics[name] for one in made[1:3]) + 1) / 3)
