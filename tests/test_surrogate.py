"""Fitting, freezing and querying, on the released log of real trainings."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.data.errors import BenchmarkError, BudgetError, ConfigurationError, LogError, UnknownNameError
from jointbench.data.evaluation import Status
from jointbench.data.joint import JOINT
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import MANIFEST, load_benchmark, released
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import training_table
from jointbench.surrogate.transform import ErrorScale, normals
from jointbench.surrogate.trees import Forest

SHIPPED = sorted(released())


@pytest.fixture(scope="session")
def log() -> EvaluationLog:
    return EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")


@pytest.fixture(scope="session")
def fitted(log: EvaluationLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted") / "refitted"
    Surrogate.fit(log, "refitted").save(folder)
    return folder


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A copy of the shipped benchmark, to be damaged."""
    return Path(shutil.copytree(released()["digits-cpu"], tmp_path / "damaged"))


def corners_and_samples(count: int) -> np.ndarray:
    """Both ends of every range, and random configurations."""
    low = [[h.low for h in JOINT.hyperparameters]]
    high = [[h.high for h in JOINT.hyperparameters]]
    return np.concatenate([low, high, JOINT.rows(JOINT.sample(np.random.default_rng(0), count))])


def test_digits_cpu_ships() -> None:
    assert "digits-cpu" in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
class TestEveryShippedBenchmark:
    """The contract of a benchmark."""

    def test_says_what_it_is(self, name: str) -> None:
        benchmark = load_benchmark(name)
        assert benchmark.name == name
        assert len(benchmark.space) == len(benchmark.search_space.hyperparameters)
        assert "R2" in (released()[name] / "card.md").read_text()

    def test_answers_are_plausible_everywhere(self, name: str) -> None:
        benchmark = load_benchmark(name)
        for budget in benchmark.ladder.rungs:
            for seed in (None, 1):
                for answer in benchmark.query_batch(corners_and_samples(50), budget, seed):
                    assert 0 <= answer.validation_error <= 1
                    assert 0 <= answer.test_error <= 1
                    assert 0 < answer.training_seconds <= answer.wall_seconds < np.inf
                    assert 0 <= answer.failure_probability <= 1
                    assert answer.status is Status.OK or answer.failure_probability > 0

    def test_batch_equals_single(self, name: str) -> None:
        benchmark = load_benchmark(name)
        rows = corners_and_samples(40)
        for seed in (None, 7):
            batch = benchmark.query_batch(rows, benchmark.ladder.maximum, seed)
            single = [
                benchmark.query(benchmark.search_space.configuration(row), benchmark.ladder.maximum, seed)
                for row in rows
            ]
            assert batch == single

    def test_same_seed_same_answer_other_seed_other_answer(self, name: str) -> None:
        benchmark = load_benchmark(name)
        configuration = benchmark.search_space.sample(np.random.default_rng(1))[0]
        draws = [benchmark.query(configuration, benchmark.ladder.minimum, seed) for seed in range(30)]
        again = load_benchmark(name)
        assert draws == [again.query(configuration, benchmark.ladder.minimum, seed) for seed in range(30)]
        assert len({draw.validation_error for draw in draws}) > 1

    def test_shipped_model_is_what_fit_makes_of_the_shipped_log(self, name: str) -> None:
        shipped = load_benchmark(name)
        log = EvaluationLog.open(released()[name] / "evaluations.parquet")
        again = Surrogate.fit(log, name, seed=shipped.provenance["seed"]).benchmark
        # The bits of a fit may differ between processors and XGBoost releases; the answers hardly do.
        rows = corners_and_samples(200)
        ours = [a.validation_error for a in shipped.query_batch(rows, shipped.ladder.maximum)]
        theirs = [a.validation_error for a in again.query_batch(rows, shipped.ladder.maximum)]
        assert np.corrcoef(ours, theirs)[0, 1] > 0.99


def test_our_trees_equal_xgboost(fitted: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    benchmark = load_benchmark(fitted)
    features = benchmark.features.many(corners_and_samples(5000), 27.0)
    ours = benchmark._forest.many(features)
    for column, name in enumerate(benchmark.checksums):
        booster = xgboost.Booster(model_file=str(fitted / name))
        theirs = booster.predict(xgboost.DMatrix(features), output_margin=True)
        # Both add float32 leaves, in another order: a few units of the last place of the sum.
        np.testing.assert_allclose(ours[:, column], theirs, rtol=1e-5, atol=1e-6)


def test_frozen_surrogate_answers_as_the_one_in_hand(log: EvaluationLog, fitted: Path) -> None:
    in_hand, frozen = Surrogate.fit(log, "refitted").benchmark, load_benchmark(fitted)
    rows = corners_and_samples(20)
    assert in_hand.query_batch(rows, 3.0, 5) == frozen.query_batch(rows, 3.0, 5)
    assert in_hand.checksum == frozen.checksum


def test_features_of_one_equal_those_of_many() -> None:
    benchmark = load_benchmark("digits-cpu")
    features = FeatureMap(JOINT, benchmark.images)
    rows = corners_and_samples(100)
    many = features.many(rows, 9.0)
    one = np.stack([features.one(JOINT.check(JOINT.configuration(row)), 9.0) for row in rows])
    np.testing.assert_array_equal(many, one)
    assert many.shape[1] == len(features.names)


def test_evaluations_of_one_configuration_are_never_parted(log: EvaluationLog) -> None:
    table = training_table(log, FeatureMap(log.space, log.images))
    hyperparameters = table.features[:, : len(log.space.names)]
    for group in np.unique(table.group):
        assert len(np.unique(hyperparameters[table.group == group], axis=0)) == 1
    assert len(np.unique(table.group)) == len(np.unique(hyperparameters, axis=0))


def test_a_log_with_too_little_is_refused(log: EvaluationLog, tmp_path: Path) -> None:
    small = EvaluationLog.open_or_create(tmp_path / "log", log.space, log.ladder, log.images)
    small.append([next(log.evaluations())])
    with pytest.raises(LogError, match="at least 20 configurations"):
        Surrogate.fit(small, "small")


class TestBudgets:
    def test_between_rungs_is_interpolated_and_marked(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        configuration = JOINT.named["shake-shake-26-2x32d"]
        low, middle, high = (benchmark.query(configuration, budget) for budget in (9.0, 15.0, 27.0))
        assert middle.interpolated
        assert not low.interpolated
        errors = sorted((low.validation_error, high.validation_error))
        assert errors[0] <= middle.validation_error <= errors[1]
        assert low.training_seconds < middle.training_seconds < high.training_seconds

    @pytest.mark.parametrize("budget", [0.5, 0, -1, 27.1, float("nan"), float("inf"), "9", True, None])
    def test_outside_is_refused(self, budget: object) -> None:
        with pytest.raises(BudgetError, match="budget"):
            load_benchmark("digits-cpu").query(JOINT.named["zela-2018"], budget)  # type: ignore[arg-type]


class TestConfigurations:
    def test_a_configspace_configuration_is_as_good_as_a_dict(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        configuration = benchmark.space.sample_configuration()
        assert benchmark.query(configuration, 27.0) == benchmark.query(dict(configuration), 27.0)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("learning_rate", 2.0), ("batch_size", 33.5), ("momentum", None), ("filters", "8"), ("res_blocks_1", 0)],
    )
    def test_a_value_outside_is_refused_by_name(self, name: str, value: object) -> None:
        with pytest.raises(ConfigurationError, match=name):
            load_benchmark("digits-cpu").query({**JOINT.named["zela-2018"], name: value}, 27.0)

    def test_a_missing_or_foreign_hyperparameter_is_refused(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        whole = dict(JOINT.named["zela-2018"])
        with pytest.raises(ConfigurationError, match="filters"):
            benchmark.query({k: v for k, v in whole.items() if k != "filters"}, 27.0)
        with pytest.raises(ConfigurationError, match="dropout"):
            benchmark.query({**whole, "dropout": 0.1}, 27.0)


class TestNoise:
    @given(error=st.floats(0, 1), images=st.integers(10, 10_000))
    def test_the_scale_is_undone_by_its_inverse(self, error: float, images: int) -> None:
        scale = ErrorScale(images)
        # The logit of a fraction near 1 loses digits: images * epsilon, far below half an image.
        assert scale.from_line(float(scale.to_line(error))) == pytest.approx(error, abs=1e-9)

    @given(error=st.floats(0, 1), normal=st.floats(-8, 8), images=st.integers(10, 10_000))
    def test_a_counted_error_is_a_whole_number_of_images(self, error: float, normal: float, images: int) -> None:
        counted = ErrorScale(images).counted(error, normal)
        assert 0 <= counted <= 1
        assert counted * images == pytest.approx(round(counted * images), abs=1e-6)

    @given(st.binary(min_size=32, max_size=32))
    @settings(max_examples=200)
    def test_any_hash_gives_finite_numbers(self, digest: bytes) -> None:
        assert len(normals(digest)) == 4
        assert np.isfinite(normals(digest)).all()

    def test_draws_differ_as_the_repeats_do(self, log: EvaluationLog) -> None:
        """The spread between seeds on the line, drawn against real, over the repeated configurations."""
        benchmark = load_benchmark("digits-cpu")
        repeated: dict[tuple[float, ...], list[float]] = {}
        for e in log.evaluations():
            if e.ok:
                repeated.setdefault((*log.space.row(e.configuration), e.budget), []).append(e.test_error)
        groups = {key: errors for key, errors in repeated.items() if len(errors) > 1}
        assert len({key[:-1] for key in groups}) >= 30
        scale = ErrorScale(benchmark.images.test)
        real, drawn = [], []
        for key, errors in groups.items():
            configuration = log.space.configuration(key[:-1])
            answers = [benchmark.query(configuration, key[-1], seed) for seed in range(20)]
            ok = [a.test_error for a in answers if a.status is Status.OK]
            if len(ok) > 1:
                real.append(scale.to_line(np.array(errors)).var(ddof=1))
                drawn.append(scale.to_line(np.array(ok)).var(ddof=1))
        # Some 60 groups of about 3 trainings: the real mean variance is known to within a factor of about 2.
        assert 0.4 < np.mean(drawn) / np.mean(real) < 2.5


class TestDamage:
    def test_an_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(UnknownNameError, match="digits-cpu"):
            load_benchmark("no-such-benchmark")

    @pytest.mark.parametrize("file", [MANIFEST, "validation-0.ubj"])
    def test_a_missing_file_is_refused(self, damaged: Path, file: str) -> None:
        (damaged / file).unlink()
        with pytest.raises(BenchmarkError, match=file):
            load_benchmark(damaged)

    def test_content_that_does_not_fit_its_checksum_is_refused(self, damaged: Path) -> None:
        model = damaged / "test-0.ubj"
        model.write_bytes(model.read_bytes()[:-10])
        with pytest.raises(BenchmarkError, match="checksum"):
            load_benchmark(damaged)

    def test_a_path_that_leaves_the_folder_is_refused(self, damaged: Path) -> None:
        manifest = json.loads((damaged / MANIFEST).read_text())
        manifest["files"]["../outside.ubj"] = "0"
        (damaged / MANIFEST).write_text(json.dumps(manifest))
        with pytest.raises(BenchmarkError, match="own folder"):
            load_benchmark(damaged)

    @pytest.mark.parametrize("key", ["format_version", "space", "ladder", "images", "members", "noise", "files"])
    @pytest.mark.parametrize("value", [None, -1, "nonsense", []])
    def test_a_manifest_that_makes_no_sense_is_refused(self, damaged: Path, key: str, value: object) -> None:
        manifest = json.loads((damaged / MANIFEST).read_text())
        manifest[key] = value
        (damaged / MANIFEST).write_text(json.dumps(manifest))
        with pytest.raises(BenchmarkError):
            load_benchmark(damaged)

    @given(data=st.data())
    @settings(max_examples=150)
    def test_a_damaged_model_file_is_refused_or_still_a_forest(self, data: st.DataObject) -> None:
        """Bytes changed behind the checksum's back: a clear error, or trees that are still trees."""
        content = bytearray(next(released()["digits-cpu"].glob("out_of_memory.ubj")).read_bytes())
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
        features = np.ones((3, 26), dtype=np.float32)
        try:
            forest = Forest([(bytes(content[:cut]), "damaged.ubj")], features.shape[1])
        except BenchmarkError:
            return
        assert np.isfinite(forest.many(features)).all()
