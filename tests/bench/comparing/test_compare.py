"""Comparisons on the shipped benchmark: what is computed, and that what was computed is kept and never mixed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from comparing import NAMES, small

from jointbench.bench.comparing.comparison_folder import Settings, labels, run_file, workers_folder
from jointbench.bench.comparing.trajectories import read_trajectories
from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.replay import ReplayObjective
from jointbench.bench.running.run import run
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import InputError, LogError, UnknownNameError, WouldOverwriteError
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer
from jointbench.surrogate.stored import MANIFEST, load_benchmark, released

OWN = """
from jointbench import Optimizer, Trial

class Own(Optimizer):
    def ask(self):
        return Trial(self.space.sample(self.rng)[0], self.ladder.{budget})

    def tell(self, trial, evaluation):
        pass
"""


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("comparison") / "small"
    small(folder)
    return folder


@pytest.fixture
def copied(comparison: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(comparison, tmp_path / "copy"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "runs").iterdir()}


class TestComputed:
    def test_a_run_in_a_process_is_the_run_in_hand(self, comparison: Path) -> None:
        objective = SurrogateObjective(load_benchmark("digits-cpu"))
        optimizer = make_optimizer("hyperband", JOINT, objective.ladder, seed=1, full_budgets=8.0)
        ours = list(run(optimizer, SimulatedCluster(objective, 4), objective.ladder, full_budgets=8.0, seed=1))
        kept = pq.read_table(run_file(comparison, "hyperband", 1)).to_pylist()
        assert [(f.start, f.end, f.evaluation.validation_error) for f in ours] == [
            (row["start"], row["end"], row["validation_error"]) for row in kept
        ]
        assert [dict(f.evaluation.configuration) for f in ours] == [row["configuration"] for row in kept]

    def test_overhead_and_deaths_take_simulated_time(self, tmp_path: Path, comparison: Path) -> None:
        small(tmp_path / "out", names=("random",), seeds=1, overhead=100.0, death_rate=20.0)
        plain, slowed = (pq.read_table(run_file(out, "random", 0)) for out in (comparison, tmp_path / "out"))
        starts = sorted(slowed["start"].to_pylist())
        assert starts == [100.0 * k for k in range(1, len(starts) + 1)]
        assert sum(slowed["wall_seconds"].to_pylist()) > sum(plain["wall_seconds"].to_pylist())
        with pytest.raises(WouldOverwriteError, match="overhead, death rate"):
            small(tmp_path / "out", names=("random",), seeds=1)

    def test_the_environment_is_left_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        monkeypatch.delenv("PYTHONHASHSEED", raising=False)
        small(tmp_path / "out", names=("random",), seeds=1, full_budgets=1.0)
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert "PYTHONHASHSEED" not in os.environ

    def test_a_log_answers_with_its_own_trainings_and_judges_by_them(self, tmp_path: Path) -> None:
        replay = ReplayObjective(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))
        small(tmp_path / "out", objective=replay)
        known = list(replay.log.evaluations())
        logged = {(e.budget, e.validation_error, e.wall_seconds, *e.configuration.values()) for e in known}
        judged = {round(replay.expected(e.configuration, 27.0).validation_error, 12) for e in known}
        for row in pq.read_table(run_file(tmp_path / "out", "hyperband", 1)).to_pylist():
            found = row["budget"], row["validation_error"], row["wall_seconds"], *row["configuration"].values()
            assert found in logged
            assert round(row["incumbent_validation_error"], 12) in {*judged, 1.0}
        assert Settings.read(tmp_path / "out").objective == "replay"

    def test_a_run_without_a_single_trial_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"fits into 0\.5 full budgets"):
            small(tmp_path / "out", names=("random",), full_budgets=0.5)


class TestKept:
    def test_the_same_command_computes_nothing_anew(self, copied: Path) -> None:
        before = {path: path.stat().st_mtime_ns for path in (copied / "runs").iterdir()}
        assert small(copied) == []
        assert {path: path.stat().st_mtime_ns for path in (copied / "runs").iterdir()} == before

    def test_another_optimizer_and_more_seeds_add_only_themselves(self, copied: Path) -> None:
        before = contents(copied)
        small(copied, names=("random", "bohb"), seeds=3, full_budgets=8.0)
        after = contents(copied)
        commands = json.loads((copied / "comparison.json").read_text(encoding="utf-8"))["commands"]
        assert commands == ["jointbench compare --seeds 2", "jointbench compare --seeds 3"]
        assert set(after) - set(before) == {"random-2.parquet", *(f"bohb-{seed}.parquet" for seed in range(3))}
        assert all(after[name] == content for name, content in before.items())

    def test_a_missing_run_is_made_again_the_same(self, copied: Path, comparison: Path) -> None:
        run_file(copied, "random", 1).unlink()
        small(copied)
        assert pq.read_table(run_file(copied, "random", 1)).equals(pq.read_table(run_file(comparison, "random", 1)))

    def test_a_comparison_that_was_killed_goes_on_to_the_same_end(self, tmp_path: Path, comparison: Path) -> None:
        out = tmp_path / "out"
        words = [
            "--optimizers",
            ",".join(NAMES),
            "--seeds",
            "2",
            "--full-budgets",
            "8",
            "--workers",
            "4",
            "--jobs",
            "1",
        ]
        command = [sys.executable, "-m", "jointbench", "compare", "digits-cpu", *words, "--out", str(out)]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while not list(out.glob("runs/*.parquet")):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        small(out)
        runs = [(name, seed) for name in NAMES for seed in range(2)]
        for table, expected in [(run_file(out, *one), run_file(comparison, *one)) for one in runs]:
            assert pq.read_table(table).equals(pq.read_table(expected))


class TestNeverMixed:
    def test_other_settings_are_refused_unless_forced(self, copied: Path) -> None:
        small(workers_folder(copied, 1), workers=1)
        with pytest.raises(WouldOverwriteError, match="full budgets"):
            small(copied, full_budgets=9.0)
        small(copied, names=("random",), full_budgets=9.0, force=True)
        assert set(contents(copied)) == {"random-0.parquet", "random-1.parquet"}
        assert not workers_folder(copied, 1).exists()

    @pytest.mark.parametrize(
        ("entry", "value", "differing"),
        [("version", 7, "name"), ("noise", {"floor": 0.1, "slope": 0.3, "counting": 0.2}, "checksum")],
    )
    def test_another_version_of_a_benchmark_or_its_like_is_refused(
        self, copied: Path, tmp_path: Path, entry: str, value: object, differing: str
    ) -> None:
        other = shutil.copytree(released()["digits-cpu"], tmp_path / "other")
        manifest = json.loads((other / MANIFEST).read_text(encoding="utf-8"))
        (other / MANIFEST).write_text(json.dumps({**manifest, entry: value}), encoding="utf-8")
        before = contents(copied)
        with pytest.raises(WouldOverwriteError, match=differing):
            small(copied, objective=SurrogateObjective(load_benchmark(other)))
        assert contents(copied) == before

    @pytest.mark.parametrize(("part", "changed"), [("code", "code"), ("versions", "version of numpy")])
    def test_runs_of_other_code_are_not_added_to(self, copied: Path, part: str, changed: str) -> None:
        settings = copied / "comparison.json"
        content = json.loads(settings.read_text(encoding="utf-8"))
        content["versions"]["numpy" if part == "versions" else "python"] = "1.0"
        content["settings"]["code"] += "0" if part == "code" else ""
        settings.write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(WouldOverwriteError, match=f"the same {changed},"):
            small(copied)

    def test_an_optimizer_whose_file_has_changed_runs_anew(
        self, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        name = "mine.py:Own"
        Path("mine.py").write_text(OWN.format(budget="maximum"), encoding="utf-8")
        assert small(copied, names=(*NAMES, name)) == []
        kept = contents(copied)
        assert small(copied, names=(*NAMES, name)) == []
        Path("mine.py").write_text(OWN.format(budget="minimum"), encoding="utf-8")
        assert small(copied, names=(*NAMES, name), seeds=1) == [name]
        now = contents(copied)
        assert {file for file, content in kept.items() if now.get(file) != content} == {
            f"mine.py%3AOwn-{seed}.parquet" for seed in range(2)
        }
        # Of the seeds that were not asked for again there is nothing left.
        assert len(read_trajectories(copied)[name]) == 1

    def test_files_of_one_name_are_two_optimizers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for folder, budget in (("a", "minimum"), ("b", "maximum")):
            Path(folder).mkdir()
            Path(folder, "mine.py").write_text(OWN.format(budget=budget), encoding="utf-8")
        small(tmp_path / "out", names=("a/mine.py:Own", "b/mine.py:Own"), seeds=1)
        counts = {name: runs[0].evaluations for name, runs in read_trajectories(tmp_path / "out").items()}
        # Where they can be told apart by less, they are.
        assert labels(["a/mine.py:Own", "random"]) == {"a/mine.py:Own": "mine.py:Own", "random": "random"}
        assert counts == {"a/mine.py:Own": 8 * 27, "b/mine.py:Own": 8}

    def test_a_folder_with_something_else_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "letter.txt").write_text("dear diary", encoding="utf-8")
        with pytest.raises(WouldOverwriteError):
            small(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]

    def test_an_unknown_optimizer_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNameError, match="hyperband"):
            small(tmp_path / "out", names=("gradient-descent",))
        assert not (tmp_path / "out").exists()

    def test_a_damaged_run_is_named(self, copied: Path) -> None:
        run_file(copied, "random", 1).write_bytes(b"half")
        with pytest.raises(LogError, match=r"random-1\.parquet"):
            read_trajectories(copied)

    def test_a_folder_without_a_comparison_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LogError, match="jointbench compare"):
            read_trajectories(tmp_path)


def test_settings_say_how_to_do_it_again(comparison: Path) -> None:
    content = json.loads((comparison / "comparison.json").read_text(encoding="utf-8"))
    assert content["settings"]["checksum"] == load_benchmark("digits-cpu").checksum
    assert {"jointbench", "python", "numpy", "smac"} <= set(content["versions"])
