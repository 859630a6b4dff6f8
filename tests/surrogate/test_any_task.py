"""Surrogates of any task, on a toy space that is unlike the joint one: fit, judge, save, query, compare."""

import json
import math
import pickle
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from toy import ONE_RUNG, TOY
from toy_log import ACCURACY, LOSS, METRICS, SIZE, toy_log, true_loss

import jointbench
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.judged import Judged
from jointbench.bench.pages.console import verdict_table
from jointbench.bench.pages.fit_page import figures
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import BenchmarkError, ConfigurationError, InputError, UnknownNameError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.frames import configurations_of, hyperparameter_column
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import METRICS as KNOWN
from jointbench.data.metrics import Metric
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.adapters import plain_function
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.contract import CHECKS, Check
from jointbench.surrogate.golden import GOLDEN, check_golden
from jointbench.surrogate.judging.best import best
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.judging.verdict import verdict
from jointbench.surrogate.manifest import TASK_FORMAT
from jointbench.surrogate.models import DEFAULT
from jointbench.surrogate.scales import MetricScale
from jointbench.surrogate.standalone import sources
from jointbench.surrogate.stored import MANIFEST, load_benchmark
from jointbench.surrogate.student import DISTILLED
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import is_training, training_table

#: As small as shows what it is to show.
_QUICK = replace(DISTILLED, questions=400, rounds=30)

SECONDS, WALL = KNOWN["training_seconds"], KNOWN["wall_seconds"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EvaluationLog:
    return toy_log(tmp_path_factory.mktemp("toy") / "log")


@pytest.fixture(scope="module")
def surrogate(log: EvaluationLog) -> Surrogate:
    return Surrogate.fit(log, "toy", settings=DEFAULT, partitions=1)


@pytest.fixture(scope="module")
def saved(surrogate: Surrogate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "toy"
    surrogate.save(folder, judgement=Judgement(surrogate.held_out.scores(), [], [], [], [], [], [], []))
    return folder


@pytest.fixture(scope="module")
def distilled(log: EvaluationLog) -> Surrogate:
    return Surrogate.fit(log, "toy", settings=_QUICK, partitions=1)


@pytest.fixture(scope="module")
def in_epochs(tmp_path_factory: pytest.TempPathFactory) -> Surrogate:
    """Of a plain space, an accuracy to be maximised, and seconds that follow the epochs and a hyperparameter."""
    space = PlainSpace("plain", (Number("x", -1.0, 1.0), Number("work", 1.0, 100.0, log=True)))
    ladder = Ladder(1, 9, unit="epochs")
    made = EvaluationLog.open_or_create(
        tmp_path_factory.mktemp("plain") / "log", space, ladder, None, (ACCURACY, SECONDS, WALL)
    )
    rng, evaluations = np.random.default_rng(1), []
    for number, configuration in enumerate(space.sample(rng, 60)):
        for budget in ladder.rungs:
            accuracy = 0.9 - 0.3 * configuration["x"] ** 2 - 0.2 / budget + 0.01 * rng.normal()
            seconds = budget * 2 * configuration["work"] ** 0.5
            metrics = {"accuracy": accuracy, "training_seconds": seconds, "wall_seconds": seconds + 1}
            evaluations.append(
                Evaluation("plain", configuration, budget, 0, Status.OK, metrics, key=f"{number} {budget}")
            )
    made.append(evaluations)
    return Surrogate.fit(made, "plain", settings=DEFAULT, partitions=1)


class TestFitted:
    def test_it_is_of_no_training_on_images(self, log: EvaluationLog) -> None:
        assert not is_training(log.task)
        table = training_table(log)
        assert table.measures is not None
        # What follows from the configuration is not modelled.
        assert [metric.name for metric in table.measures.metrics] == ["loss", "accuracy"]
        assert [scale.kind for scale in table.measures.scales] == ["log", "logit"]
        # Inactive hyperparameters are missing, and do not make configurations differ from themselves.
        assert np.isnan(table.rows).any()
        assert len(np.unique(table.group)) == 90

    def test_it_explains_what_it_has_not_seen(self, surrogate: Surrogate) -> None:
        scores = {row["error"]: row for row in surrogate.held_out.scores() if row["budget"] is not None}
        assert scores["loss"]["r2"] > 0.7
        assert scores["accuracy"]["r2"] > 0.7

    def test_its_answers_are_near_the_truth(self, surrogate: Surrogate) -> None:
        configurations = [c for c in TOY.sample(np.random.default_rng(9), 200) if c["kind"] != "line"]
        answers = surrogate.benchmark.query_batch(configurations, ONE_RUNG.maximum)
        real = np.array([true_loss(configuration) for configuration in configurations])
        assert np.corrcoef(np.log(answers.metrics["loss"]), np.log(real))[0, 1] > 0.85
        assert np.corrcoef(answers.metrics["accuracy"], 1 / (1 + real / 5))[0, 1] > 0.85

    def test_its_noise_is_that_of_the_seeds(self, surrogate: Surrogate) -> None:
        benchmark = surrogate.benchmark
        configuration = next(c for c in TOY.sample(np.random.default_rng(9), 50) if c["kind"] == "boosting")
        draws = benchmark.query_batch([configuration] * 300, ONE_RUNG.maximum, np.arange(300))
        # The log's losses differ by 5 % between seeds.
        assert 0.02 < np.log(draws.metrics["loss"][draws.ok]).std() < 0.12

    def test_a_failure_counts_as_its_metrics_say(self, surrogate: Surrogate) -> None:
        lines = [c for c in TOY.sample(np.random.default_rng(2), 400) if c["kind"] == "line"]
        draws = surrogate.benchmark.query_batch(lines, ONE_RUNG.maximum, np.arange(len(lines)))
        assert 0.2 < 1 - draws.ok.mean() < 0.8
        assert (draws.metrics["loss"][~draws.ok] == LOSS.failure).all()
        assert (draws.metrics["accuracy"][~draws.ok] == ACCURACY.failure).all()

    def test_a_distilled_one_knows_what_it_does_not_know(self, distilled: Surrogate) -> None:
        answer = distilled.benchmark.query(TOY.sample(np.random.default_rng(3), 1)[0], 10)
        assert answer.uncertainty is not None
        assert answer.uncertainty > 0
        assert distilled.benchmark.manifest.format_version == TASK_FORMAT


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", ["surrogate", "distilled", "in_epochs"])
def test_contract(check: Check, kind: str, request: pytest.FixtureRequest) -> None:
    check(request.getfixturevalue(kind).benchmark)


class TestCosts:
    def test_without_a_clock_seconds_are_the_budget(self, surrogate: Surrogate) -> None:
        assert surrogate.benchmark.query(TOY.sample(np.random.default_rng(3), 1)[0], 10).duration == 10

    def test_seconds_follow_the_budget_and_what_trees_correct(self, in_epochs: Surrogate) -> None:
        benchmark = in_epochs.benchmark
        for work in (2.0, 50.0):
            for budget in (1.0, 9.0):
                answer = benchmark.query({"x": 0.0, "work": work}, budget)
                expected = 2 * budget * work**0.5
                assert answer.metrics["training_seconds"] == pytest.approx(expected, rel=0.3)
                assert answer.duration == pytest.approx(expected + 1, rel=0.3)

    def test_what_is_maximised_grows_with_the_budget(self, in_epochs: Surrogate) -> None:
        curve = in_epochs.benchmark.curve({"x": 0.0, "work": 10.0}).answers
        assert (np.diff(curve.metrics["accuracy"]) > 0).all()
        assert in_epochs.benchmark.task.objective == ACCURACY


class TestSaved:
    def test_loads_and_answers_the_same(self, surrogate: Surrogate, saved: Path) -> None:
        loaded = load_benchmark(saved)
        assert loaded.task.says_the_same(replace(surrogate.log.task, space=loaded.space))
        assert loaded.task.metrics == METRICS
        assert loaded.manifest.format_version == TASK_FORMAT
        assert check_golden(loaded, (saved / GOLDEN).read_text(encoding="utf-8")) > 100

    def test_answers_with_numpy_alone(self, saved: Path) -> None:
        missing = ("torch", "xgboost", "scipy", "sklearn", "pyarrow", "pandas", "ConfigSpace", "llvmlite")
        code = (
            f"import sys\nfor name in {missing!r}: sys.modules[name] = None\n"
            "from jointbench.surrogate.stored import load_benchmark\n"
            f"benchmark = load_benchmark({str(saved)!r})\n"
            "print(benchmark.query(benchmark.sample(1, 0)[0], 10, 1).metrics['loss'])"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        loaded = load_benchmark(saved)
        assert float(said) == loaded.query(loaded.sample(1, 0)[0], 10, 1).metrics["loss"]

    def test_a_wheel_has_all_that_answering_takes(self, saved: Path, tmp_path: Path) -> None:
        for path, source in sources("mine").items():
            (tmp_path / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "mine" / path).write_text(source, encoding="utf-8")
        code = (
            "import sys\nsys.modules['jointbench'] = None\n"
            "from pathlib import Path\nfrom mine.surrogate.stored import read_benchmark\n"
            f"benchmark = read_benchmark(Path({str(saved)!r}))\n"
            "print(benchmark.query(benchmark.sample(1, 0)[0], 10, 1).metrics['loss'])"
        )
        said = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
        ).stdout
        loaded = load_benchmark(saved)
        assert float(said) == loaded.query(loaded.sample(1, 0)[0], 10, 1).metrics["loss"]

    def test_travels_to_other_processes(self, surrogate: Surrogate) -> None:
        again: Benchmark = pickle.loads(pickle.dumps(surrogate.benchmark))
        configuration = TOY.sample(np.random.default_rng(3), 1)[0]
        assert again.query(configuration, 10, 5) == surrogate.benchmark.query(configuration, 10, 5)

    def test_the_card_speaks_of_what_there_is(self, saved: Path) -> None:
        card = (saved / "card.md").read_text(encoding="utf-8")
        assert "objective is `loss`" in card
        for absent in ("images", "torch", "ShakeDrop", "validation error"):
            assert absent not in card, absent

    @pytest.mark.parametrize(
        ("at", "value"),
        [
            (("measures", "metrics", "loss", "deviation"), 0.0),
            (("measures", "metrics", "loss", "kind"), "square"),
            (("measures", "metrics"), {}),
            (("measures", "metrics"), {"accuracy": {}}),
            (("noise", "others"), []),
            (("noise", "others"), [[-1.0, 0.0]]),
            (("task", "metrics"), []),
            (("task", "ladder"), {"minimum": 0, "maximum": 1}),
            (("task", "configspace", "hyperparameters"), []),
            (("distilled",), True),
        ],
    )
    def test_a_manifest_that_makes_no_sense_is_refused(self, saved: Path, at: tuple[str, ...], value: object) -> None:
        manifest = json.loads((saved / MANIFEST).read_text(encoding="utf-8"))
        inner = manifest
        for key in at[:-1]:
            inner = inner[key]
        inner[at[-1]] = value
        with pytest.raises(BenchmarkError):
            Benchmark(manifest, (saved / "models.ubj").read_bytes(), str(saved))

    def test_is_compared_on(self, saved: Path, tmp_path: Path) -> None:
        names = ["random", "regularized-evolution"]
        made = jointbench.compare(
            saved, optimizers=names, seeds=2, full_budgets=8, out=tmp_path / "compared", anyway=True, quiet=True
        )
        settings = Settings.read(made.folder)
        assert settings.task.objective == LOSS
        assert settings.task.space.as_dict() == TOY.as_dict()
        assert {row.optimizer for row in made.summary} == set(names)

    def test_its_page_and_its_analysis_speak_of_its_objective(self, distilled: Surrogate, tmp_path: Path) -> None:
        # Distilled, since it is such a one that says what it does not know.
        scores, among = distilled.held_out.scores(), best(distilled.held_out, seed=0)
        distilled.save(tmp_path / "toy", judgement=Judgement(scores, [], [], [], [], [], [], [], best=among))
        made = jointbench.compare(
            tmp_path / "toy",
            optimizers=["random"],
            seeds=2,
            full_budgets=6,
            out=tmp_path / "c",
            anyway=True,
            quiet=True,
        )
        page = made.report().read_text(encoding="utf-8")
        assert "the one with the lowest loss that it has seen" in page
        assert "noisy losses" in page
        for absent in ("validation error", "percentage points", "losss", "jointbench retrain"):
            assert absent not in page, absent
        assert len(jointbench.analyse(made.folder).findings) > 0

    def test_a_log_is_analysed(self, log: EvaluationLog) -> None:
        said = jointbench.analyse(log)
        assert any("loss" in sentence for sentence in said.findings)
        assert any("wall_seconds" in sentence for sentence in said.missing)

    def test_a_frame_has_the_values_that_configurations_had(self, log: EvaluationLog) -> None:
        frame = log.to_pandas()
        for (_, row), evaluation in zip(frame.iterrows(), log.evaluations(), strict=True):
            for name in TOY.names:
                value, cell = evaluation.configuration.get(name), row[hyperparameter_column(name, row)]
                assert cell == value if value is not None else cell != cell or cell is None
            # A metric of the same name as a hyperparameter.
            if SIZE.name in evaluation.metrics:
                assert row[SIZE.name] == evaluation.metrics[SIZE.name]
        assert np.array_equal(
            TOY.rows(configurations_of(frame, TOY.names)),
            TOY.rows([e.configuration for e in log.evaluations()]),
            equal_nan=True,
        )


class TestRefused:
    def test_what_is_active_and_missing_or_inactive_and_there(self, surrogate: Surrogate) -> None:
        benchmark, space = surrogate.benchmark, surrogate.benchmark.space
        configuration = next(c for c in TOY.sample(np.random.default_rng(3), 50) if c["kind"] == "line")
        row = np.array(space.row(configuration))
        trees = space.names.index("trees")
        assert math.isnan(row[trees])
        for place, number in ((trees, 5.0), (space.names.index("kind"), math.nan), (space.names.index("kind"), 7.0)):
            wrong = row.copy()
            wrong[place] = number
            with pytest.raises(ConfigurationError, match=space.names[place]):
                benchmark.query_batch(wrong[None], 10)

    def test_what_only_trainings_on_images_have(self, surrogate: Surrogate) -> None:
        benchmark = surrogate.benchmark
        with pytest.raises(InputError, match="images"):
            _ = benchmark.images
        # A query compiles itself where it can, and silently does not where it cannot.
        with pytest.raises(BenchmarkError, match="hyperparameters are all numbers"):
            benchmark.accelerate()


def test_an_objective_says_what_an_evaluation_would(surrogate: Surrogate) -> None:
    objective = SurrogateObjective(surrogate.benchmark)
    configuration = next(c for c in TOY.sample(np.random.default_rng(3), 50) if c["kind"] == "boosting")
    found = objective(configuration, 10, 0)
    assert found.metrics["loss"] == surrogate.benchmark.query(configuration, 10, 0).metrics["loss"]
    assert found.duration == 10
    assert found.provenance.images == ""
    # Exact metrics of a person's own are not known to a surrogate.
    assert SIZE.name not in found.metrics


def test_judged_tables_name_the_metric(surrogate: Surrogate) -> None:
    judged = Judgement.of(surrogate.held_out, 0)
    tables = judged_tables(judged, ONE_RUNG)
    assert {"scores", "noise_floor", "luck", "failures", "learning_curve"} <= tables.keys()
    # One rung tells nothing of another.
    assert "rung_correlations" not in tables
    assert not any("validation error" in table.words.lower() for table in tables.values())
    assert {row[1] for row in tables["scores"].rows} == {"loss", "accuracy"}
    # Of a log without repeats it is said that nobody knows its luck.
    guessed = "the noise is a guess"
    assert guessed not in tables["scores"].words
    assert guessed in judged_tables(replace(judged, noise_floor=[]), ONE_RUNG)["scores"].words


@pytest.mark.parametrize("name", ["hnag-digits", "fashion-small"])
def test_errors_are_in_per_cent_wherever_they_were_judged(name: str, surrogate: Surrogate) -> None:
    benchmark = load_benchmark(name)
    floor = [
        {"budget": None, "error": error, "n": 9, "floor": 0.02, "table": 0.04, "given_one": 0.03, "held_out": 0.035}
        for error in dict.fromkeys(row["error"] for row in benchmark.quality)
    ]
    judgement = Judgement(benchmark.quality, floor, [], [], [], [], [], [], best=benchmark.manifest.best)
    tables = judged_tables(judgement, benchmark.ladder)
    at = tables["scores"].headings.index("RMSE")
    for row, judged in zip(tables["scores"].rows, benchmark.quality, strict=True):
        assert row[at].startswith(f"{judged['rmse']:.2%} (")
        assert row[-1].startswith(f"{judged['regret']:.2%}")
    assert [cell for cell in tables["noise_floor"].rows[0] if "%" in cell] == ["2.00%", "4.00%", "3.00%", "3.50%"]
    drawn = figures(surrogate.held_out, judgement, [])["noise_floor"][0]()
    assert drawn.layout.yaxis.title.text == "RMSE of test errors"
    assert drawn.layout.yaxis.tickformat == ".3~%"
    assert {bar.hovertemplate for bar in drawn.data} == {"%{y:.2%}"}


def test_a_fraction_of_a_person_s_own_is_in_per_cent_as_errors_are(in_epochs: Surrogate) -> None:
    benchmark, judgement = in_epochs.benchmark, Judgement.of(in_epochs.held_out, 0)
    tables = judged_tables(judgement, benchmark.ladder)
    for table in (tables["scores"], tables["learning_curve"]):
        at = [table.headings.index(name) for name in ("RMSE", "regret of the best")]
        assert all("%" in row[place] for row in table.rows for place in at)
    assert all("%" in cell for row in tables["best"].rows for cell in row[4:8])
    # An accuracy, which is judged as the loss that it is.
    assert {row["error"] for row in judgement.best} == set(judgement.maximized)
    for row, judged in zip(tables["best"].rows, judgement.best, strict=True):
        assert row[4] == f"{-judged['real']:.2%}"
        assert judged["real"] < 0
    assert tables["best"].headings[4] == "real value"
    for found in (
        verdict(benchmark.ladder, judgement.scores, judgement.best, benchmark.task.metrics),
        Judged(judgement.scores, judgement.best).verdict(benchmark.task),
    ):
        [rmse] = [ground for ground in found.grounds if ground.name == "RMSE of the best quarter"]
        assert "%" in rmse.reached
        assert rmse.usable.startswith("up to 50% of what is missing to 100%, ")
        assert rmse.usable.endswith("%")
        assert "as a share of what is missing to 100%" in found.words


@pytest.mark.parametrize("size", [1e-100, 1e-12, 1.0, 1e100])
def test_losses_of_any_size_are_on_one_scale(size: float) -> None:
    losses = np.random.default_rng(0).normal(5, 1, 100)
    scale = MetricScale.fit(Metric("loss", "", bounds=(-math.inf, math.inf)), losses * size)
    assert scale.to_logit(losses * size).std() == pytest.approx(1)
    same = MetricScale.fit(Metric("loss", "", bounds=(-math.inf, math.inf)), np.full(100, 5.1 * size))
    assert same.deviation == 1


def test_what_is_nearly_nought_has_no_sign() -> None:
    benchmark = load_benchmark("fashion-small")
    best = [{**row, "bias": -1e-6, "relative_bias": -1e-6, "spearman": -1e-6} for row in benchmark.manifest.best]
    found = verdict(benchmark.ladder, benchmark.quality, best)
    reached = {ground.name: ground.reached for ground in found.grounds}
    assert reached["relative bias of the best tenth"] == "0%"
    assert reached["Spearman of the best tenth"] == "0.00"
    table = judged_tables(Judgement(benchmark.quality, [], [], [], [], [], [], [], best=best), benchmark.ladder)["best"]
    assert not any(cell.startswith("-") for row in table.rows for cell in row)


def test_the_verdict_names_what_was_judged(surrogate: Surrogate) -> None:
    judged = {name: verdict_table(load_benchmark(name).verdict).title for name in ("hnag-digits", "fashion-small")}
    assert judged == {
        "hnag-digits": "The verdict, on validation errors at 48 epochs",
        "fashion-small": "The verdict, on validation errors at 81 seconds",
    }
    assert verdict_table(surrogate.benchmark.verdict).title.startswith("The verdict, on values of loss at")


def test_notebooks_show_metrics_as_people_read_them(surrogate: Surrogate) -> None:
    generators = load_benchmark("hnag-digits")
    [configuration] = generators.sample(1, seed=0)
    curve, answer = generators.curve(configuration), generators.query(configuration, 48)
    first, *_, last = (f"{one.metrics['validation_error']:.2%}" for one in curve)
    assert repr(curve).startswith(f"<validation errors {first}, ")
    assert repr(curve).endswith(f"{last} at 12, 24, 48 epochs>")
    assert f"<td>{answer.metrics['test_error']:.2%}</td>" in curve._repr_html_()
    [loss] = surrogate.benchmark.sample(1, seed=0)
    assert repr(surrogate.benchmark.curve(loss)).startswith("<losses ")
    batch = generators.query_batch([configuration], [48])
    assert f", validation errors {last} to {last}>" in repr(batch)
    for shown in (answer._repr_html_(), batch._repr_html_()):
        for name in ("validation_error", "training_seconds", "peak_memory"):
            assert name.replace("_", " ") in shown
            assert f">{KNOWN[name].shown(answer.metrics[name])}<" in shown
        assert f">{answer.uncertainty:.2%}<" in shown


def test_answers_show_a_person_s_own_metrics_as_they_are_declared(in_epochs: Surrogate) -> None:
    benchmark = in_epochs.benchmark
    rows = benchmark.sample(2, seed=0)
    batch, answer = benchmark.query_batch(rows, 9), benchmark.query(rows[0], 9)
    accuracy = f">{answer.metrics['accuracy']:.2%}<"
    assert "accuracies" in repr(batch)
    assert "%" in repr(batch)
    for shown in (batch, batch[:1], batch[0], answer):
        assert accuracy in shown._repr_html_()
    # What an answer says are its values alone, whoever reads it.
    assert asdict(answer).keys() == {"metrics", "status", "failure_probability", "interpolated", "uncertainty"}
    again = pickle.loads(pickle.dumps(answer))
    assert again == answer
    assert f">{answer.metrics['accuracy']:.4g}<" in again._repr_html_()


def test_an_answer_of_a_person_s_own_task_has_objectives_to_minimise(in_epochs: Surrogate) -> None:
    benchmark = in_epochs.benchmark
    batch = benchmark.query_batch(benchmark.sample(4, seed=0), 9)
    names = (*batch.metrics, "failure_probability")
    assert "accuracy" in names
    minimised = batch.objectives(*names)
    for name, column in zip(batch.metrics, minimised.T, strict=False):
        sign = -1.0 if benchmark.task.by_name[name].maximize else 1.0
        np.testing.assert_array_equal(column, sign * batch.metrics[name])
        np.testing.assert_array_equal(column, benchmark.minimised(batch, name)[0])
    np.testing.assert_array_equal(minimised[:, -1], batch.failure_probability)
    for answer, row in zip(batch, minimised.tolist(), strict=True):
        assert list(answer.objectives(*names)) == row
    for chosen in (batch, batch[0]):
        with pytest.raises(UnknownNameError, match=r"objective: 'accurracy' given.*accuracy"):
            chosen.objectives("accurracy")
    pickled = pickle.loads(pickle.dumps(batch[0]))
    assert pickled.objectives("failure_probability") == (batch[0].failure_probability,)
    with pytest.raises(InputError, match="does not say whether accuracy is maximised"):
        pickled.objectives("accuracy")


def test_the_joint_space_without_images_is_a_task_too(tmp_path: Path) -> None:
    log = EvaluationLog.open_or_create(tmp_path / "log", JOINT, ONE_RUNG, None, (LOSS,))
    configurations = JOINT.sample(np.random.default_rng(0), 40)
    log.append(
        [
            Evaluation("joint", c, 10, 0, Status.OK, {"loss": 2 + 100 * c["weight_decay"]}, key=str(k))
            for k, c in enumerate(configurations)
        ]
    )
    benchmark = Surrogate.fit(log, "own", settings=DEFAULT, partitions=1).benchmark
    assert benchmark.features.names == (*JOINT.names, "budget")
    assert benchmark.query(configurations[0], 10).metrics["loss"] > 0


class TestScales:
    @given(
        arrays(np.float64, 20, elements=st.floats(-1e6, 1e6)),
        st.sampled_from(["free", "positive", "fraction"]),
        st.booleans(),
    )
    def test_come_back(self, values: np.ndarray, kind: str, maximize: bool) -> None:
        if kind != "free":
            values = np.abs(values) + 1e-3
        if kind == "fraction":
            values = values / (values.max() * 1.1)
        bounds = {"free": (-math.inf, math.inf), "positive": (0.0, math.inf), "fraction": (0.0, 1.0)}[kind]
        metric = Metric("m", bounds=bounds, maximize=maximize)
        scale = MetricScale.fit(metric, values)
        losses = metric.losses(values)
        back = scale.from_logit(scale.to_logit(losses))
        np.testing.assert_allclose(back, losses, rtol=1e-6, atol=1e-6 * (1 + np.abs(losses).max()))
        assert MetricScale.from_dict(json.loads(json.dumps(scale.as_dict()))) == scale
        # Whatever models say stays within the bounds.
        low, high = sorted(metric.losses(np.array(bounds)))
        wild = scale.from_logit(np.array([-1e9, -3.0, 3.0, 1e9]))
        assert ((low <= wild) & (wild <= high)).all()

    @given(st.floats(0.01, 0.99))
    def test_slopes_are_those_of_the_scale(self, loss: float) -> None:
        scale = MetricScale.fit(Metric("m", bounds=(0, 1)), np.linspace(0, 1, 30))
        step = 1e-6
        measured = (scale.to_logit(loss + step) - scale.to_logit(loss - step)) / (2 * step)
        assert scale.slope(loss) == pytest.approx(measured, rel=1e-3)

    def test_whole_numbers_stay_whole(self) -> None:
        scale = MetricScale.fit(Metric("m", bounds=(0, math.inf), whole=True), np.arange(1.0, 50.0))
        assert scale.from_logit(0.123) == round(scale.from_logit(0.123))

    @pytest.mark.parametrize(
        ("values", "kind"),
        [((0.1, 0.9), "logit"), ((0.5, 0.501), "linear")],
    )
    def test_between_bounds(self, values: tuple[float, float], kind: str) -> None:
        assert MetricScale.fit(Metric("m", bounds=(0, 1)), np.array(values)).kind == kind

    def test_a_loss_that_logarithms_would_skew_is_modelled_as_it_is(self) -> None:
        loss, rng = Metric("m", bounds=(0, math.inf)), np.random.default_rng(0)
        even = rng.uniform(0.3, 5.0, 300)
        assert MetricScale.fit(loss, even).kind == "linear"
        assert MetricScale.fit(loss, np.exp(even)).kind == "log"
        # A ratio stays one.
        assert MetricScale.fit(loss, even, ratio=True).kind == "log"

    def test_values_whose_squares_are_no_numbers_are_refused(self) -> None:
        with pytest.raises(InputError, match=r"metric m: 1e\+300 given, expected values between"):
            MetricScale.fit(Metric("m"), np.array([0.5, 1e300]))

    def test_above_nought_over_decades(self) -> None:
        loss = Metric("m", bounds=(0, 1e9))
        assert MetricScale.fit(loss, np.array([0.1, 5.0])).kind == "log"
        assert MetricScale.fit(loss, np.array([2.0, 5.0])).kind == "linear"


def test_adapters_minimise_its_objective(surrogate: Surrogate, in_epochs: Surrogate) -> None:
    function = plain_function(surrogate.benchmark)
    configuration = TOY.sample(np.random.default_rng(3), 1)[0]
    assert function(configuration) == surrogate.benchmark.query(configuration, 10).metrics["loss"]
    with pytest.raises(UnknownNameError, match="validation_error"):
        plain_function(surrogate.benchmark, ["validation_error"])
    # What is maximised has the other sign.
    maximised = plain_function(in_epochs.benchmark)
    said = in_epochs.benchmark.query({"x": 0.0, "work": 10.0}, 9)
    assert maximised({"x": 0.0, "work": 10.0}) == -said.metrics["accuracy"]
