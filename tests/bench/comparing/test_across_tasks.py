"""Comparisons over several tasks: one number an optimizer, on one scale."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import jointbench
from jointbench.bench.calls.comparing import SEEDS
from jointbench.bench.calls.comparing_tasks import TasksComparison, task_names
from jointbench.bench.comparing.across_tasks import SHARES, AcrossTasks, interval_over, read_tasks
from jointbench.bench.pages.tasks_page import body_of, lead
from jointbench.bench.running.hartmann import OPTIMA
from jointbench.cli import main
from jointbench.data.errors import InputError, LogError, UnknownNameError

TASKS = ["mfh3-good", "mfh3-terrible", "mfh6-good"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TasksComparison:
    out = tmp_path_factory.mktemp("tasks") / "c"
    how = {"seeds": 2, "full_budgets": 8, "jobs": 1, "quiet": True}
    return jointbench.compare_tasks("mfh3-good,mfh3-terr*,mfh6-good", ["random", "hyperband"], out=out, **how)


class TestNames:
    def test_patterns_mean_all_that_fit_each_once(self) -> None:
        assert task_names("mfh3-good,mfh3-*") == ["mfh3-good", "mfh3-moderate", "mfh3-bad", "mfh3-terrible"]
        assert len(task_names("fcnet-*,hpobench-*,nb201-*")) == 15
        assert "digits-cpu" in task_names(["digits-*"])

    def test_what_fits_nothing_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="a pattern of them, or a benchmark's folder"):
            task_names("fcnett-*")


class TestIntervals:
    @given(arrays(np.float64, (3, 4), elements=st.floats(0, 1)))
    def test_they_lie_within_the_values(self, finals: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> None:
        low, high = interval_over(list(finals), resamples=200)
        # A mean may differ from equal values by its rounding.
        assert finals.min() - 1e-12 <= low <= high <= finals.max() + 1e-12

    def test_tasks_that_differ_make_them_wide(self) -> None:
        seeds = np.linspace(-0.01, 0.01, 10)
        alike, apart = [seeds + 0.5] * 8, [seeds + task / 8 for task in range(8)]
        narrow, wide = interval_over(alike), interval_over(apart)
        assert wide[1] - wide[0] > 10 * (narrow[1] - narrow[0])
        # A normal law would give 3.92 standard errors of eight equal steps, 0.81 of a step each; a tenth for chance.
        assert wide[1] - wide[0] == pytest.approx(3.92 * np.std(np.arange(8) / 8) / np.sqrt(8), rel=0.1)


class TestComparison:
    def test_regret_is_to_the_true_optimum_on_one_scale(self, made: TasksComparison) -> None:
        assert [task.name for task in made.across.tasks] == TASKS
        for task, size in zip(made.across.tasks, (3, 3, 6), strict=True):
            assert task.known
            assert task.best == OPTIMA[size]
            assert task.best < task.usual < 0
            regrets = task.regrets(SHARES)
            assert all(values.shape == (2, len(SHARES)) for values in regrets.values())
            assert all(((values >= 0) & (values <= 1)).all() for values in regrets.values())
            [run, *_] = task.runs["random"]
            # By hand.
            last = (run.losses[-1] - task.best) / (task.usual - task.best)
            assert regrets["random"][0, -1] == pytest.approx(min(last, 1.0))

    def test_the_number_is_the_mean_over_tasks_of_the_mean_over_seeds(self, made: TasksComparison) -> None:
        frame = made.to_pandas()
        assert len(frame) == 3 * 2 * 2
        means = frame.groupby(["optimizer", "task"])["regret"].mean().groupby("optimizer").mean()
        for one in made.across.standings:
            assert one.regret == pytest.approx(means[one.optimizer])
            assert one.interval[0] <= one.regret <= one.interval[1]
        assert sum(one.won for one in made.across.standings) == 3
        assert sum(one.rank for one in made.across.standings) == pytest.approx(3)

    def test_the_page_has_all_of_it(self, made: TasksComparison) -> None:
        page = made.report().read_text(encoding="utf-8")
        for said in ("Which optimizer wins, over tasks?", "Normalised regret", "Who differs from whom", *TASKS):
            assert said in page
        assert (made.folder / "mfh3-good" / "report.html").exists()
        assert jointbench.report(made.folder).path == made.folder / "report.html"
        assert len(made.table("tasks").rows) == 3

    def test_a_name_is_no_html(self, made: TasksComparison) -> None:
        across = AcrossTasks.read(made.folder)
        renamed = [
            replace(task, runs={f"<b>{name}</b>": runs for name, runs in task.runs.items()}) for task in across.tasks
        ]
        said = lead(AcrossTasks(renamed, (), "renamed"))
        assert "<b>" in said
        assert said.startswith("2 optimizers on 3 tasks. <b>")
        body = "\n".join(body_of(AcrossTasks(renamed, (), "renamed")))
        assert "<b>random" not in body
        assert "&lt;b&gt;random" in body

    def test_the_command_goes_on_with_what_is_there(
        self, made: TasksComparison, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = "compare --tasks mfh3-good,mfh6-bad --optimizers random,hyperband --seeds 2 --full-budgets 8 --jobs 1"
        before = [path.stat().st_mtime_ns for path in (made.folder / "mfh3-good" / "runs").iterdir()]
        main([*words.split(), "--out", str(made.folder)])
        assert [path.stat().st_mtime_ns for path in (made.folder / "mfh3-good" / "runs").iterdir()] == before
        assert list(read_tasks(made.folder).scales) == [*TASKS, "mfh6-bad"]
        assert "on 4 tasks" in capsys.readouterr().out

    def test_an_optimizer_that_a_task_has_nothing_for_is_left_out(self, tmp_path: Path) -> None:
        how = {"seeds": 1, "full_budgets": 2, "jobs": 1, "quiet": True}
        found = jointbench.compare_tasks(["mfh3-good"], ["random", "two-stage"], out=tmp_path / "c", **how)
        assert found.across.optimizers == ["random"]
        assert found.notes == ["without two-stage: no hyperparameter of hartmann3 is one of an architecture"]
        with pytest.raises(InputError, match="share: 7"):
            jointbench.compare_tasks(["digits-cpu"], ["random", "two-stage:share=7"], out=tmp_path / "d", **how)
        assert not (tmp_path / "d").exists()

    def test_what_is_left_out_is_said_in_the_words_of_a_comparison_on_one_task(self, tmp_path: Path) -> None:
        how = {"seeds": 1, "full_budgets": 1, "jobs": 1, "quiet": True}
        over = jointbench.compare_tasks(["hnag-digits"], out=tmp_path / "over", **how)
        alone = jointbench.compare("hnag-digits", out=tmp_path / "alone", **how)
        assert over.notes == alone.notes == ["without two-stage: no hyperparameter of hnag-small is one of a training"]
        assert set(over.across.optimizers) == {row.optimizer for row in alone.summary}

    def test_what_is_left_out_changes_no_number_of_runs(self, tmp_path: Path) -> None:
        how = {"full_budgets": 1, "jobs": 1, "quiet": True}
        over = jointbench.compare_tasks(["mfh3-good"], out=tmp_path, **how)
        runs = Counter(path.stem.rpartition("-")[0] for path in (tmp_path / "mfh3-good" / "runs").iterdir())
        assert runs == dict.fromkeys(over.across.optimizers, SEEDS)
        assert "two-stage" not in runs

    def test_options_of_real_trainings_are_refused(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        for words, said in (("digits-cpu --tasks mfh3-good", "benchmark"), ("--tasks mfh3-good --time 3", "time")):
            with pytest.raises(SystemExit) as stopped:
                main(["compare", *words.split(), "--out", str(tmp_path / "c")])
            assert stopped.value.code == 2
            assert f"jointbench: {said}" in capsys.readouterr().err
        assert not (tmp_path / "c").exists()

    def test_a_folder_without_one_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LogError, match=r"tasks\.json"):
            read_tasks(tmp_path)

    def test_no_optimizer_is_no_comparison(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="one that works on every task"):
            jointbench.compare_tasks("mfh3-good", ["two-stage"], out=tmp_path / "c", quiet=True)
