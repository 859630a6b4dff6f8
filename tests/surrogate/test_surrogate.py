"""Fitting, freezing and querying, on the released log of real trainings."""

import copy
import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jointbench.bench.pages.console import judged_table
from jointbench.data.errors import BenchmarkError, ConfigurationError, InputError, LogError, UnknownNameError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import METRICS
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.card import card
from jointbench.surrogate.contract import CHECKS, Check, corners_and_samples
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.metric_outcome import MetricOutcome
from jointbench.surrogate.model_file import join_models
from jointbench.surrogate.models import DEFAULT, Models
from jointbench.surrogate.noise import Noise
from jointbench.surrogate.stored import MANIFEST, MODELS, load_benchmark, released
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import training_table
from jointbench.surrogate.ubjson import split_ubjson

SHIPPED = sorted(released())


@pytest.fixture(scope="session")
def log() -> EvaluationLog:
    return EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")


@pytest.fixture(scope="session")
def surrogate(log: EvaluationLog) -> Surrogate:
    return Surrogate.fit(log, "refitted", settings=DEFAULT, partitions=1)


def as_if_in_epochs(evaluation: Evaluation, training: int) -> Evaluation:
    if not evaluation.ok:
        return evaluation
    batch = evaluation.configuration["batch_size"]
    steps = math.ceil(evaluation.budget * training / batch)
    seconds = steps * batch / evaluation.images_per_second
    overhead = evaluation.wall_seconds - evaluation.training_seconds
    return evaluation.measuring(
        steps=steps,
        epochs=steps * batch / training,
        training_seconds=seconds,
        wall_seconds=seconds + overhead,
    )


@pytest.fixture(scope="session")
def in_epochs(log: EvaluationLog, tmp_path_factory: pytest.TempPathFactory) -> Surrogate:
    ladder = replace(log.ladder, unit="epochs")
    counted = EvaluationLog.open_or_create(tmp_path_factory.mktemp("epochs") / "log", JOINT, ladder, log.images)
    counted.append([as_if_in_epochs(e, log.images.training) for e in log.evaluations()])
    return Surrogate.fit(counted, "epochs", settings=DEFAULT, partitions=1)


def nothing_but_scores(surrogate: Surrogate) -> Judgement:
    return Judgement(surrogate.held_out.scores(), [], [], [], [], [], [], [])


@pytest.fixture(scope="session")
def fitted(surrogate: Surrogate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted") / "refitted"
    surrogate.save(folder)
    return folder


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A copy of the shipped benchmark, to be damaged."""
    return Path(shutil.copytree(released()["digits-cpu"], tmp_path / "damaged"))


def test_digits_cpu_ships() -> None:
    assert "digits-cpu" in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
class TestEveryShippedBenchmark:
    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_keeps_the_contract(self, name: str, check: Check) -> None:
        check(load_benchmark(name))

    def test_has_its_name_and_a_card(self, name: str) -> None:
        assert re.fullmatch(rf"{name}-v\d+", load_benchmark(name).name)
        assert "R2" in (released()[name] / "card.md").read_text(encoding="utf-8")

    def test_is_what_fit_makes_of_the_shipped_log(self, name: str) -> None:
        shipped = load_benchmark(name)
        table = training_table(EvaluationLog.open(released()[name] / "evaluations.parquet"))
        again = Models.fit(table, shipped.provenance["seed"])
        # The bits of a fit may differ between processors and XGBoost releases; the answers hardly do.
        answers = shipped.query_batch(table.rows[table.ok], table.budgets[table.ok])
        unused = dict.fromkeys(again.failures, (1.0, 0.0))
        model = again.outcome_model(Noise(0, 0, 0), unused)
        outputs = again.outputs(table.take(table.ok))
        ok = table.take(table.ok)
        outcome = model.outcome(outputs, ok.columns, ok.facts, ok.budgets, None)
        refitted = outcome.metrics if isinstance(outcome, MetricOutcome) else outcome._asdict()
        for metric in ("test_error", "wall_seconds"):
            assert np.corrcoef(answers.columns()[metric], refitted[metric])[0, 1] > 0.99


def test_the_frozen_surrogate_answers_as_the_one_in_hand(surrogate: Surrogate, fitted: Path) -> None:
    in_hand, frozen = surrogate.benchmark, load_benchmark(fitted)
    rows = corners_and_samples(JOINT, 20)
    assert in_hand.query_batch(rows, 3.0, 5) == frozen.query_batch(rows, 3.0, 5)
    assert in_hand.checksum == frozen.checksum


def test_the_same_log_and_seed_give_the_same_models(log: EvaluationLog) -> None:
    table = training_table(log)
    models = Models.fit(table, 0).file()
    assert Models.fit(table, 0).file() == models
    assert Models.fit(table, 1).file() != models


def test_evaluations_of_one_configuration_are_never_parted(log: EvaluationLog) -> None:
    table = training_table(log)
    for group in np.unique(table.group):
        assert len(np.unique(table.rows[table.group == group], axis=0)) == 1
    assert len(np.unique(table.group)) == len(np.unique(table.rows, axis=0))


def test_a_card_says_where_the_death_rate_has_no_effect(surrogate: Surrogate, log: EvaluationLog) -> None:
    text = card(surrogate.benchmark, log, nothing_but_scores(surrogate))
    assert "death rate of ShakeDrop has no effect where no main block has exactly one" in text


def test_a_log_with_too_little_is_refused(log: EvaluationLog, tmp_path: Path) -> None:
    small = EvaluationLog.open_or_create(tmp_path / "log", log.space, log.ladder, log.images)
    small.append([next(log.evaluations())])
    with pytest.raises(LogError, match="at least 20 configurations"):
        Surrogate.fit(small, "small")


def test_a_card_says_when_seconds_are_of_different_devices(surrogate: Surrogate, log: EvaluationLog) -> None:
    judgement, benchmark = nothing_but_scores(surrogate), copy.copy(surrogate.benchmark)
    said = "2 devices, whose seconds buy different amounts of work"
    assert said not in card(benchmark, log, judgement)
    benchmark.provenance = {**benchmark.provenance, "devices": ["this", "that"]}
    assert said in card(benchmark, log, judgement)


class TestEpochs:
    """A ladder in epochs: the released trainings as if their seconds had been epochs, which all end with a step."""

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_the_benchmark_keeps_the_contract(self, in_epochs: Surrogate, check: Check) -> None:
        check(in_epochs.benchmark)

    def test_the_epochs_of_an_answer_are_the_budget_to_the_end_of_a_step(self, in_epochs: Surrogate) -> None:
        benchmark = in_epochs.benchmark
        rows = JOINT.rows(JOINT.sample(np.random.default_rng(0), 200))
        answers, batches = benchmark.query_batch(rows, 9.0), rows[:, JOINT.names.index("batch_size")]
        steps = np.ceil(9 * benchmark.images.training / batches)
        ok = answers.ok
        assert ok.mean() > 0.5
        np.testing.assert_allclose(answers.epochs[ok], (steps * batches / benchmark.images.training)[ok])
        # Costs agree with each other, and a slow network takes long.
        images = answers.epochs * benchmark.images.training
        np.testing.assert_allclose(answers.training_seconds * answers.images_per_second, images)
        assert np.corrcoef(np.log(answers.flops[ok]), np.log(answers.training_seconds[ok]))[0, 1] > 0.5

    def test_its_tables_and_card_say_epochs(self, in_epochs: Surrogate, log: EvaluationLog) -> None:
        judgement = nothing_but_scores(in_epochs)
        text = card(in_epochs.benchmark, log, judgement)
        assert "Budgets: 1, 3, 9, 27 epochs of training" in text
        assert "budget, epochs |" in text
        assert "fit into a budget" not in text
        table = judged_table(judged_tables(judgement, in_epochs.benchmark.ladder)["scores"])
        assert table.headings[0] == "budget, epochs"


class TestFeatures:
    @pytest.mark.parametrize("unit", ["seconds", "epochs"])
    def test_of_one_equal_those_of_many_bit_for_bit(self, unit: str) -> None:
        benchmark = load_benchmark("digits-cpu")
        ladder = Ladder(1.0, 27.0, unit=unit)  # type: ignore[arg-type]
        features = FeatureMap(JOINT, benchmark.images, ladder, benchmark.features.cost_model)
        rows, shape = corners_and_samples(JOINT, 300), benchmark.images.shape
        many = features.many(rows, JOINT.facts(rows, shape), np.full(len(rows), 9.0))
        one = []
        for row in rows:
            configuration = JOINT.check(JOINT.configuration(row))
            one.append(features.one(configuration, JOINT.facts(configuration, shape), 9.0))
        np.testing.assert_array_equal(many, np.stack(one))
        assert np.isfinite(many).all()
        assert many.shape[1] == len(features.names)

    def test_the_death_rate_counts_in_blocks_of_one_branch_alone(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        dropped = benchmark.features.names.index("dropped")
        for branches, blocks in (((2, 3, 5), 0), ((1, 2, 2), 3), ((1, 2, 1), 3 + 2)):
            named = {f"res_branches_{block}": count for block, count in zip((1, 2, 3), branches, strict=True)}
            configuration = JOINT.check({**JOINT.named["zela-2018"], "death_rate": 0.25, **named})
            facts = JOINT.facts(configuration, benchmark.images.shape)
            assert benchmark.features.one(configuration, facts, 9.0)[dropped] == 0.25 * blocks

    def test_the_laws_of_the_device_come_near_what_was_measured(self, log: EvaluationLog) -> None:
        table = training_table(log)
        ok, cost_model = table.take(table.ok), load_benchmark("digits-cpu").features.cost_model
        for law, measured in (
            (cost_model.seconds_of_image, 1 / ok.costs[:, 3]),
            (cost_model.bytes_of_training, ok.costs[:, 2]),
        ):
            ratio = law(ok.columns, ok.facts) / measured
            # Speeds differ by a factor of 600 and memory by 100: half of all within a quarter is near.
            assert np.median(np.abs(np.log(ratio))) < 0.25


class TestQueries:
    def test_a_configspace_configuration_is_as_good_as_a_dict(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        configuration = benchmark.configspace.sample_configuration()
        assert benchmark.query(configuration, 27.0) == benchmark.query(dict(configuration), 27.0)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("learning_rate", 2.0), ("batch_size", 33.5), ("momentum", None), ("filters", "8"), ("res_blocks_1", 0)],
    )
    def test_a_value_outside_is_refused_by_name(self, name: str, value: object) -> None:
        with pytest.raises(ConfigurationError, match=name):
            load_benchmark("digits-cpu").query({**JOINT.named["zela-2018"], name: value}, 27.0)

    def test_a_batch_with_one_value_outside_is_refused_by_name(self) -> None:
        rows = corners_and_samples(JOINT, 5)
        rows[3, JOINT.names.index("filters")] = 8.5
        with pytest.raises(ConfigurationError, match="filters"):
            load_benchmark("digits-cpu").query_batch(rows, 27.0)

    @pytest.mark.parametrize("seed", ["3", 1.5, True, 2**70])
    def test_a_seed_that_is_no_integer_is_refused(self, seed: object) -> None:
        with pytest.raises(InputError, match="seed"):
            load_benchmark("digits-cpu").query(JOINT.named["zela-2018"], 27.0, seed)  # type: ignore[arg-type]

    def test_objectives_are_chosen_by_name(self) -> None:
        benchmark, names = load_benchmark("digits-cpu"), ("validation_error", "parameters", "flops", "peak_memory")
        rows = corners_and_samples(JOINT, 5)
        answers = benchmark.query_batch(rows, 27.0)
        assert answers.objectives(*names).tolist() == [list(answer.objectives(*names)) for answer in answers]
        assert answers[0].objectives("wall_seconds") == (answers[0].wall_seconds,)
        for chosen in (answers, answers[0]):
            with pytest.raises(UnknownNameError, match="validation_error"):
                chosen.objectives("status")
            with pytest.raises(UnknownNameError, match=r"objective: \(\) given, expected at least one of epochs, "):
                chosen.objectives()

    def test_an_answer_has_what_a_comparison_can_search_for(self) -> None:
        """All its metrics, those that are maximised with the other sign."""
        benchmark = load_benchmark("digits-cpu")
        answers = benchmark.query_batch(corners_and_samples(JOINT, 5), 27.0)
        for name, metric in ((name, METRICS[name]) for name in answers[0].metrics):
            losses = [metric.loss(getattr(answer, name)) for answer in answers]
            assert answers.objectives(name)[:, 0].tolist() == losses
            assert [answer.objectives(name)[0] for answer in answers] == losses
            assert benchmark.minimised(answers, name)[0].tolist() == losses
        assert {"epochs", "images_per_second"} <= answers[0].metrics.keys()

    def test_a_batch_is_a_sequence_of_answers(self) -> None:
        answers = load_benchmark("digits-cpu").query_batch(corners_and_samples(JOINT, 8), 27.0)
        assert len(answers) == 10
        assert answers[3] == list(answers)[3] == answers[2:5][1]
        assert len(load_benchmark("digits-cpu").query_batch(np.empty((0, len(JOINT.names))), 27.0)) == 0


class TestDamage:
    def test_an_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(UnknownNameError, match="digits-cpu"):
            load_benchmark("no-such-benchmark")

    @pytest.mark.parametrize("content", ["{}", '{"models": null}'])
    def test_a_manifest_without_a_checksum_is_refused_and_not_the_models(self, damaged: Path, content: str) -> None:
        (damaged / MANIFEST).write_text(content, encoding="utf-8")
        with pytest.raises(
            BenchmarkError, match=rf"{MANIFEST}' given, expected what `jointbench fit` wrote, whose entry"
        ):
            load_benchmark(damaged)

    @pytest.mark.parametrize("file", [MANIFEST, MODELS])
    def test_a_missing_file_is_refused(self, damaged: Path, file: str) -> None:
        (damaged / file).unlink()
        with pytest.raises(BenchmarkError, match=file):
            load_benchmark(damaged)

    def test_content_that_does_not_fit_its_checksum_is_refused(self, damaged: Path) -> None:
        model = damaged / MODELS
        model.write_bytes(model.read_bytes()[:-10])
        with pytest.raises(BenchmarkError, match="checksum"):
            load_benchmark(damaged)

    @pytest.mark.parametrize("file", [MANIFEST, MODELS])
    def test_a_link_out_of_the_folder_is_refused(self, damaged: Path, file: str, tmp_path: Path) -> None:
        (damaged / file).rename(tmp_path / file)
        (damaged / file).symlink_to(tmp_path / file)
        with pytest.raises(BenchmarkError, match="a plain file"):
            load_benchmark(damaged)

    @pytest.mark.parametrize(
        "key",
        ["format_version", "version", "space", "ladder", "images", "features", "laws", "members", "noise", "odds"],
    )
    @pytest.mark.parametrize("value", [None, -1, "nonsense", [], {}, {"floor": float("nan")}])
    def test_a_manifest_that_makes_no_sense_is_refused(self, damaged: Path, key: str, value: object) -> None:
        self.edit(damaged, lambda manifest: manifest.update({key: value}))
        with pytest.raises(BenchmarkError):
            load_benchmark(damaged)

    def test_a_model_of_another_target_is_refused(self, damaged: Path) -> None:
        models = split_ubjson((damaged / MODELS).read_bytes())
        models["costs"] = models["errors-0"]
        with pytest.raises(BenchmarkError, match="as many outputs"):
            Benchmark(json.loads((damaged / MANIFEST).read_text(encoding="utf-8")), join_models(models), "mixed up")

    def edit(self, folder: Path, change: Callable[[dict[str, object]], None]) -> None:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        change(manifest)
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def test_a_failure_carries_the_error_of_guessing_and_its_own_costs() -> None:
    benchmark = load_benchmark("digits-cpu")
    answer = benchmark.query(JOINT.configuration(corners_and_samples(JOINT, 0)[1]), 27.0)
    # The largest network of the space needs a thousand times the memory that the collection allowed.
    assert answer.status is Status.OUT_OF_MEMORY
    assert answer.validation_error == answer.test_error == 0.9
    assert answer.wall_seconds < 27.0
