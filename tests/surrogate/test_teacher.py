"""The Gaussian process that teaches, and the trees that learn from it."""

import hashlib
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from comparing import small
from scipy.optimize import approx_fprime

from jointbench.bench.comparing.extrapolation import extrapolation
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.extrapolation_section import extrapolation_section
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.data.spaces.joint import JOINT, JOINT_SMALL
from jointbench.surrogate.contract import CHECKS, Check, corners_and_samples
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.gaussian_process import GaussianProcess, Kernel, _kernel, _loss
from jointbench.surrogate.golden import check_golden, golden
from jointbench.surrogate.inputs import Inputs
from jointbench.surrogate.judging.baselines import PredictLogits
from jointbench.surrogate.judging.doubt_check import doubt_check
from jointbench.surrogate.judging.ingredients import ingredients
from jointbench.surrogate.judging.scores import scores
from jointbench.surrogate.manifest import BOUNDED_FORMAT
from jointbench.surrogate.models import error_models
from jointbench.surrogate.noise import ErrorScale, Noise
from jointbench.surrogate.scales import Measures, MetricScale
from jointbench.surrogate.stored import load_benchmark, read_benchmark, released
from jointbench.surrogate.strange import tolerant
from jointbench.surrogate.student import DISTILLED, Distillation, questions
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import TrainingTable, training_table
from jointbench.surrogate.teacher import Teacher, error_logits, rung_numbers

#: A student that learns enough to be told from chance, in a tenth of a second.
SMALL = Distillation(questions=1_000, rounds=24, max_depth=5)


@pytest.fixture(scope="module")
def log() -> EvaluationLog:
    return EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")


@pytest.fixture(scope="module")
def few(log: EvaluationLog) -> TrainingTable:
    """A quarter of the trainings that ended ok."""
    table = training_table(log)
    ok = table.take(table.ok)
    return ok.take(ok.group % 4 == 0)


@pytest.fixture(scope="module")
def teacher(few: TrainingTable) -> Teacher:
    return Teacher.fit(few.take(few.group % 8 == 0), 0)


@pytest.fixture(scope="module")
def part(log: EvaluationLog, tmp_path_factory: pytest.TempPathFactory) -> EvaluationLog:
    """The log of a third of the configurations."""
    third = EvaluationLog.open_or_create(tmp_path_factory.mktemp("part") / "log", log.space, log.ladder, log.images)
    chosen = training_table(log).group % 3 == 0
    third.append([evaluation for evaluation, use in zip(log.evaluations(), chosen, strict=True) if use])
    return third


@pytest.fixture(scope="module")
def surrogate(part: EvaluationLog) -> Surrogate:
    return Surrogate.fit(part, "taught", settings=SMALL, partitions=1)


def made_up(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs of which the first of five matters, outputs with noise of 0.1 or 0.5, and which of the two."""
    rng = np.random.default_rng(seed)
    x, kind = rng.normal(size=(count, 5)), rng.integers(2, size=count)
    truth = np.stack([np.sin(2 * x[:, 0]), np.cos(2 * x[:, 0])], axis=1)
    return x, truth + np.array([0.1, 0.5])[kind][:, None] * rng.normal(size=(count, 2)), kind


class TestGaussianProcess:
    def test_the_gradient_is_that_of_the_loss(self) -> None:
        x, y, kind = made_up(30)
        logs = np.log(np.concatenate([[1.3], np.linspace(1, 5, 5), [0.2, 0.4]]))
        numeric = approx_fprime(logs, lambda at: _loss(_kernel(at, 5), x, y, kind)[0], 1e-6)
        np.testing.assert_allclose(_loss(_kernel(logs, 5), x, y, kind)[1], numeric, rtol=1e-3, atol=1e-3)

    def test_the_gradient_is_that_of_the_loss_where_groups_share_something(self) -> None:
        x, y, kind = made_up(30)
        logs, group = np.log(np.concatenate([[1.3], np.linspace(1, 5, 5), [0.2, 0.4], [0.3]])), np.arange(30) // 3
        known = np.linspace(0.0, 0.5, 30)
        numeric = approx_fprime(logs, lambda at: _loss(_kernel(at, 5, 2), x, y, kind, known, group)[0], 1e-6)
        exact = _loss(_kernel(logs, 5, 2), x, y, kind, known, group)[1]
        np.testing.assert_allclose(exact, numeric, rtol=1e-3, atol=1e-3)

    def test_what_a_group_shares_is_not_taken_for_the_signal(self) -> None:
        rng = np.random.default_rng(3)
        # Four observations of each of 60 groups, at the same place, with luck that they share.
        x, group = np.repeat(rng.normal(size=(60, 2)), 4, axis=0), np.repeat(np.arange(60), 4)
        truth = np.sin(x[:, :1])
        y, kind = truth + np.repeat(rng.normal(size=(60, 1)), 4, axis=0) * 0.5, np.zeros(240, dtype=np.int64)
        asked = rng.normal(size=(200, 2))
        off = []
        for of in (group, None):
            kernel = Kernel.start(2, 1).search(x, y, kind, 60, group=of)
            process = GaussianProcess(kernel, x, y, kind, group=of)
            off.append(np.mean((process.mean(asked) - np.sin(asked[:, :1])) ** 2))
        assert off[0] < off[1]
        assert Kernel.start(2, 1).search(x, y, kind, 60, group=group).shared == pytest.approx(0.25, rel=0.5)

    def test_without_groups_that_have_several_nothing_is_shared(self) -> None:
        x, y, kind = made_up(30)
        assert Kernel.start(5, 2).search(x, y, kind, 5, group=np.arange(30)).shared == 0

    def test_it_is_scikit_learn_s_with_the_same_kernel(self) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern

        (x, y, kind), lengths = made_up(40), np.linspace(1, 5, 5)
        ours = GaussianProcess(Kernel(1.3, lengths, np.array([0.2, 0.4])), x, y, kind)
        theirs = GaussianProcessRegressor(
            ConstantKernel(1.3) * Matern(lengths, nu=2.5), alpha=np.array([0.2, 0.4])[kind], optimizer=None
        ).fit(x, y)
        asked = np.random.default_rng(1).normal(size=(20, 5))
        mean, deviation = theirs.predict(asked, return_std=True)
        np.testing.assert_allclose(ours.mean(asked), mean, atol=1e-10)
        np.testing.assert_allclose(ours.variance(asked), deviation[:, 0] ** 2, atol=1e-10)

    def test_what_it_says_without_a_part_is_what_a_process_without_it_says(self) -> None:
        x, y, kind = made_up(40)
        kernel, part = Kernel(1.3, np.linspace(1, 5, 5), np.array([0.2, 0.4])), np.arange(40) % 3
        said = GaussianProcess(kernel, x, y, kind).held_out(part)
        for number in range(3):
            rest = part != number
            alone = GaussianProcess(kernel, x[rest], y[rest], kind[rest])
            np.testing.assert_allclose(said[~rest], alone.mean(x[~rest]), atol=1e-9)

    def test_what_is_known_of_an_observation_s_noise_adds_to_that_of_its_kind(self) -> None:
        x, y, kind = made_up(40)
        lengths, known = np.linspace(1, 5, 5), np.linspace(0, 1, 40)
        ours = GaussianProcess(Kernel(1.3, lengths, np.array([0.2, 0.4])), x, y, kind, known)
        noise = np.array([0.2, 0.4])[kind] + known
        theirs = GaussianProcess(Kernel(1.3, lengths, noise), x, y, np.arange(40))
        asked = np.random.default_rng(1).normal(size=(20, 5))
        np.testing.assert_allclose(ours.mean(asked), theirs.mean(asked), atol=1e-10)
        np.testing.assert_allclose(ours.variance(asked), theirs.variance(asked), atol=1e-10)
        logs = np.log(np.concatenate([[1.3], lengths, [0.2, 0.4]]))
        numeric = approx_fprime(logs, lambda at: _loss(_kernel(at, 5), x, y, kind, known)[0], 1e-6)
        np.testing.assert_allclose(_loss(_kernel(logs, 5), x, y, kind, known)[1], numeric, rtol=1e-3, atol=1e-3)

    def test_apart_is_how_far_it_lies_from_what_is_said_without_it(self) -> None:
        x, y, kind = made_up(40)
        kernel, known = Kernel(1.3, np.linspace(1, 5, 5), np.array([0.2, 0.4])), np.linspace(0, 1, 40)
        apart, expected = GaussianProcess(kernel, x, y, kind, known).apart(np.arange(40) // 2)
        for number in (0, 7):
            rest = np.arange(40) // 2 != number
            alone = GaussianProcess(kernel, x[rest], y[rest], kind[rest], known[rest])
            np.testing.assert_allclose(apart[~rest], y[~rest] - alone.mean(x[~rest]), atol=1e-9)
            # What is known of its own noise is not in it.
            variance = alone.variance(x[~rest]) + kernel.noise[kind[~rest]]
            np.testing.assert_allclose(expected[~rest], variance, atol=1e-9)

    def test_a_search_finds_what_matters_and_the_noises(self) -> None:
        x, y, kind = made_up(300)
        found = Kernel.start(5, 2).search(x, y, kind, 60)
        assert found.lengths[0] < 3 < found.lengths[1:].min()
        assert found.noise == pytest.approx([0.01, 0.25], rel=0.3)

    def test_nothing_asked_is_nothing_said(self) -> None:
        process = GaussianProcess(Kernel.start(5, 2), *made_up(10))
        assert process.mean(np.empty((0, 5))).shape == (0, 2)
        assert process.variance(np.empty((0, 5))).shape == (0,)


class TestTeacher:
    def test_it_explains_more_with_logarithms(self, few: TrainingTable) -> None:
        seen, unseen = few.take(few.group % 8 == 0), few.take(few.group % 8 != 0)
        real = error_logits(unseen)
        off = [np.mean((Teacher.fit(seen, 0, logarithms=use).logits(unseen) - real) ** 2) for use in (True, False)]
        assert off[0] < off[1] < real.var()

    def test_who_knows_more_beside_the_process_has_the_larger_share(self, few: TrainingTable) -> None:
        seen, unseen = few.take(few.group % 8 == 0), few.take(few.group % 8 != 0)
        good = Teacher.fit(seen, 0, stacked=False)
        x, y, kind = good.inputs.scaled(seen), good.process.observed, rung_numbers(seen)
        # One that believes in noise alone.
        blind = replace(
            good, process=GaussianProcess(Kernel(0.05, np.full(x.shape[1], 1e3), np.full(4, 3.0)), x, y, kind)
        )
        all_worked = np.ones(len(seen), dtype=bool)
        helped = blind.with_beside(all_worked, 0)
        assert helped.beside is not None
        assert helped.beside.networks is None
        of_process, of_trees = helped.beside.shares
        np.testing.assert_allclose(of_process + of_trees, 1)
        assert of_trees.min() > 0.5
        real = error_logits(unseen)
        off = [np.mean((one.logits(unseen) - real) ** 2) for one in (helped, blind)]
        assert off[0] < off[1]
        # On this data the process knows more, by far.
        mixed = good.with_beside(all_worked, 0).beside
        assert mixed is None or mixed.shares[1].max() < 0.5

    def test_where_there_is_much_to_learn_from_networks_and_other_processes_are_asked(
        self, few: TrainingTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen, unseen = few.take(few.group % 8 == 0), few.take(few.group % 8 != 0)
        monkeypatch.setattr("jointbench.surrogate.beside.MANY", len(seen))
        alone = Teacher.fit(seen, 0, stacked=False)
        all_worked = np.ones(len(seen), dtype=bool)
        first, again = (alone.with_beside(all_worked, 0) for _ in range(2))
        assert first.beside is not None
        assert first.beside.networks is not None
        assert len(first.beside.networks.members) == 3
        assert len(first.beside.processes) == 2
        np.testing.assert_allclose(first.beside.shares.sum(axis=0), 1)
        np.testing.assert_array_equal(first.logits(unseen), again.logits(unseen))
        # No further out than what was learned from.
        said = first.beside.networks.predict(1e3 * first.inputs.scaled(unseen))
        assert (said <= first.process.observed.max(axis=0)).all()
        assert (said >= first.process.observed.min(axis=0)).all()

    def test_trees_and_networks_learn_nothing_from_what_did_not_work(
        self, few: TrainingTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = few.take(few.group % 8 == 0)
        monkeypatch.setattr("jointbench.surrogate.beside.MANY", len(seen))
        worked = np.arange(len(seen)) % 5 > 0
        collapsed = replace(seen, errors=np.where(worked[:, None], seen.errors, 0.9))
        # Of one scale, so that what did not work makes no other difference.
        alone = Teacher.fit(seen, 0, stacked=False)
        y = (error_logits(collapsed) - alone.mean) / alone.deviation
        process = alone.process
        hit = replace(
            alone, process=GaussianProcess(process.kernel, alone.inputs.scaled(seen), y, process.kind, process.known)
        )
        first, second = (one.with_beside(worked, 0).beside for one in (alone, hit))
        assert first is not None
        assert second is not None
        assert first.networks is not None
        assert second.networks is not None
        x = alone.inputs.scaled(few)
        np.testing.assert_array_equal(first.networks.predict(x), second.networks.predict(x))
        assert first.trees.save_raw("ubj") == second.trees.save_raw("ubj")

    def test_a_process_that_takes_the_strange_for_noise_is_asked_where_it_says_more_of_what_was_not_seen(
        self, few: TrainingTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = few.take(few.group % 2 == 0)
        monkeypatch.setattr("jointbench.surrogate.beside.MANY", len(seen))
        alone = Teacher.fit(seen, 0, stacked=False)
        x, clean, kind = alone.inputs.scaled(seen), alone.process.observed, alone.process.kind
        bad_luck = np.random.default_rng(0).random(len(seen)) < 0.05
        kernel = Kernel(1.0, alone.process.kernel.lengths, np.full(4, 0.05))
        process = GaussianProcess(kernel, x, clean + 8.0 * bad_luck[:, None], kind)
        mild = tolerant(process, seen.parted, np.zeros(len(seen)), np.arange(len(seen)))
        assert bad_luck[mild.known > 0].mean() > 0.5
        worked = np.ones(len(seen), dtype=bool)
        asked = replace(alone, process=process).with_beside(worked, 0, mild).beside
        # One that believes in noise alone, where the process knows more.
        blind = alone.process.again(Kernel(0.05, np.full(x.shape[1], 1e3), np.full(4, 3.0)), 0.0)
        not_asked = alone.with_beside(worked, 0, blind).beside
        assert asked is not None
        assert not_asked is not None
        assert asked.mild is mild
        assert not_asked.mild is None
        for one, learners in ((asked, 4), (not_asked, 3)):
            assert len(one.shares) == learners
            np.testing.assert_allclose(one.shares.sum(axis=0), 1)
            assert one.mixed(process.mean(x), alone.inputs.raw(seen), x).shape == clean.shape

    def test_of_many_trainings_on_images_others_are_asked_too(
        self, few: TrainingTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = few.take(few.group % 8 == 0)
        for home in ("beside", "teacher"):
            monkeypatch.setattr(f"jointbench.surrogate.{home}.MANY", len(seen))
        made = Teacher.fit(seen, 0)
        assert made.beside is not None
        assert made.beside.networks is not None
        assert made.bounds is not None
        assert Teacher.fit(seen, 0, stacked=False).beside is None

    def test_of_few_trainings_on_images_it_is_the_process_alone(self, few: TrainingTable) -> None:
        seen = few.take(few.group % 8 == 0)
        # Stripes, which trees follow more closely.
        first = seen.rows[:, 0]
        stripes = 0.2 + 0.5 * (np.digitize(first, np.quantile(first, [0.25, 0.5, 0.75])) % 2)
        striped = replace(seen, errors=np.stack([stripes, stripes], axis=1))
        fitted, alone = Teacher.fit(striped, 0), Teacher.fit(striped, 0, shared=False, stacked=False)
        assert fitted.beside is None
        assert fitted.process.kernel.shared == 0
        np.testing.assert_array_equal(fitted.logits(few), alone.logits(few))
        metrics = (Metric("loss"), Metric("other"))
        scales = tuple(MetricScale.fit(metric, stripes) for metric in metrics)
        assert Teacher.fit(replace(striped, measures=Measures(metrics, scales, ())), 0).beside is not None

    def test_it_knows_least_far_from_what_it_saw(self, teacher: Teacher) -> None:
        corners = replace(
            teacher.seen.take(np.zeros(2, dtype=np.int64)), rows=corners_and_samples(JOINT, 0), budgets=np.full(2, 27.0)
        )
        assert teacher.variance(corners).min() > np.quantile(teacher.variance(teacher.seen), 0.9)

    def test_it_is_surprised_by_what_lies_apart(self, few: TrainingTable) -> None:
        seen = few.take(few.group % 8 == 0)
        errors = seen.errors.copy()
        errors[0] = 0.9 if errors[0, 0] < 0.5 else 0.01
        assert Teacher.fit(replace(seen, errors=errors), 0).surprise()[0] > 1.0

    def test_each_budget_is_of_the_nearest_rung(self, few: TrainingTable) -> None:
        assert (np.array(few.ladder.rungs)[rung_numbers(few)] == few.budgets).all()

    def test_what_never_differs_in_the_training_part_says_nothing(self, few: TrainingTable) -> None:
        one = few.take(few.budgets == 27)
        scaled = Inputs(one).scaled(few)
        assert np.isfinite(scaled).all()
        # The budget comes behind the hyperparameters.
        assert (scaled[:, len(JOINT.names)] == 0).all()


class TestQuestions:
    def test_they_lie_inside_the_space_at_rungs(self, few: TrainingTable) -> None:
        asked = questions(few, SMALL, 0)
        assert len(asked) == 1_000
        assert set(asked.budgets) == set(few.ladder.rungs)
        for row in asked.rows[:50]:
            JOINT.check(JOINT.configuration(row))

    def test_most_are_near_what_was_trained_and_nearer_to_the_best(self, few: TrainingTable) -> None:
        asked = few.space.encode(questions(few, replace(SMALL, even=0.0), 0).rows)
        trained, even = few.space.encode(few.rows), np.random.default_rng(0).random(asked.shape)

        def apart(points: np.ndarray, others: np.ndarray) -> np.ndarray:
            return np.sqrt(((points[:, None] - others) ** 2).sum(axis=2))

        assert np.median(apart(asked, trained).min(axis=1)) < np.median(apart(even, trained).min(axis=1)) / 2
        order = few.errors[:, 0].argsort()
        nearest = np.bincount(apart(asked, trained[order]).argmin(axis=1), minlength=len(few))
        assert nearest[: len(few) // 4].sum() > 1.5 * nearest[-len(few) // 4 :].sum()

    def test_one_seed_asks_the_same(self, few: TrainingTable) -> None:
        first, again, other = (questions(few, SMALL, seed) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first.rows, again.rows)
        assert (first.rows != other.rows).any()


class TestStudent:
    def test_it_says_nearly_what_the_teacher_says(self, few: TrainingTable, teacher: Teacher) -> None:
        learnt = error_models(teacher.seen, 0, replace(SMALL, questions=4_000, rounds=64, max_depth=6))
        asked = questions(few, replace(SMALL, questions=500), 9)
        said, taught = learnt.logits(asked), teacher.logits(asked)
        assert np.mean((said - taught) ** 2) < 0.1 * taught.var()

    def test_it_is_the_same_for_the_same_seed(self, log: EvaluationLog, few: TrainingTable) -> None:
        logits = [error_models(few, seed, SMALL).logits(few) for seed in (0, 0, 1)]
        np.testing.assert_array_equal(logits[0], logits[1])
        assert (logits[0] != logits[2]).any()


class TestDistilledBenchmark:
    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_keeps_the_contract(self, surrogate: Surrogate, check: Check) -> None:
        check(surrogate.benchmark)

    def test_it_is_frozen_and_answers_alike_compiled_or_not(self, surrogate: Surrogate, tmp_path: Path) -> None:
        surrogate.save(tmp_path / "taught")
        frozen, content = read_benchmark(tmp_path / "taught"), golden(surrogate.benchmark)
        assert frozen.manifest.format_version == BOUNDED_FORMAT
        count = check_golden(frozen, content)
        frozen.accelerate()
        assert check_golden(frozen, content) == count > 100

    def test_it_predicts_what_it_has_not_seen(self, surrogate: Surrogate) -> None:
        table, held_out = surrogate.held_out.table, surrogate.held_out
        found = scores(table.errors[table.ok, 1], held_out.errors[table.ok, 1])
        assert found["r2"] > 0.7

    def test_its_uncertainty_is_the_teacher_s(self, surrogate: Surrogate) -> None:
        table = surrogate.held_out.table
        ok, benchmark = table.take(table.ok), surrogate.benchmark
        answers = benchmark.query_batch(ok.rows, ok.budgets)
        scale = ErrorScale(ok.images.validation)
        assert answers.uncertainty is not None
        said = np.log(answers.uncertainty * scale.slope(answers.validation_error))
        taught = np.log(Teacher.fit(ok, 0).variance(ok)) / 2
        assert np.corrcoef(said, taught)[0, 1] > 0.8
        single = benchmark.query(JOINT.configuration(ok.rows[0]), float(ok.budgets[0]))
        assert single.uncertainty == answers.uncertainty[0] == answers[0].uncertainty

    def test_what_is_far_from_all_trainings_is_less_certain(self, surrogate: Surrogate) -> None:
        table = surrogate.held_out.table
        spread = [
            surrogate.benchmark.query_batch(rows, 27.0).uncertainty
            for rows in (table.rows[table.ok & (table.budgets == 27)], corners_and_samples(JOINT, 300)[2:])
        ]
        assert spread[0] is not None
        assert np.median(spread[0]) < np.median(spread[1])  # type: ignore[arg-type]

    def test_a_benchmark_of_format_3_has_none_and_its_golden_answers_stay(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        assert benchmark.manifest.format_version == 3
        assert benchmark.query(JOINT.named["zela-2018"], 27.0).uncertainty is None
        answers = benchmark.query_batch(corners_and_samples(JOINT, 2), 27.0)
        assert answers.uncertainty is None
        assert {answer.uncertainty for answer in answers} == {answers[0].uncertainty} == {None}
        content = (released()["digits-cpu"] / "golden.json").read_text(encoding="utf-8")
        assert hashlib.sha256(content.encode()).hexdigest()[:8] == GOLDEN_OF_VERSION_2
        assert check_golden(benchmark, content) == 130


#: Of the golden answers that version 2 was published with.
GOLDEN_OF_VERSION_2 = "cc0ea2bd"


def test_features_work_for_any_joint_space(surrogate: Surrogate) -> None:
    made, rows = surrogate.benchmark.features, corners_and_samples(JOINT_SMALL, 5)
    small_features = FeatureMap(JOINT_SMALL, made.images, made.ladder, made.cost_model)
    facts = JOINT_SMALL.facts(rows, made.images.shape)
    many = small_features.many(rows, facts, np.full(len(rows), 9.0))
    assert np.isfinite(many).all()
    # What the wider space has as well has the same features there.
    inside = (rows >= [h.low for h in JOINT.hyperparameters]) & (rows <= [h.high for h in JOINT.hyperparameters])
    for row, features in zip(rows[inside.all(axis=1)], many[inside.all(axis=1)], strict=True):
        configuration = JOINT.check(JOINT.configuration(row))
        wide = made.one(configuration, JOINT.facts(configuration, made.images.shape), 9.0)
        np.testing.assert_array_equal(features, wide)


def test_ingredients_are_judged_on_what_they_have_not_seen(part: EvaluationLog) -> None:
    asked: list[bool] = []

    def spy(ok: TrainingTable, seed: int, teacher: Teacher) -> PredictLogits:
        def predict(table: TrainingTable) -> np.ndarray:
            asked.append(bool({*ok.group.tolist(), *teacher.seen.group.tolist()} & set(table.group.tolist())))
            return error_logits(table)

        return predict

    rows = ingredients(training_table(part), 0, 2, {"knows all": spy})
    assert asked == [False] * 10
    assert [row["error"] for row in rows] == ["validation", "test"]
    for row in rows:
        assert [row["r2"], row["best_spearman"], row["best_relative_bias"]] == pytest.approx([1.0, 1.0, 0.0])


def test_the_default_is_written_into_the_provenance(surrogate: Surrogate) -> None:
    written = {**asdict(SMALL), "units": list(SMALL.units)}
    assert surrogate.benchmark.provenance["settings"] == written != asdict(DISTILLED)


def test_a_comparison_says_what_is_not_known_of_its_incumbents(surrogate: Surrogate, tmp_path: Path) -> None:
    surrogate.save(tmp_path / "taught")
    objective = SurrogateObjective(load_benchmark(tmp_path / "taught"))
    small(tmp_path / "comparison", objective=objective)
    found = extrapolation(tmp_path / "comparison")
    assert [row.optimizer for row in found] == ["hyperband", "random"]
    for row in found:
        assert 0 < row.median <= row.most < 0.5
    page = "".join(extrapolation_section(tmp_path / "comparison", styles(row.optimizer for row in found)))
    assert f"{found[0].median:.2%}" in page
    # What answers otherwise by now says nothing of them.
    shutil.rmtree(tmp_path / "taught")
    assert extrapolation(tmp_path / "comparison") == []


def test_a_comparison_on_a_benchmark_of_format_3_says_nothing_of_it(tmp_path: Path) -> None:
    small(tmp_path, names=("random",), seeds=1)
    assert extrapolation(tmp_path) == extrapolation_section(tmp_path, {}) == []


class TestDoubts:
    def test_doubts_of_the_right_size_are_covered_as_they_say(self, surrogate: Surrogate) -> None:
        held_out, rng = surrogate.held_out, np.random.default_rng(0)
        table, logit = held_out.table, rng.normal(-1, 1, len(held_out.table))
        scale = ErrorScale(100_000)
        images = replace(table.images, validation=scale.images)
        unknown = rng.exponential(0.2, len(table))
        real = scale.from_logit(logit + np.sqrt(unknown) * rng.normal(size=len(table)))
        made = replace(
            held_out,
            table=replace(table, images=images, errors=np.stack([real, real], axis=1)),
            errors=np.stack([scale.from_logit(logit)] * 2, axis=1),
            noise=Noise(0.0, 0.0, 0.0),
            uncertainty=unknown,
        )
        whole = doubt_check(made)[-1]
        for level in (50, 80, 95):
            # Some 300 trainings: a standard error of 0.03 at 50 %.
            assert whole[f"coverage_{level}"] == pytest.approx(level / 100, abs=0.09)
        assert whole["spearman"] > 0.2
        doubled = doubt_check(replace(made, uncertainty=4 * unknown))[-1]
        assert doubled["coverage_50"] > 0.7

    def test_an_ensemble_has_none(self, surrogate: Surrogate) -> None:
        assert doubt_check(replace(surrogate.held_out, uncertainty=None)) == []
        assert doubt_check(surrogate.held_out)[-1]["n"] == surrogate.held_out.table.ok.sum()


def test_trainings_that_collapsed_by_luck_do_not_make_their_neighbours_look_bad(few: TrainingTable) -> None:
    """A few of the good ones end near guessing; what is said of the others hardly moves."""
    good = few.take(few.group % 2 == 0)
    collapsed = np.argsort(good.errors[:, 0])[np.array([3, 9, 17])]
    errors = good.errors.copy()
    errors[collapsed] = 0.9
    others = np.setdiff1d(np.arange(len(good)), collapsed)
    clean = Teacher.fit(good, 0)
    hit = Teacher.fit(replace(good, errors=errors), 0)
    moved = np.abs(hit.logits(good)[others, 0] - clean.logits(good)[others, 0])
    assert np.median(moved) < 0.1
    # What is said of those that collapsed is what their neighbours got, not their bad luck.
    assert (hit.logits(good)[collapsed, 0] < 0).all()


def test_nobody_is_promised_what_nobody_has_come_near(few: TrainingTable) -> None:
    """However far it goes on below the best, the answer stays near it, and in its order."""
    teacher = Teacher.fit(few, 0)
    assert teacher.bounds is not None
    lowest, below = (np.array(side)[rung_numbers(few)] for side in (teacher.bounds.lowest, teacher.bounds.below))
    steps = np.linspace(0.5, -3.0, 30)[:, None]
    one = few.take(np.zeros(30, dtype=np.int64))
    said = np.stack(teacher.bounds.bound(list((lowest[:1] + steps).T), one.budgets), axis=1)
    assert (np.diff(said, axis=0) < 0).all()
    np.testing.assert_allclose(said[steps[:, 0] >= 0], (lowest[:1] + steps)[steps[:, 0] >= 0], atol=1e-12)
    assert (said > lowest[:1] - below[:1]).all()
    assert (teacher.logits(few) > lowest - below).all()


def test_where_trainings_collapse_is_told_apart_from_how_good_they_are_if_they_work(few: TrainingTable) -> None:
    """Those with the largest steps end near guessing; the others are said to be what they were."""
    at = few.space.names.index("learning_rate")
    collapsed = few.rows[:, at] > np.quantile(few.rows[:, at], 0.85)
    errors = np.where(collapsed[:, None], 0.9, few.errors)
    teacher = Teacher.fit(replace(few, errors=errors), 0)
    said = np.stack([s.from_logit(z) for s, z in zip(few.scales, teacher.logits(few).T, strict=True)], axis=1)
    assert np.median(said[collapsed, 0]) > 0.7
    clean = Teacher.fit(few.take(~collapsed), 0).logits(few.take(~collapsed))[:, 0]
    assert np.median(np.abs(teacher.logits(few)[~collapsed, 0] - clean)) < 0.1
