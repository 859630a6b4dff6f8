"""What a command does, the call of its name does, and gives numbers, figures and words."""

import os
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from comparing import small

import jointbench
from jointbench.bench.calls.planning import Planned
from jointbench.bench.calls.progress import NotebookBar, Progress, Stage, bar_html, heard
from jointbench.bench.calls.result import Result
from jointbench.bench.calls.training import Trained
from jointbench.cli import main
from jointbench.data.errors import (
    BudgetError,
    ConfigurationError,
    InputError,
    LogError,
    UnknownNameError,
    WouldOverwriteError,
)
from jointbench.data.evaluation import Curve
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.joint import JOINT, JOINT_SMALL
from jointbench.surrogate.stored import load_benchmark, released

LOG = released()["digits-cpu"] / "evaluations.parquet"
PLAN: dict[str, Any] = {"images": "digits", "ladder": "1,3,9,27", "optimizer": "hyperband", "full_budgets": 20}


def printed(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    main(words.split())
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> EvaluationLog:
    """The first 200 evaluations of the released log."""
    released_log = EvaluationLog.open(LOG)
    made = EvaluationLog.open_or_create(
        tmp_path_factory.mktemp("few") / "log", released_log.space, released_log.ladder, released_log.images
    )
    made.append(list(released_log.evaluations())[:200])
    return made


#: What was heard of while `fitted` was made.
STAGES: list[Progress] = []


@pytest.fixture(scope="module")
def fitted(few: EvaluationLog) -> "jointbench.Fitted":
    return jointbench.fit(few, quick=True, progress=STAGES.append)


class TestPlan:
    def test_it_is_what_the_command_prints(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = jointbench.plan(**PLAN, workers=2, memory=8)
        words = "plan --images digits --ladder 1,3,9,27 --optimizer hyperband --full-budgets 20 --workers 2 --memory 8"
        assert printed(words, capsys) == f"{made}\n"

    def test_a_row_is_a_rung(self) -> None:
        made = jointbench.plan(**PLAN)
        frame = made.to_pandas()
        assert frame["budget"].tolist() == [1.0, 3.0, 9.0, 27.0]
        assert frame["evaluations"].sum() == sum(made.plan.evaluations.values())
        assert made.table("memory").to_pandas()["memory_gib"].tolist() == [11, 24, 40, 80]
        with pytest.raises(UnknownNameError, match="figure"):
            made.figure()

    def test_a_ladder_and_a_space_are_as_good_as_their_words(self) -> None:
        given: dict[str, Any] = {**PLAN, "ladder": Ladder(1.0, 27.0), "space": JOINT}
        assert str(jointbench.plan(**given)) == str(jointbench.plan(**PLAN))

    @pytest.mark.parametrize(
        ("words", "error", "said"),
        [
            ({"workers": 0}, InputError, "workers"),
            ({"full_budgets": 0}, InputError, "full budgets"),
            ({"images": "letters"}, UnknownNameError, "letters"),
            ({"space": "cubes"}, UnknownNameError, "cubes"),
            ({"optimizer": "magic"}, UnknownNameError, "magic"),
            ({"memory": -1.0}, InputError, "memory"),
        ],
    )
    def test_what_cannot_be_planned_is_refused(self, words: dict[str, Any], error: type[InputError], said: str) -> None:
        with pytest.raises(error, match=said):
            jointbench.plan(**{**PLAN, **words})


class TestDoctor:
    def test_it_is_what_the_command_prints(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = jointbench.doctor(LOG)
        assert found.healthy
        assert printed(f"doctor {LOG}", capsys) == f"{found}\n"

    def test_a_row_is_a_finding(self, few: EvaluationLog) -> None:
        found = jointbench.doctor(few.path)
        frame = found.to_pandas()
        assert set(frame["kind"]) <= {"fact", "note", "to fit", "problem"}
        assert "200 evaluations" in frame["finding"].tolist()
        assert found.table("evaluations").to_pandas().drop(columns="budget").to_numpy().sum() == 200

    def test_a_damaged_log_is_not_healthy(self, few: EvaluationLog, tmp_path: Path) -> None:
        log = jointbench.merge([few.path], tmp_path / "log").log
        (log.path / "0-0.parquet").write_bytes(b"half")
        found = jointbench.doctor(log.path)
        assert not found.healthy
        assert found.to_pandas()["kind"].tolist().count("problem") == len(found.findings.problems) == 1
        with pytest.raises(UnknownNameError):
            jointbench.doctor(tmp_path / "nothing")


class TestMerge:
    def test_it_gives_the_log_of_all(self, few: EvaluationLog, tmp_path: Path) -> None:
        made = jointbench.merge([few.path, jointbench.Collection(few)], tmp_path / "log")
        assert len(made.log) == len(made.to_pandas()) == 200
        assert made.log.path == tmp_path / "log"

    def test_a_path_is_no_list_of_logs(self, few: EvaluationLog, tmp_path: Path) -> None:
        for wrong in (str(few.path), few.path, []):
            with pytest.raises(InputError, match="logs"):
                jointbench.merge(wrong, tmp_path / "log")  # type: ignore[arg-type]


class TestDescribe:
    @pytest.mark.parametrize("words", ["", " zela-2018", " preact-resnet-18", " joint-small"])
    def test_it_is_what_the_command_prints(self, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        made = jointbench.describe(*words.split())
        assert printed(f"describe{words}", capsys) == f"{made}\n"

    def test_a_configuration_in_any_form_has_its_facts(self) -> None:
        configuration = JOINT.named["zela-2018"]
        frame = jointbench.describe(configuration, image_shape=(1, 8, 8)).to_pandas()
        facts = JOINT.facts(configuration, (1, 8, 8))
        assert frame.loc[0, ["parameters", "flops"]].tolist() == [facts.parameters, facts.flops]
        again = jointbench.describe(frame.loc[0, list(JOINT.names)], space="joint", image_shape=(1, 8, 8))
        assert str(again) == str(jointbench.describe("zela-2018", image_shape=(1, 8, 8)))

    def test_a_row_is_a_hyperparameter(self) -> None:
        frame = jointbench.describe(JOINT).to_pandas()
        assert frame["name"].tolist() == list(JOINT.names)
        assert set(frame["part"]) == {"architecture", "training"}
        assert set(jointbench.describe().to_pandas()["space"]) >= {"joint", "joint-small"}

    def test_what_cannot_be_described_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="nothing"):
            jointbench.describe("nothing")
        with pytest.raises(ConfigurationError, match="filters"):
            jointbench.describe({**JOINT.named["zela-2018"], "filters": 33})
        with pytest.raises(InputError, match="image shape"):
            jointbench.describe("zela-2018", image_shape=(3, 32))  # type: ignore[arg-type]
        with pytest.raises(InputError, match="classes"):
            jointbench.describe("zela-2018", classes=1)


class TestReport:
    def test_it_draws_a_page_and_links_to_it(self, few: EvaluationLog, tmp_path: Path) -> None:
        page = jointbench.report(jointbench.Collection(few), out=tmp_path / "page & more.html")
        assert "<html" in Path(os.fspath(page)).read_text(encoding="utf-8")[:200]
        assert "page &amp; more.html" in page._repr_html_()
        with pytest.raises(LogError):
            jointbench.report(tmp_path)


class TestFit:
    def test_without_a_folder_nothing_is_written(self, fitted: "jointbench.Fitted", few: EvaluationLog) -> None:
        assert fitted.benchmark.name == "log-v1"
        assert not list(few.path.parent.glob("*/benchmark.json"))

    def test_each_stage_is_heard_of(self, fitted: "jointbench.Fitted") -> None:
        assert list(dict.fromkeys(one.stage for one in STAGES)) == [
            "fitting, and predicting what was held out",
            "judging",
            "searching without each optimizer's data",
        ]
        # One partition into five folds, and what is fitted to all.
        assert [(one.done, one.total) for one in STAGES if one.total] == [(done, 6) for done in range(7)]

    def test_it_is_what_the_command_fits(self, fitted: "jointbench.Fitted", few: EvaluationLog, tmp_path: Path) -> None:
        main(["fit", str(few.path), "--out", str(tmp_path / "log"), "--quick", "--quiet"])
        assert load_benchmark(tmp_path / "log").checksum == fitted.benchmark.checksum

    def test_its_first_table_is_the_verdict(self, fitted: "jointbench.Fitted") -> None:
        assert fitted.table().title.startswith("The verdict, on validation errors at")
        assert fitted.to_latex() == fitted.table("verdict").to_latex()
        assert [row[-1] for row in fitted.table().rows] == [ground.word for ground in fitted.verdict.grounds]

    def test_numbers_and_figures_are_named(self, fitted: "jointbench.Fitted") -> None:
        frame = fitted.to_pandas()
        assert {"budget", "validation_error", "predicted_validation_error"} < set(frame.columns)
        assert frame["predicted_validation_error"].between(0, 1).all()
        assert {"verdict", *fitted.judged} == set(fitted.tables())
        assert fitted.figure(next(iter(fitted.drawings()))).data

    def test_what_is_wrong_is_refused_before_the_work(self, few: EvaluationLog, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        (tmp_path / "there" / "letter.txt").write_text("dear diary", encoding="utf-8")
        heard_of: list[Progress] = []
        for out, words, error in (
            (tmp_path / "there", {}, WouldOverwriteError),
            (None, {"name": "no name"}, InputError),
            (None, {"seed": -1}, InputError),
            (None, {"tune": -1}, InputError),
            (None, {"partitions": 0}, InputError),
            (None, {"version": 0}, InputError),
        ):
            with pytest.raises(error):
                jointbench.fit(few, out, quick=True, progress=heard_of.append, **words)  # type: ignore[arg-type]
        assert heard_of == []


class TestPublish:
    def test_what_a_surrogate_saves_is_published(self, fitted: "jointbench.Fitted", tmp_path: Path) -> None:
        pytest.importorskip("hatchling")
        # As it comes from Surrogate.fit, without a judgement.
        fitted.surrogate.save(tmp_path / "mine")
        made = jointbench.publish(tmp_path / "mine", tmp_path / "out", date="2026-12-24", anyway=True)
        assert made.name == "log-v1"
        frame = made.to_pandas().set_index("file")
        assert {"card.md", "benchmark.json", made.wheel.name} < set(frame.index)
        sums = dict(
            reversed(line.split("  ")) for line in (made.folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        )
        assert sums == frame["sha256"].drop("SHA256SUMS").to_dict()
        with pytest.raises(WouldOverwriteError):
            jointbench.publish(tmp_path / "mine", tmp_path / "out", anyway=True)

    def test_a_day_is_a_day(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="2026-12-24"):
            jointbench.publish("digits-cpu", tmp_path / "out", date="Christmas")


class TestTrainings:
    """What is refused before torch is needed, or a process started."""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ({"images": "digits"}, "ladder"),
            ({"images": "digits", "ladder": "1,3"}, "full budgets"),
            ({"images": "digits", "ladder": "3,1", "full_budgets": 1}, "ladder"),
            ({"images": "digits", "ladder": "1,3", "full_budgets": -1, "device": "cpu"}, "full budgets"),
            ({"images": "digits", "ladder": "1,3", "full_budgets": 1, "workers": 0}, "workers"),
            ({"images": "digits", "ladder": "1,3", "full_budgets": 1, "device": "cpu", "stop_after": 0}, "stop after"),
            ({"plan": "nothing.toml"}, "nothing.toml"),
        ],
    )
    def test_a_collection_that_cannot_be(self, words: dict[str, Any], said: str, tmp_path: Path) -> None:
        pytest.importorskip("torch")
        with pytest.raises(InputError, match=said):
            jointbench.collect(tmp_path / "log", **words)
        assert not (tmp_path / "log").exists()

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ({"budget": "27weeks"}, InputError),
            ({"budget": 0.0}, BudgetError),
            ({"budget": "3epochs", "ladder": "1,3"}, BudgetError),
            ({"budget": 2.0, "ladder": "1,3"}, BudgetError),
            ({"budget": 3.0, "images": "letters", "device": "cpu"}, UnknownNameError),
            ({"budget": 3.0, "seed": -1}, InputError),
        ],
    )
    def test_a_training_that_cannot_be(self, words: dict[str, Any], error: type[InputError], tmp_path: Path) -> None:
        pytest.importorskip("torch")
        with pytest.raises(error):
            jointbench.train("zela-2018", **{"images": "digits", "log": tmp_path / "log", **words})
        assert not (tmp_path / "log").exists()

    def test_what_was_trained_has_its_curve_as_far_as_there_is_one(self) -> None:
        log = EvaluationLog.open(LOG)
        drawn = set()
        for evaluation in list(log.evaluations())[:40]:
            made = Trained(evaluation, log)
            assert len(made.to_pandas()) == len(evaluation.curve.seconds)
            drawn |= {(name, made.figure(name) is not None) for name in made.drawings()}
            assert evaluation.status in str(made)
        assert drawn == {("learning_curve", True)}
        few = replace(evaluation, curve=Curve((1.0,), (1.0,), (1.0,), (0.5,)))
        assert Trained(few, log).drawings() == {}

    def test_a_word_that_no_call_has(self, tmp_path: Path) -> None:
        with pytest.raises(TypeError, match="speed"):
            jointbench.collect(tmp_path, images="digits", ladder="1,3", full_budgets=1, speed=3)  # type: ignore[call-arg]

    def test_retraining_needs_a_comparison(self, tmp_path: Path) -> None:
        with pytest.raises(LogError):
            jointbench.retrain(tmp_path)

    def test_what_is_no_network_of_ours_is_not_trained(self, tmp_path: Path) -> None:
        said = "trained here .*joint, .*; a function of your own is called by `jointbench {} --objective"
        toy = PlainSpace("toy", (Number("rate", 0.1, 0.5),))
        with pytest.raises(InputError, match=said.format("collect")):
            jointbench.train({"rate": 0.2}, images="digits", budget=1, space=toy, log=tmp_path / "log")
        assert not (tmp_path / "log").exists()
        out = tmp_path / "compared"
        jointbench.compare("mfh3-good", ["random"], seeds=1, full_budgets=2, out=out, jobs=1, quiet=True)
        with pytest.raises(InputError, match=said.format("retrain COMPARISON")):
            jointbench.retrain(out)

    def test_a_seed_of_a_draw_is_of_a_space_that_draws(self, tmp_path: Path) -> None:
        said = "3 given, expected 0, since '{}' draws no networks"
        at = JOINT_SMALL.usual
        with pytest.raises(InputError, match=f"architecture seed: {said.format('joint-small')}"):
            jointbench.train(
                at, images="digits", budget=1, space="joint-small", architecture_seed=3, log=tmp_path / "log"
            )
        assert not (tmp_path / "log").exists()
        with pytest.raises(InputError, match=f"seed: {said.format('joint')}"):
            jointbench.describe("zela-2018", seed=3)


class TestProgress:
    def test_a_callback_hears_of_a_comparison(self, tmp_path: Path) -> None:
        heard_of: list[Progress] = []
        jointbench.compare(
            "digits-cpu", ["random"], seeds=1, full_budgets=3, out=tmp_path / "out", jobs=1, progress=heard_of.append
        )
        assert {one.stage for one in heard_of} == {"compare"}
        assert heard_of[-1].done == heard_of[-1].total == 3

    def test_a_comparison_comes_to_its_end_where_a_run_fails(self, tmp_path: Path) -> None:
        heard_of: list[Progress] = []
        (tmp_path / "mine.py").write_text(
            "from jointbench import Optimizer\n"
            "class Crash(Optimizer):\n"
            "    def ask(self):\n        raise ZeroDivisionError\n"
            "    def tell(self, trial, evaluation):\n        pass\n",
            encoding="utf-8",
        )
        names = ["random", f"{tmp_path / 'mine.py'}:Crash"]
        how: dict[str, Any] = {"seeds": 2, "full_budgets": 3, "jobs": 1, "progress": heard_of.append}
        made = jointbench.compare("digits-cpu", names, out=tmp_path / "out", **how)
        assert len(made.failed) == 2
        assert heard_of[-1].done == heard_of[-1].total == 6

    def test_a_comparison_over_tasks_comes_to_its_end_where_all_runs_are_there(self, tmp_path: Path) -> None:
        how: dict[str, Any] = {"seeds": 1, "full_budgets": 3, "jobs": 1, "out": tmp_path / "out"}
        jointbench.compare_tasks(["mfh3-good", "mfh6-good"], ["random"], **how)
        heard_of: list[Progress] = []
        jointbench.compare_tasks(["mfh3-good", "mfh6-good"], ["random"], progress=heard_of.append, **how)
        assert heard_of[-1].done == heard_of[-1].total

    def test_nothing_is_printed_outside_of_a_notebook(self, tmp_path: Path, capfd: Any) -> None:
        jointbench.compare("digits-cpu", ["random"], seeds=1, full_budgets=3, out=tmp_path / "out", jobs=1)
        assert capfd.readouterr() == ("", "")

    def test_a_notebook_shows_a_bar_that_goes_when_all_is_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[str] = []

        class Handle:
            def update(self, html: str) -> None:
                shown.append(html)

        display = types.ModuleType("IPython.display")
        display.HTML = str  # type: ignore[attr-defined]
        display.display = lambda html, display_id: Handle()  # type: ignore[attr-defined]
        shell = types.SimpleNamespace(kernel=object())
        ipython = types.ModuleType("IPython")
        ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", display)
        with heard(None) as hear:
            assert isinstance(hear, NotebookBar)
            hear(Stage("a < b", 3, 12))
            hear(Stage("thinking"))
        assert shown[0] == 'a &lt; b <progress value="3" max="12"></progress> 3 of 12'
        assert shown[1:] == ["thinking <progress></progress>", ""]
        with heard(None, quiet=True) as hear:
            hear(Stage("unheard"))
        # A terminal's IPython has no kernel, and no page to show a bar on.
        del shell.kernel
        with heard(None) as hear:
            hear(Stage("unheard"))
        assert len(shown) == 3

    def test_a_bar_says_how_far_it_is(self) -> None:
        assert bar_html(Stage("compare", 1500, 30000)).endswith("1,500 of 30,000")


def test_results_show_themselves(fitted: "jointbench.Fitted") -> None:
    made: list[Result] = [fitted, jointbench.plan(**PLAN), jointbench.doctor(LOG), jointbench.describe()]
    for one in made:
        assert "<table" in one._repr_html_()
        assert " object at 0x" not in repr(one)
    assert isinstance(made[1], Planned)


def test_types_are_shipped() -> None:
    assert (Path(jointbench.__file__).parent / "py.typed").is_file()


def test_every_command_but_those_of_a_shell_is_a_call() -> None:
    from jointbench.cli import MODULES

    names = {module.__name__.rpartition(".")[2] for module in MODULES} - {"query", "measure", "listing"}
    assert names <= set(jointbench.__all__)


@pytest.mark.parametrize("given", [3, b"bytes", "a\0b"])
def test_a_path_that_is_none_is_refused_by_the_name_of_the_argument(given: Any, tmp_path: Path) -> None:
    calls: dict[str, list[Callable[[], object]]] = {
        "out": [
            lambda: jointbench.compare("digits-cpu", ["random"], seeds=1, out=given),
            lambda: jointbench.compare_tasks("mfh3-good", ["random"], out=given),
            lambda: jointbench.merge([tmp_path], given),
            lambda: jointbench.publish("digits-cpu", given),
            lambda: jointbench.report(tmp_path, out=given),
            lambda: jointbench.analyse("digits-cpu", out=given),
        ],
        "comparison": [lambda: jointbench.Comparison(given), lambda: jointbench.retrain(given)],
        "folder": [lambda: jointbench.doctor(given)],
    }
    for field, several in calls.items():
        for call in several:
            with pytest.raises(InputError, match=f"^{field}: .* given, expected the name of a file or a folder"):
                call()


def test_one_name_as_text_is_refused_where_a_list_is_due(tmp_path: Path) -> None:
    small(tmp_path / "made", ("random",), seeds=1, full_budgets=1)
    out = tmp_path / "out"
    calls: dict[str, list[Callable[[], object]]] = {
        "optimizers": [
            lambda: jointbench.compare("digits-cpu", "random", out=out),
            lambda: jointbench.compare_tasks("mfh3-good", "random", out=out),
            lambda: jointbench.retrain(tmp_path / "made", optimizers="random"),
            lambda: jointbench.leaderboard.add(out, tmp_path / "made", optimizers="random"),
        ],
        "objectives": [
            lambda: jointbench.compare("digits-cpu", ["random"], objectives="parameters", out=out),
            lambda: jointbench.run("random", "digits-cpu", objectives="parameters"),
        ],
        "references": [lambda: jointbench.retrain(tmp_path / "made", references="zela-2018")],
        "formats": [lambda: jointbench.export(tmp_path / "made", out, formats="csv")],
        "retrainings": [lambda: jointbench.analyse("digits-cpu", out=out, retrainings=str(LOG))],
    }
    for field, several in calls.items():
        for call in several:
            with pytest.raises(InputError, match=f"^{field}: '.*' given, expected a list, such as"):
                call()
    assert not out.exists()
