"""The calls of the commands' names: what they give, on the shipped benchmark and its log."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from comparing import HEADINGS

import jointbench
from jointbench.bench.calls.files import checked_formats
from jointbench.bench.calls.latex import latex_table
from jointbench.bench.calls.listing import KINDS
from jointbench.bench.comparing.comparison_folder import labels, run_files
from jointbench.bench.comparing.summary import cells
from jointbench.cli import main
from jointbench.data.errors import (
    BudgetError,
    InputError,
    JointBenchError,
    LogError,
    MissingExtraError,
    UnknownNameError,
    UnwritableError,
    WouldOverwriteError,
)
from jointbench.data.images.registry import IMAGES
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.registry import SPACES
from jointbench.optimizers.contract import CHECKS
from jointbench.optimizers.optimizer import Trial
from jointbench.optimizers.random_search import RandomSearch
from jointbench.optimizers.registry import OPTIMIZERS, make_optimizer, own_name
from jointbench.surrogate.stored import released

BENCHMARK = jointbench.load_benchmark("digits-cpu")
CONFIGURATION = BENCHMARK.sample(1, 0)[0]
LOG = released()["digits-cpu"] / "evaluations.parquet"

OWN = """
from jointbench import Optimizer, Trial

class Own(Optimizer):
    name = "mine"

    def ask(self):
        return Trial(self.space.sample(self.rng)[0], self.ladder.maximum)

    def tell(self, trial, evaluation):
        pass

class Wrong(Own):
    def ask(self):
        return Trial(self.space.sample(self.rng)[0], 5.0)

class Clumsy(Own):
    asked = 0

    def ask(self):
        self.asked += 1
        return super().ask() if self.asked < 10 else 1 / 0
"""


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> jointbench.Comparison:
    folder = tmp_path_factory.mktemp("results")
    (folder / "mine.py").write_text(OWN, encoding="utf-8")
    names = ["random", "hyperband", f"{folder}/mine.py:Own"]
    return jointbench.compare(
        BENCHMARK, names, seeds=2, workers=4, full_budgets=4, out=folder / "out", jobs=1, quiet=True
    )


class TestCurve:
    def test_it_is_the_answers_at_the_rungs(self) -> None:
        curve = BENCHMARK.curve(CONFIGURATION, 3)
        assert curve.budgets == BENCHMARK.ladder.rungs
        assert list(curve) == [BENCHMARK.query(CONFIGURATION, rung, 3) for rung in BENCHMARK.ladder.rungs]

    def test_it_ends_at_the_budget(self) -> None:
        assert BENCHMARK.curve(CONFIGURATION, budget=9).budgets == (1, 3, 9)
        assert BENCHMARK.curve(CONFIGURATION, budget=5.0).budgets == (1, 3, 5)
        assert BENCHMARK.curve(CONFIGURATION, budget=1).budgets == (1,)
        assert list(BENCHMARK.curve(CONFIGURATION, budget=5.0))[-1] == BENCHMARK.query(CONFIGURATION, 5.0)

    def test_points_are_even_in_the_logarithm(self) -> None:
        curve = BENCHMARK.curve(CONFIGURATION, points=7)
        assert np.allclose(np.diff(np.log(curve.budgets)), np.log(27) / 6)
        assert (len(curve), curve.budgets[-1]) == (7, 27.0)

    def test_a_frame_has_a_row_a_budget(self) -> None:
        frame = BENCHMARK.curve(CONFIGURATION).to_pandas()
        assert frame["budget"].tolist() == list(BENCHMARK.ladder.rungs)
        assert set(frame["status"]) <= {"ok", "out_of_memory", "crashed", "diverged", "timeout", "too_slow"}

    @pytest.mark.parametrize(("words", "error"), [({"budget": 0.5}, BudgetError), ({"points": 1}, InputError)])
    def test_what_is_outside_is_refused(self, words: dict[str, float], error: type[JointBenchError]) -> None:
        with pytest.raises(error):
            BENCHMARK.curve(CONFIGURATION, **words)  # type: ignore[arg-type]


class TestRun:
    def test_a_run_is_that_of_a_comparison_with_its_seed(self, comparison: jointbench.Comparison) -> None:
        frame = jointbench.run("hyperband", BENCHMARK, seed=1, workers=4, full_budgets=4)
        whole = comparison.to_pandas()
        same = whole[(whole["optimizer"] == "hyperband") & (whole["run_seed"] == 1)].reset_index(drop=True)
        assert frame.equals(same)

    def test_a_row_is_an_evaluation_with_its_configuration(self) -> None:
        frame = jointbench.run("random", "digits-cpu", full_budgets=5)
        assert len(frame) == 5
        assert frame["budget"].sum() == 5 * 27
        assert frame["end"].is_monotonic_increasing
        configuration = frame.loc[0, list(BENCHMARK.space.names)]
        seen = BENCHMARK.query(configuration, 27.0, int(frame.loc[0, "seed"]))
        assert seen.validation_error == frame.loc[0, "validation_error"]

    def test_a_class_and_an_object_are_as_good_as_a_name(self) -> None:
        kind = type(make_optimizer("random", BENCHMARK.space, BENCHMARK.ladder, seed=0, full_budgets=4))
        made = kind(BENCHMARK.space, BENCHMARK.ladder, seed=0, full_budgets=4)
        frames = [jointbench.run(one, BENCHMARK, full_budgets=4) for one in ("random", kind, made)]
        for frame in frames[1:]:
            assert frame["end"].tolist() == frames[0]["end"].tolist()

    def test_a_log_is_replayed(self) -> None:
        frame = jointbench.run("random", jointbench.EvaluationLog.open(LOG), full_budgets=3)
        assert len(frame) == 3

    @pytest.mark.parametrize(
        ("words", "said"),
        [({"workers": 0}, "workers"), ({"full_budgets": -1}, "full budgets"), ({"seed": -1}, "seed")],
    )
    def test_what_cannot_be_run_is_refused(self, words: dict[str, int], said: str) -> None:
        with pytest.raises(InputError, match=said):
            jointbench.run("random", BENCHMARK, **words)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="optimizer"):
            jointbench.run(5, BENCHMARK)  # type: ignore[arg-type]


class TestComparison:
    def test_its_table_is_that_of_the_command(self, comparison: jointbench.Comparison) -> None:
        table = comparison.table()
        assert list(table.headings) == list(HEADINGS)
        assert [tuple(row) for row in table.rows] == [cells(row) for row in comparison.summary]
        assert table.to_pandas()["validation_error"].tolist() == [row.value for row in comparison.summary]
        assert all(cell in str(table) for row in table.rows for cell in row)

    def test_a_class_goes_by_the_name_that_it_gives_itself(self, comparison: jointbench.Comparison) -> None:
        assert {row.optimizer for row in comparison.summary} == {"random", "hyperband", "mine"}
        assert "mine" in repr(comparison)
        assert "mine" in comparison.report().read_text(encoding="utf-8")

    def test_its_rows_are_all_evaluations(self, comparison: jointbench.Comparison) -> None:
        counts = comparison.to_pandas().groupby("optimizer").size()
        assert counts.to_dict() == {row.optimizer: row.evaluations for row in comparison.summary}

    def test_every_plot_has_a_line_an_optimizer(self, comparison: jointbench.Comparison) -> None:
        for name in comparison.drawings():
            named = {trace.name for trace in comparison.plot(name).data if trace.name}
            assert named == {"random", "hyperband", "mine"}, name
        with pytest.raises(UnknownNameError, match="regret"):
            comparison.plot("nothing")

    def test_its_latex_is_a_table_of_booktabs(self, comparison: jointbench.Comparison) -> None:
        lines = comparison.to_latex().splitlines()
        assert (lines[0], lines[-1]) == (r"\begin{tabular}{lrrrrrrrr}", r"\end{tabular}")
        assert len([line for line in lines if line.endswith(r"\\")]) == 4
        assert r"\%" in comparison.to_latex()
        assert "%" not in comparison.to_latex().replace(r"\%", "")

    def test_a_folder_without_a_comparison_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LogError, match="jointbench compare"):
            jointbench.Comparison(tmp_path)

    def test_another_comparison_is_not_overwritten(self, comparison: jointbench.Comparison) -> None:
        with pytest.raises(WouldOverwriteError, match="full budgets"):
            jointbench.compare(BENCHMARK, ["random"], full_budgets=5, workers=4, out=comparison.folder, quiet=True)

    def test_a_class_that_no_other_process_finds_is_refused(self, tmp_path: Path) -> None:
        class Inside(jointbench.Optimizer):
            def ask(self) -> None: ...
            def tell(self, trial: object, evaluation: object) -> None: ...

        with pytest.raises(InputError, match=r"FILE\.py:CLASS"):
            jointbench.compare(BENCHMARK, [Inside], out=tmp_path / "out")
        with pytest.raises(InputError, match="list"):
            jointbench.compare(BENCHMARK, "random", out=tmp_path / "out")

    def test_a_script_needs_no_guard(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_text(
            "import jointbench\nprint('once')\n"
            "print(repr(jointbench.compare('digits-cpu', ['random'], seeds=1, full_budgets=2, jobs=1, out='out')))\n",
            encoding="utf-8",
        )
        done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "once\n<comparison out: random; 1 run on digits-cpu-v2>\n"


class TestNames:
    def test_a_name_is_the_classs_own_with_its_options(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text(OWN + NAMES, encoding="utf-8")
        called = {}
        for kind in ("Own", "Nameless", "Deep:depth=3", "Impostor"):
            name = f"{tmp_path}/mine.py:{kind}"
            made = make_optimizer(name, BENCHMARK.space, BENCHMARK.ladder, seed=0, full_budgets=4)
            called[kind] = own_name(name, made)
        # Whoever calls itself as something that ships goes by its file.
        assert called == {"Own": "mine", "Nameless": "", "Deep:depth=3": "deep:depth=3", "Impostor": ""}

    def test_what_ships_has_its_label(self) -> None:
        made = make_optimizer("random", BENCHMARK.space, BENCHMARK.ladder, seed=0, full_budgets=4)
        assert own_name("random", made) == ""

    def test_two_of_one_name_go_by_their_files(self) -> None:
        own = {"a.py:A": "mine", "b.py:B": "mine", "c.py:C": "other"}
        assert labels(own, own) == {"a.py:A": "a.py:A", "b.py:B": "b.py:B", "c.py:C": "other"}


@pytest.mark.parametrize("file", ["./mine.py", "../here/mine.py"])
def test_an_optimizer_whose_file_is_named_from_here_is_compared_as_any_other(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "mine.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(here)
    made = jointbench.compare(
        "digits-cpu", ["random", f"{file}:Own"], seeds=2, full_budgets=2, out="out", jobs=1, quiet=True
    )
    assert {row.optimizer for row in made.summary} == {"random", "mine"}
    # What operating systems leave in folders for themselves is hidden like this.
    assert not [path for path in Path("out").rglob("*") if path.name.startswith(".")]
    assert {run_optimizer for run_optimizer, _, _ in run_files(Path("out"))} == {"random", f"{file}:Own"}


NAMES = """
class Nameless(Optimizer):
    def ask(self): ...
    def tell(self, trial, evaluation): ...

class Deep(Own):
    name = "deep"

    def __init__(self, *args, depth: int = 1, **settings):
        super().__init__(*args, **settings)

class Impostor(Own):
    name = "bohb"
"""

ENDING = """
import os

class Ends(Own):
    alone = 0

    def ask(self):
        self.alone += 1
        # No other promise has so many trials at once.
        if self.alone == 150:
            self.end()
        return super().ask()

    def tell(self, trial, evaluation):
        self.alone = 0

    def end(self):
        os._exit(0)

class Dies(Ends):
    def end(self):
        os.kill(os.getpid(), 9)

class Interrupts(Own):
    def ask(self):
        raise KeyboardInterrupt
"""


class TestCheck:
    def test_what_ships_keeps_the_contract(self) -> None:
        assert all(one.holds for one in jointbench.check("random", trials=20))

    def test_what_fails_is_said_in_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text(OWN, encoding="utf-8")
        wrong = {one.name: one.failed for one in jointbench.check(f"{tmp_path}/mine.py:Wrong", trials=20)}
        assert wrong["legal"] == "budget 5.0 is no rung of 1, 3, 9, 27"
        assert wrong["deterministic"] == ""
        clumsy = {one.failed for one in jointbench.check(f"{tmp_path}/mine.py:Clumsy", trials=20)}
        assert any("ZeroDivisionError" in failed and "mine.py:" in failed for failed in clumsy)

    @pytest.mark.parametrize(("kind", "how"), [("Ends", "ended with exit code 0"), ("Dies", "was killed by SIGKILL")])
    def test_one_that_ends_its_process_fails_and_the_other_promises_are_tried(
        self, kind: str, how: str, tmp_path: Path
    ) -> None:
        (tmp_path / "mine.py").write_text(OWN + ENDING, encoding="utf-8")
        found = {one.name: one.failed for one in jointbench.check(f"{tmp_path}/mine.py:{kind}", trials=20)}
        assert {name: failed for name, failed in found.items() if failed} == {"many outstanding": f"its process {how}"}
        assert len(found) == len(CHECKS)

    def test_an_interrupt_of_its_own_fails(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text(OWN + ENDING, encoding="utf-8")
        failed = {one.failed for one in jointbench.check(f"{tmp_path}/mine.py:Interrupts", trials=20)}
        assert all(one.startswith("KeyboardInterrupt (mine.py:") for one in failed)

    def test_a_person_s_interrupt_stops_it(self) -> None:
        class Stopped(RandomSearch):
            def ask(self) -> Trial | None:
                os.kill(os.getppid(), signal.SIGINT)
                time.sleep(60)
                return super().ask()

        with pytest.raises(KeyboardInterrupt):
            jointbench.check(Stopped, trials=20)

    def test_a_class_that_ends_its_process_leaves_the_caller_s_alone(self) -> None:
        class Ends(RandomSearch):
            def ask(self) -> Trial | None:
                # No other promise is tried with this seed.
                return os._exit(0) if self.seed == 4 else super().ask()

        found = {one.name: one.failed for one in jointbench.check(Ends, trials=20)}
        assert {name: failed for name, failed in found.items() if failed} == {
            "replay": "its process ended with exit code 0"
        }

    def test_a_promise_that_takes_too_long_is_given_up(self) -> None:
        # No process starts so soon.
        found = jointbench.check(RandomSearch, trials=20, timeout=0.001)
        assert [one.failed for one in found] == ["given up after 0.001 seconds (timeout)"] * len(CHECKS)
        with pytest.raises(InputError, match="timeout: 0 given"):
            jointbench.check(RandomSearch, timeout=0)

    def test_a_class_that_cannot_travel_is_refused(self) -> None:
        held = threading.Lock()

        class Held(RandomSearch):
            def ask(self) -> Trial | None:
                with held:
                    return super().ask()

        with pytest.raises(InputError, match="'Held' given, expected a class that can go to another process"):
            jointbench.check(Held, trials=5)

    def test_a_space_that_is_given_itself_goes_along(self) -> None:
        space = PlainSpace("mine", (Number("x", 0.0, 1.0),))
        assert all(one.holds for one in jointbench.check(RandomSearch, space=space, trials=20))

    def test_what_is_no_optimizer_is_refused_once(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNameError):
            jointbench.check("magic")
        with pytest.raises(InputError, match="exists"):
            jointbench.check(f"{tmp_path}/nothing.py:Own")


class TestList:
    def test_all_names_are_listed_with_words(self) -> None:
        assert set(jointbench.list("optimizers")) >= set(OPTIMIZERS)
        assert set(jointbench.list("benchmarks")) == set(released())
        assert set(jointbench.list("spaces")) == set(SPACES)
        assert set(jointbench.list("images")) == set(IMAGES)
        assert all(words for kind in KINDS for words in jointbench.list(kind).values())

    def test_without_a_kind_there_are_all_kinds_as_the_command_prints_them(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["list", "--json"])
        assert jointbench.list() == json.loads(capsys.readouterr().out)
        assert set(jointbench.list()) == set(KINDS)

    def test_another_kind_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="benchmarks"):
            jointbench.list("clouds")

    def test_a_star_leaves_pythons_list(self) -> None:
        assert "list" not in jointbench.__all__
        assert "list" in dir(jointbench)
        assert all(getattr(jointbench, name) is not None for name in dir(jointbench))


class TestExport:
    def test_tables_and_evaluations_become_files(self, comparison: jointbench.Comparison, tmp_path: Path) -> None:
        import pandas as pd

        files = jointbench.export(comparison.folder, tmp_path / "out")
        assert sorted(path.name for path in files) == ["evaluations.csv", "summary.csv", "summary.tex"]
        assert sorted(tmp_path.joinpath("out").iterdir()) == sorted(files)
        assert len(pd.read_csv(tmp_path / "out" / "evaluations.csv")) == len(comparison.to_pandas())
        assert (tmp_path / "out" / "summary.tex").read_text(encoding="utf-8") == comparison.to_latex()

    @pytest.mark.parametrize("source", [str(LOG), "digits-cpu", str(LOG.parent), "digits-cpu-v2"])
    def test_logs_and_benchmarks_too(self, source: str, tmp_path: Path) -> None:
        files = {path.name for path in jointbench.export(source, tmp_path, formats=["latex"])}
        assert "endings.tex" in files
        assert ("quality.tex" in files) == (source != str(LOG))

    def test_without_what_draws_one_sentence_says_so_and_nothing_is_written(
        self, comparison: jointbench.Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("jointbench.bench.calls.figure_files.util.find_spec", lambda name: None)
        with pytest.raises(MissingExtraError, match=r"jointbench\[export\]"):
            comparison.export(tmp_path / "out", ["csv", "svg"])
        with pytest.raises(MissingExtraError, match=r"jointbench\[export\]"):
            jointbench.analyse(LOG, out=tmp_path / "out", formats=["svg"])
        assert list(tmp_path.iterdir()) == []

    def test_trainings_that_cannot_be_read_are_an_error_and_nothing_is_written(self, tmp_path: Path) -> None:
        damaged = shutil.copytree(released()["digits-cpu"], tmp_path / "damaged")
        os.truncate(damaged / "evaluations.parquet", 1_000)
        for call in (jointbench.export, lambda source, out: jointbench.analyse(source, out=out)):
            with pytest.raises(LogError, match="expected readable Parquet"):
                call(damaged, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_figures_become_files(self, comparison: jointbench.Comparison, tmp_path: Path) -> None:
        pytest.importorskip("kaleido")
        try:
            files = comparison.export(tmp_path, ["svg"])
        except MissingExtraError as missing:
            pytest.skip(str(missing))
        assert {path.name for path in files} == {f"{name}.svg" for name in comparison.drawings()}
        assert all("<svg" in path.read_text(encoding="utf-8") for path in files)

    def test_what_cannot_be_exported_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNameError, match="digits-cpu"):
            jointbench.export("nothing", tmp_path)
        with pytest.raises(InputError, match="format"):
            checked_formats(["jpeg"])
        with pytest.raises(UnwritableError, match="out"):
            jointbench.export("digits-cpu", LOG)

    def test_what_latex_would_read_is_escaped(self) -> None:
        row = latex_table(["a"], [["50 % & _x_ #1 $ {} ~ ^ \\"]]).splitlines()[4]
        assert row == (r"50 \% \& \_x\_ \#1 \$ \{\} \textasciitilde{} \textasciicircum{} \textbackslash{} \\")


def test_every_public_object_shows_itself_in_a_notebook(comparison: jointbench.Comparison) -> None:
    log = jointbench.EvaluationLog.open(LOG)
    optimizer = jointbench.make_optimizer("random", BENCHMARK.space, BENCHMARK.ladder, seed=0, full_budgets=1)
    batch = BENCHMARK.query_batch(BENCHMARK.sample(30, 0), 27.0)
    shown = [
        (BENCHMARK, "digits-cpu-v2"),
        (BENCHMARK.space, "learning_rate"),
        (BENCHMARK.ladder, "27 seconds"),
        (BENCHMARK.query(CONFIGURATION, 27.0), "validation error"),
        (BENCHMARK.curve(CONFIGURATION), "seconds"),
        (log, "1,006"),
        (next(log.evaluations()), "learning_rate"),
        (optimizer, "random"),
        (optimizer, "1, 3, 9, 27 seconds"),
        (BENCHMARK.verdict, "usable with care"),
        (BENCHMARK.facts(CONFIGURATION), "parameters"),
        (BENCHMARK.task.objective, "fraction"),
        (optimizer.ask(), "learning_rate"),
        (comparison, "hyperband"),
        (jointbench.Collection(log), "1,006"),
        (comparison.table(), "hyperband"),
    ]
    for one, words in shown:
        shows = one._repr_html_()  # type: ignore[union-attr]
        assert words in shows, one
        assert "<table" in shows
        assert " object at 0x" not in repr(one)
        assert len(repr(one)) < 2000
    assert batch._repr_html_().count("<tr>") == 11
    assert repr(batch).startswith("<30 answers, ")


def test_a_frame_of_a_log_has_a_column_a_hyperparameter() -> None:
    log = jointbench.EvaluationLog.open(LOG)
    frame = log.to_pandas()
    assert len(frame) == len(log) == 1006
    assert set(BENCHMARK.space.names) < set(frame.columns)
    first = next(log.evaluations())
    assert frame.loc[0, list(BENCHMARK.space.names)].to_dict() == dict(first.configuration)
