"""Collecting for real: trainings in worker processes, killed and continued, repeated, retrained."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from jointbench.bench.collecting.collection import repeats
from jointbench.cli import main
from jointbench.data.errors import LogError
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.stored import released

COLLECT = "collect {log} --images digits --ladder 0.1,0.3 --optimizer hyperband --device cpu --workers 2 --memory 0.05"


def collect(log: Path, full_budgets: float) -> list[str]:
    return [sys.executable, "-m", "jointbench", *COLLECT.format(log=log).split(), "--full-budgets", str(full_budgets)]


def journal(log: Path) -> list[dict[str, object]]:
    return [
        json.loads(line) for line in (log / "runs" / "hyperband-0.journal").read_text(encoding="utf-8").splitlines()
    ]


def test_a_killed_collection_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL for the driver and its workers, half-way; the same command then comes to the end."""
    log = tmp_path / "log"
    process = subprocess.Popen(collect(log, 4), start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while len(list(log.glob("*.parquet"))) < 4:
        assert process.poll() is None, "the collection ended too soon"
        assert time.monotonic() < deadline, "no evaluation within ten minutes"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    survived = {e.key: e for e in EvaluationLog.open(log).evaluations()}
    assert len(survived) >= 3
    asked = [entry for entry in journal(log) if entry["kind"] == "ask"]

    subprocess.run(collect(log, 4), check=True, capture_output=True, timeout=300)
    finished = {e.key: e for e in EvaluationLog.open(log).evaluations()}
    # Everything that was there is still there, as it was, and every trial is there once.
    assert all(finished[key] == evaluation for key, evaluation in survived.items())
    trials = Counter(e.trial for e in finished.values())
    assert trials == Counter(range(len(trials)))
    assert sum(e.budget for e in finished.values()) <= 4 * 0.3 + 1e-9
    # What the first life had asked for is what was evaluated.
    for entry in asked:
        evaluation = next(e for e in finished.values() if e.trial == entry["number"])
        assert dict(evaluation.configuration) == entry["configuration"]
    assert all(e.provenance.optimizer == "hyperband" for e in finished.values())

    # A third time there is nothing left to do.
    subprocess.run(collect(log, 4), check=True, capture_output=True, timeout=300)
    assert {e.key: e for e in EvaluationLog.open(log).evaluations()} == finished


class TestRepeats:
    @pytest.fixture
    def log(self, tmp_path: Path) -> EvaluationLog:
        shipped = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
        log = EvaluationLog.open_or_create(tmp_path / "log", shipped.space, shipped.ladder, shipped.images)
        log.append([e for e in shipped.evaluations() if e.provenance.optimizer != "repeats"])
        return log

    def test_bring_each_configuration_to_its_seeds_at_the_two_largest_budgets(self, log: EvaluationLog) -> None:
        optimizer = repeats(log, 10, 3, seed=0, full_budgets=99)
        done = Counter((tuple(log.space.row(e.configuration)), e.budget) for e in log.evaluations())
        chosen = set()
        seeds = []
        while (trial := optimizer.ask()) is not None:
            row = tuple(log.space.row(trial.configuration))
            chosen.add(row)
            done[row, trial.budget] += 1
            seeds.append(trial.seed)
        assert len(chosen) == 10
        assert len(set(seeds)) == len(seeds)
        assert all(done[row, budget] >= 3 for row in chosen for budget in (9.0, 27.0))

    def test_are_chosen_once(self, log: EvaluationLog) -> None:
        first = repeats(log, 5, 3, seed=0, full_budgets=99)
        again = repeats(log, 7, 2, seed=0, full_budgets=99)
        while (trial := first.ask()) is not None:
            other = again.ask()
            assert other is not None
            assert (trial.configuration, trial.seed) == (other.configuration, other.seed)
        assert again.ask() is None

    def test_too_few_configurations_are_refused(self, log: EvaluationLog) -> None:
        with pytest.raises(LogError, match="configurations at the largest budget"):
            repeats(log, 10_000, 3, seed=0, full_budgets=99)


def test_the_whole_path_on_real_trainings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Collect, fit, compare, retrain: each stage on what the one before it made.

    So little memory that large networks, which take seconds a step, end before their first.
    """
    log, benchmark, comparison = (tmp_path / name for name in ("log", "benchmark", "comparison"))
    common = "--images digits --device cpu --memory 0.15 --workers 2"
    small = "--space joint-small --ladder 0.05,0.15"
    main(f"collect {log} {common} {small} --optimizer random --full-budgets 24".split())
    main(f"fit {log} --quick --out {benchmark}".split())
    # Trainings as short as these make no surrogate that `compare` takes by itself.
    compared = (
        f"compare {benchmark} --optimizers random --seeds 2 --full-budgets 6 --jobs 1 --out {comparison} --anyway"
    )
    main(compared.split())
    main(f"retrain {comparison} {common} --seeds 2 --references none".split())
    assert "Real retrainings" in (comparison / "report.html").read_text(encoding="utf-8")
    assert "4 trainings of 0.15 seconds to run\n" in capsys.readouterr().out


def test_retraining_on_other_images_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = tmp_path / "comparison"
    main(f"compare digits-cpu --optimizers random --seeds 1 --full-budgets 2 --jobs 1 --out {comparison}".split())
    before = sorted(path.name for path in comparison.rglob("*"))
    with pytest.raises(SystemExit):
        main(f"retrain {comparison} --images cifar10 --device cpu --data {tmp_path}".split())
    assert "digits" in capsys.readouterr().err
    assert sorted(path.name for path in comparison.rglob("*")) == before
