"""Comparisons on the shipped benchmark: what is computed, kept, summed up and drawn."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jointbench.bench.cluster import Finished, SimulatedCluster, Started
from jointbench.bench.comparison import compare
from jointbench.bench.comparison_folder import RETRAINED, run_file, workers_folder
from jointbench.bench.comparison_run import incumbents
from jointbench.bench.palette import styles
from jointbench.bench.report import write_report, write_side_by_side
from jointbench.bench.run import run
from jointbench.bench.surrogate_objective import SurrogateObjective
from jointbench.bench.trajectories import HEADINGS, Speedup, Trajectory, band, cells, read_trajectories, summary
from jointbench.data.errors import InputError, LogError, UnknownNameError, WouldOverwriteError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.joint import JOINT
from jointbench.data.log import EvaluationLog
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Trial
from jointbench.optimizers.registry import OPTIMIZERS
from jointbench.surrogate.benchmark import load_benchmark, released

NAMES = ("random", "hyperband")


def small(
    out: Path, names: tuple[str, ...] = NAMES, seeds: int = 2, full_budgets: float = 8.0, workers: int = 4, **more: Any
) -> None:
    compare(
        load_benchmark("digits-cpu"),
        names,
        seeds=dict.fromkeys(names, seeds),
        workers=workers,
        full_budgets=full_budgets,
        out=out,
        jobs=1,
        command=f"jointbench compare --seeds {seeds}",
        progress=lambda done, total: None,
        **more,
    )


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


def finished(budget: float, error: float, status: Status = Status.OK) -> Finished:
    configuration = JOINT.named["zela-2018"] | {"momentum": error}
    evaluation = Evaluation("joint", configuration, budget, 0, status, error, error)
    return Finished(Started(0, Trial(configuration, budget), 0), evaluation, 0.0, 1.0)


class TestCompare:
    def test_a_run_in_a_process_is_the_run_in_hand(self, comparison: Path) -> None:
        objective = SurrogateObjective(load_benchmark("digits-cpu"))
        optimizer = make_optimizer("hyperband", JOINT, objective.ladder, seed=1, full_budgets=8.0)
        ours = list(run(optimizer, SimulatedCluster(objective, 4), objective.ladder, full_budgets=8.0, seed=1))
        kept = pq.read_table(run_file(comparison, "hyperband", 1)).to_pylist()
        assert [(f.start, f.end, f.evaluation.validation_error) for f in ours] == [
            (row["start"], row["end"], row["validation_error"]) for row in kept
        ]
        assert [dict(f.evaluation.configuration) for f in ours] == [row["configuration"] for row in kept]

    def test_the_same_command_computes_nothing_anew(self, copied: Path) -> None:
        before = {path: path.stat().st_mtime_ns for path in (copied / "runs").iterdir()}
        small(copied)
        assert {path: path.stat().st_mtime_ns for path in (copied / "runs").iterdir()} == before

    def test_another_optimizer_and_more_seeds_add_only_themselves(self, copied: Path) -> None:
        before = contents(copied)
        small(copied, names=("random", "bohb"), seeds=3, full_budgets=8.0)
        after = contents(copied)
        commands = json.loads((copied / "comparison.json").read_text())["commands"]
        assert commands == ["jointbench compare --seeds 2", "jointbench compare --seeds 3"]
        assert set(after) - set(before) == {"random-2.parquet", *(f"bohb-{seed}.parquet" for seed in range(3))}
        assert all(after[name] == content for name, content in before.items())

    def test_a_missing_run_is_made_again_the_same(self, copied: Path, comparison: Path) -> None:
        run_file(copied, "random", 1).unlink()
        small(copied)
        assert pq.read_table(run_file(copied, "random", 1)).equals(pq.read_table(run_file(comparison, "random", 1)))

    def test_other_settings_are_refused_unless_forced(self, copied: Path) -> None:
        with pytest.raises(WouldOverwriteError, match="full_budgets"):
            small(copied, full_budgets=9.0)
        small(copied, names=("random",), full_budgets=9.0, force=True)
        assert set(contents(copied)) == {"random-0.parquet", "random-1.parquet"}

    def test_thinking_and_deaths_take_simulated_time(self, tmp_path: Path, comparison: Path) -> None:
        small(tmp_path / "out", names=("random",), seeds=1, overhead=100.0, death_rate=20.0)
        plain, slowed = (pq.read_table(run_file(out, "random", 0)) for out in (comparison, tmp_path / "out"))
        starts = sorted(slowed["start"].to_pylist())
        assert starts == [100.0 * k for k in range(1, len(starts) + 1)]
        assert sum(slowed["wall_seconds"].to_pylist()) > sum(plain["wall_seconds"].to_pylist())
        with pytest.raises(WouldOverwriteError, match="overhead, death_rate"):
            small(tmp_path / "out", names=("random",), seeds=1)

    def test_a_folder_with_something_else_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "letter.txt").write_text("dear diary")
        with pytest.raises(WouldOverwriteError):
            small(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]

    def test_an_unknown_optimizer_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNameError, match="hyperband"):
            small(tmp_path / "out", names=("gradient-descent",))
        assert not (tmp_path / "out").exists()

    def test_the_environment_is_left_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        monkeypatch.delenv("PYTHONHASHSEED", raising=False)
        small(tmp_path / "out", names=("random",), seeds=1, full_budgets=1.0)
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert "PYTHONHASHSEED" not in os.environ


class TestIncumbent:
    def test_is_the_best_at_the_largest_budget_so_far(self) -> None:
        story = [
            finished(1.0, 0.5),
            finished(1.0, 0.3),
            finished(1.0, 0.4),
            finished(3.0, 0.6),
            finished(1.0, 0.1),
            finished(3.0, 0.55),
        ]
        errors = [None if c is None else c["momentum"] for c in incumbents(story)]
        assert errors == [0.5, 0.3, 0.3, 0.6, 0.6, 0.55]

    def test_is_never_a_failure(self) -> None:
        story = [finished(27.0, 0.9, Status.DIVERGED), finished(1.0, 0.95)]
        first, second = incumbents(story)
        assert first is None
        assert second is not None


class TestSummary:
    def test_has_a_row_an_optimizer_with_what_the_runs_hold(self, comparison: Path) -> None:
        rows = {row.optimizer: row for row in summary(comparison)}
        assert set(rows) == set(NAMES)
        for name, row in rows.items():
            tables = [pq.read_table(run_file(comparison, name, seed)) for seed in range(2)]
            final = [table["incumbent_validation_error"][-1].as_py() for table in tables]
            assert row.evaluations == sum(table.num_rows for table in tables)
            assert row.validation_error == pytest.approx(np.median(final))
            assert row.regret >= 0
        assert sum(row.rank for row in rows.values()) == pytest.approx(3.0)
        assert rows["random"].speedup == Speedup(1.0, (1.0, 1.0))

    def test_before_its_first_answer_a_run_has_no_error(self) -> None:
        trajectory = Trajectory("x", 0, np.array([2.0, 5.0]), np.array([0.5, 0.2]), np.array([0.5, 0.2]))
        np.testing.assert_array_equal(trajectory.at(np.array([1.0, 2.0, 4.9, 5.0, 9.0])), [np.nan, 0.5, 0.5, 0.2, 0.2])

    def test_the_band_is_the_quartiles_over_runs(self) -> None:
        runs = [
            Trajectory("x", s, np.array([1.0]), np.array([e]), np.array([e])) for s, e in enumerate((0.1, 0.2, 0.4))
        ]
        lower, median, upper = band(runs, np.array([1.0]))
        assert (lower[0], median[0], upper[0]) == pytest.approx((0.15, 0.2, 0.3))

    def test_a_folder_without_a_comparison_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LogError, match="jointbench compare"):
            read_trajectories(tmp_path)


class TestPage:
    def test_prints_the_numbers_of_the_terminal(self, comparison: Path) -> None:
        page = write_report(comparison).read_text()
        for row in summary(comparison):
            for cell in cells(row)[1:]:
                assert f"<td>{cell}</td>" in page
        for heading in HEADINGS:
            assert heading in page
        assert "jointbench compare --seeds 2" in page

    def test_asks_no_network(self, comparison: Path) -> None:
        page = write_report(comparison).read_text()
        # What a browser would fetch by itself; plotly's script has addresses of map tiles that it uses for maps alone.
        assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)

    def test_shows_other_numbers_of_workers_when_there_are_some(self, copied: Path) -> None:
        assert "By number of workers" not in write_report(copied).read_text()
        small(workers_folder(copied, 1), workers=1)
        assert "with 1 and 4 workers" in write_report(copied).read_text()

    def test_of_two_comparisons_shows_how_they_agree(self, comparison: Path, copied: Path) -> None:
        page = write_side_by_side(copied, comparison)
        assert page.parent == copied
        assert all(f"<td>{number}</td>" in page.read_text() for number in ("1.00", "1", "2"))

    def test_of_two_comparisons_needs_common_optimizers(self, comparison: Path, tmp_path: Path) -> None:
        small(tmp_path / "out", names=("random",), seeds=1)
        with pytest.raises(InputError, match="at least two optimizers"):
            write_side_by_side(comparison, tmp_path / "out")

    def test_shows_retrainings_when_there_are_some(self, copied: Path) -> None:
        rows = [
            {
                "optimizer": name,
                "run_seed": seed,
                "seed": 1,
                "status": "ok",
                "predicted_validation_error": 0.1 + seed / 50,
                "predicted_test_error": 0.1,
                "validation_error": 0.12 + seed / 60,
                "test_error": 0.11,
            }
            for name in NAMES
            for seed in range(4)
        ]
        pq.write_table(pa.Table.from_pylist(rows), copied / RETRAINED)
        assert "Spearman" in write_report(copied).read_text()

    def test_of_a_log_counts_how_evaluations_ended(self, tmp_path: Path) -> None:
        shipped = released()["digits-cpu"] / "evaluations.parquet"
        copy = Path(shutil.copy(shipped, tmp_path / "log.parquet"))
        page = write_report(copy).read_text()
        log = EvaluationLog.open(copy)
        assert f"{log.table().num_rows:,} evaluations" in page
        assert "Table 1" in page

    def test_an_optimizer_has_its_line_whoever_else_is_there(self) -> None:
        few, many = styles(["bohb", "smac", "yours"]), styles(["bohb", "mine", "random", "smac", "yours"])
        assert all(many[name] == style for name, style in few.items())
        assert len(set(many.values())) == 5

    def test_optimizers_that_ship_have_lines_of_their_own(self) -> None:
        assert len(set(styles(OPTIMIZERS).values())) == len(OPTIMIZERS)

    def test_is_drawn_by_a_browser_without_complaint(self, comparison: Path, tmp_path: Path) -> None:
        browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if browser is None:
            pytest.skip("no Chromium on this machine")
        page = write_report(comparison)
        done = subprocess.run(
            [
                browser,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--enable-logging=stderr",
                "--virtual-time-budget=8000",
                # Whoever asked a network would get an error, and complain of it.
                "--host-resolver-rules=MAP * ~NOTFOUND",
                f"--user-data-dir={tmp_path}",
                "--dump-dom",
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout.count('class="scatterlayer') == done.stdout.count("<figure>") == 3
        # Every trace is a line that has been drawn: the lines alone, and a band each in the first figure.
        assert done.stdout.count('class="js-line"') >= 3 * len(NAMES)
        assert "CONSOLE" not in done.stderr, done.stderr


def test_settings_say_how_to_do_it_again(comparison: Path) -> None:
    content = json.loads((comparison / "comparison.json").read_text())
    assert content["settings"]["benchmark_checksum"] == load_benchmark("digits-cpu").checksum
    assert {"jointbench", "numpy", "smac"} <= set(content["versions"])
