"""Our reading and evaluation of XGBoost's model files, against XGBoost itself."""

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import BenchmarkError
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.contract import at_every_border, corners_and_samples
from jointbench.surrogate.features import Features
from jointbench.surrogate.model_file import Booster, join_models, read_models
from jointbench.surrogate.stored import MODELS, load_benchmark, released
from jointbench.surrogate.trees import Forest
from jointbench.surrogate.ubjson import read_ubjson, split_ubjson

MODELS_FILE = (released()["digits-cpu"] / MODELS).read_bytes()


def fitted(outputs: int, *, depth: int = 4, rounds: int = 5, constant: bool = False, seed: int = 0) -> xgboost.Booster:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(300, 6)).astype(np.float32)
    targets = np.ones((300, outputs)) if constant else rng.normal(size=(300, outputs)) + features[:, :1]
    settings = {"max_depth": depth, "base_score": 0.0, "tree_method": "hist", "nthread": 1, "seed": seed}
    if outputs > 1:
        settings["multi_strategy"] = "multi_output_tree"
    return xgboost.train(settings, xgboost.DMatrix(features, targets), rounds)


def raw(booster: xgboost.Booster) -> bytes:
    return bytes(booster.save_raw("ubj"))


def read(features: int, *boosters: xgboost.Booster) -> list[Booster]:
    models = {str(k): raw(booster) for k, booster in enumerate(boosters)}
    return read_models(join_models(models), "fitted.ubj", list(models), features)[0]


@pytest.fixture(scope="module")
def features() -> Features:
    """Of a hundred thousand configurations, with each range at both of its ends."""
    benchmark = load_benchmark("digits-cpu")
    rows = np.concatenate([at_every_border(JOINT, 1000), corners_and_samples(JOINT, 65_998)])
    assert len(rows) == 100_000
    budgets = np.resize(benchmark.ladder.rungs, len(rows))
    return benchmark.features.many(rows, JOINT.facts(rows, benchmark.images.shape), budgets)


@pytest.fixture(scope="module")
def sums(features: Features) -> FloatArray:
    return load_benchmark("digits-cpu")._models.many(features)


class TestAHundredThousandConfigurations:
    """Some seconds, because so many are promised."""

    def test_a_batch_is_what_xgboost_predicts(self, features: Features, sums: FloatArray) -> None:
        data, theirs = xgboost.DMatrix(features, nthread=1), []
        for model in split_ubjson(MODELS_FILE).values():
            booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(model))
            theirs.append(booster.predict(data, output_margin=True).reshape(len(features), -1).T)
        # Not a bit apart with XGBoost 3.2; another release may add its leaves up in another order.
        np.testing.assert_allclose(sums, np.concatenate(theirs), rtol=1e-6, atol=1e-6)

    def test_one_by_one_they_are_a_batch_to_the_last_bit(self, features: Features, sums: FloatArray) -> None:
        one = load_benchmark("digits-cpu")._models.one
        assert all(one(row) == expected for row, expected in zip(features, sums.T.tolist(), strict=True))


@given(
    outputs=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    depth=st.integers(1, 6),
    constant=st.booleans(),
    seed=st.integers(0, 3),
)
@settings(max_examples=15)
def test_one_row_or_many_any_outputs_and_depth_equal_xgboost(
    outputs: list[int], depth: int, constant: bool, seed: int
) -> None:
    boosters = [fitted(n, depth=depth, constant=constant, seed=seed + i) for i, n in enumerate(outputs)]
    forest = Forest(read(6, *boosters))
    rows = np.random.default_rng(seed).normal(size=(150, 6)).astype(np.float32)
    # Exactly on a threshold a row goes right; the training data is where XGBoost takes its thresholds from.
    rows[:100] = np.random.default_rng(seed).normal(size=(300, 6)).astype(np.float32)[:100]
    theirs = [booster.predict(xgboost.DMatrix(rows)).reshape(len(rows), -1).T for booster in boosters]
    many = forest.many(rows)
    np.testing.assert_allclose(many, np.concatenate(theirs), rtol=1e-6, atol=1e-6)
    assert many.T.tolist() == [forest.one(row) for row in rows]


def test_the_size_of_a_batch_changes_no_bit() -> None:
    benchmark = load_benchmark("digits-cpu")
    rows = corners_and_samples(JOINT, 9998)
    features = benchmark.features.many(rows, JOINT.facts(rows, benchmark.images.shape), np.full(len(rows), 9.0))
    whole = benchmark._models.many(features)
    for count in (1, 63, 64, 65, 4097, 8191, 8192, 8193):
        np.testing.assert_array_equal(benchmark._models.many(features[:count]), whole[:, :count])


class TestDamagedModels:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({"base_score": 0.5}, "base score"),
            ({"base_score": 0.0, "max_depth": 9, "min_child_weight": 0}, "levels"),
            ({"base_score": 0.0, "booster": "gblinear"}, "trees"),
        ],
    )
    def test_models_of_another_kind_are_refused(self, settings: dict[str, object], expected: str) -> None:
        rng = np.random.default_rng(0)
        data = xgboost.DMatrix(rng.normal(size=(4000, 2)), rng.normal(size=4000))
        with pytest.raises(BenchmarkError, match=expected):
            read(2, xgboost.train({"nthread": 1, **settings}, data, 1))

    def test_a_model_of_more_features_than_there_are_is_refused(self) -> None:
        with pytest.raises(BenchmarkError, match="features"):
            read(2, fitted(2))

    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
    def test_a_leaf_or_threshold_that_is_no_sensible_number_is_refused(self, value: float) -> None:
        content = raw(fitted(1))
        tree = read_ubjson(content, "")["learner"]["gradient_booster"]["model"]["trees"][0]
        conditions = tree["split_conditions"].astype(">f4").tobytes()
        at = content.index(conditions)
        leaf = 4 * int(np.flatnonzero(tree["left_children"] == -1)[0])
        hostile = content[: at + leaf] + np.array(value, ">f4").tobytes() + content[at + leaf + 4 :]
        with pytest.raises(BenchmarkError, match="leaves"):
            read_models(join_models({"0": hostile}), "hostile.ubj", ["0"], 6)
