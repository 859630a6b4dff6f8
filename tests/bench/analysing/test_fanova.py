"""Our fANOVA against the package fanova on the same forest, against arithmetic, and against the surrogate itself."""

import json
from importlib import util
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.analysing.attributions import attributed, attributions, contributions
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.fanova import BoxTree, Importances, boxes
from jointbench.bench.analysing.fanova_package import by_package, package_forest
from jointbench.bench.analysing.forest import SpaceForest, bin_edges
from jointbench.bench.analysing.inert import inert_words
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.stored import load_benchmark, released

#: Both add up the same products of float64 in another order.
SAME = 1e-12

#: A forest of fanova 2.0.19, node by node, and what it says of it.
RECORDED = json.loads((Path(__file__).parent / "fanova_forest.json").read_text(encoding="utf-8"))


WITH_PACKAGE = pytest.mark.skipif(util.find_spec("fanova") is None, reason="fanova is not installed")


def recorded_trees() -> list[BoxTree]:
    return [
        boxes(*(np.array(tree[key]) for key in ("left", "right", "feature", "threshold", "value")), 4)
        for tree in RECORDED["trees"]
    ]


class TestAgainstThePackage:
    def test_a_recorded_forest_has_its_variances(self) -> None:
        variances = [tree.variance for tree in recorded_trees()]
        assert variances == pytest.approx(RECORDED["variances"], rel=SAME)

    def test_a_recorded_forest_has_its_importances_and_their_spread(self) -> None:
        found = Importances.of(recorded_trees())
        for one in RECORDED["importances"]:
            share = found.alone[:, one["of"][0]] if len(one["of"]) == 1 else found.pairs[:, one["of"][0], one["of"][1]]
            assert share.mean() == pytest.approx(one["importance"], abs=SAME)
            assert share.std() == pytest.approx(one["std"], abs=SAME)

    def test_a_recorded_forest_has_its_marginal(self) -> None:
        grid = np.array(RECORDED["grid"])
        mean = np.mean([tree.marginal(0, grid) for tree in recorded_trees()], axis=0)
        assert mean == pytest.approx(RECORDED["marginal_of_0"], abs=SAME)

    @WITH_PACKAGE
    def test_a_fresh_forest_has_the_package_s_importances(self) -> None:
        rng = np.random.default_rng(3)
        points = rng.random((80, 3))
        names = ("b", "a", "c")
        values = points[:, 0] ** 2 + points[:, 1] * points[:, 2]
        made = package_forest(dict(zip(names, points.T, strict=True)), values, 4)
        written = json.loads(made.the_forest.ascii_string_representation())
        found = Importances.of([nodes_of(tree) for tree in written["value1"]])
        # ConfigSpace lists hyperparameters by name.
        for place, name in enumerate(sorted(names)):
            expected = made.quantify_importance((name,))[(name,)]["individual importance"]
            assert found.alone[:, place].mean() == pytest.approx(expected, abs=SAME)

    @WITH_PACKAGE
    def test_the_log_s_importances_are_credited_to_the_right_names(self) -> None:
        log = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
        found = by_package(Evidence("digits", log.task, log.to_pandas()), len(log.ladder.rungs) - 1)
        assert found is not None
        assert max(found, key=lambda name: found[name]) == "learning_rate"


def nodes_of(tree: dict[str, Any]) -> BoxTree:
    """A tree of three dimensions as pyrfr writes it."""
    nodes = tree["value0"]
    leaf = np.array([node["value3"]["value0"] == 0 for node in nodes])
    left, right = (np.array([node["value3"][side] for node in nodes]) for side in ("value0", "value1"))
    feature, threshold = (np.array([node["value5"][part] for node in nodes]) for part in ("value0", "value1"))
    value = np.array([node["value6"]["value0"] for node in nodes])
    return boxes(np.where(leaf, -1, left), np.where(leaf, -1, right), feature, threshold, value, 3)


@st.composite
def trees(draw: st.DrawFn) -> BoxTree:
    """Grown by splitting a random leaf at a random place."""
    dimensions = draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low, high = [np.zeros(dimensions)], [np.ones(dimensions)]
    for _ in range(draw(st.integers(1, 12))):
        k, d = rng.integers(len(low)), rng.integers(dimensions)
        cut = low[k][d] + (high[k][d] - low[k][d]) * rng.uniform(0.1, 0.9)
        low.append(low[k].copy())
        high.append(high[k].copy())
        high[k][d] = low[-1][d] = cut
    return BoxTree(np.array(low), np.array(high), rng.normal(size=len(low)))


class TestLaws:
    @given(trees())
    @settings(max_examples=40)
    def test_shares_add_up_to_at_most_all_of_the_variance(self, tree: BoxTree) -> None:
        alone, pairs = tree.importances()
        assert (alone == tree.alone()).all()
        assert (alone >= 0).all()
        assert (pairs >= 0).all()
        assert alone.sum() + pairs.sum() / 2 <= 1 + 1e-9
        if tree.low.shape[1] == 2:
            assert alone.sum() + pairs.sum() / 2 == pytest.approx(1)

    @given(trees())
    @settings(max_examples=20)
    def test_marginals_are_means_over_the_other_dimensions(self, tree: BoxTree) -> None:
        rng = np.random.default_rng(0)
        at = rng.random(3)
        dimensions = tree.low.shape[1]
        for d in range(dimensions):
            means = tree.marginal_of_two(d, (d + 1) % dimensions, at, (np.arange(2_000) + 0.5) / 2_000).mean(axis=1)
            # A sum over 2,000 cells of a function with at most 13 steps.
            assert tree.marginal(d, at) == pytest.approx(means, abs=13 * 8 / 2_000)

    def test_a_sum_of_two_steps_has_their_variances(self) -> None:
        low = np.array([[0, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]])
        tree = BoxTree(low, low + 0.5, np.array([0.0, 1.0, 3.0, 4.0]))
        alone, pairs = tree.importances()
        assert alone == pytest.approx([0.9, 0.1])
        assert pairs == pytest.approx(np.zeros((2, 2)), abs=SAME)

    def test_exclusive_or_is_all_in_the_pair(self) -> None:
        low = np.array([[0, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]])
        alone, pairs = BoxTree(low, low + 0.5, np.array([0.0, 1.0, 1.0, 0.0])).importances()
        assert alone == pytest.approx([0, 0], abs=SAME)
        assert pairs[0, 1] == pytest.approx(1)

    def test_a_constant_tree_is_left_out(self) -> None:
        flat = BoxTree(np.zeros((1, 4)), np.ones((1, 4)), np.array([3.0]))
        assert Importances.of([flat, recorded_trees()[0]]).alone.shape == (1, 4)


class TestForest:
    def test_every_whole_number_has_its_own_bin(self) -> None:
        for hyperparameter in JOINT.hyperparameters:
            if hyperparameter.integer:
                edges = bin_edges(hyperparameter)
                numbers = np.arange(int(hyperparameter.low), int(hyperparameter.high) + 1)
                assert (np.diff(edges) > 0).all()
                assert hyperparameter.decode_all(edges - 1e-9) == pytest.approx(numbers[:-1])
                assert hyperparameter.decode_all(edges + 1e-9) == pytest.approx(numbers[1:])

    def test_a_whole_number_of_forty_thousand_million_values_is_cut_where_the_trees_cut_it(self) -> None:
        space = PlainSpace("wide", (Number("tokens", 2e8, 4e10, log=True, integer=True), Number("rate", 0.0, 1.0)))
        points = np.random.default_rng(0).random((200, 2))
        forest = SpaceForest(space, trees=2, least=3).fit(points, points[:, 0])
        for point, expected in zip(points[:20], forest.predict(points[:20]), strict=True):
            said = [tree.value[((tree.low <= point) & (point < tree.high)).all(axis=1)] for tree in forest.trees()]
            assert np.mean(said) == pytest.approx(expected)

    def test_its_boxes_are_the_forest(self) -> None:
        rng = np.random.default_rng(0)
        points = JOINT.encode(JOINT.rows_at(rng.random((300, 17))))
        forest = SpaceForest(JOINT, trees=4, least=3).fit(points, points[:, 0] + points[:, 7])
        made = forest.trees()
        for point, expected in zip(points[:20], forest.predict(points[:20]), strict=True):
            inside = [((tree.low <= point) & (point < tree.high)).all(axis=1) for tree in made]
            assert [one.sum() for one in inside] == [1] * 4
            values = [tree.value[one][0] for tree, one in zip(made, inside, strict=True)]
            assert np.mean(values) == pytest.approx(expected)
        assert [tree.volume.sum() for tree in made] == pytest.approx([1.0] * 4)

    def test_shares_of_an_integer_follow_the_law_of_the_space(self) -> None:
        # res_blocks_1 = 1 is 31.4 % of the configurations: a tree that asks for nothing else has its variance.
        rng = np.random.default_rng(0)
        rows = JOINT.rows_at(rng.random((400, 17)))
        rows[:, np.arange(17) != 7] = rows[0, np.arange(17) != 7]
        one = (rows[:, 7] == 1).astype(float)
        [tree] = SpaceForest(JOINT, trees=1, least=1).fit(JOINT.encode(rows), one).trees()
        share = np.log(3) / np.log(33)
        assert tree.mean == pytest.approx(share, abs=1e-6)
        assert tree.importances()[0][7] == pytest.approx(1, abs=1e-6)

    def test_what_is_inert_is_said(self) -> None:
        [said] = inert_words(JOINT)
        # Three main blocks have several of five branches with a chance of 0.8^3 = 51 %.
        assert "inert in 51% of random configurations" in said or "inert in 52%" in said or "inert in 50%" in said


class TestAgainstTheSurrogate:
    def test_a_forest_s_shares_are_the_surrogate_s_own(self) -> None:
        """First-order shares by pick-freeze (Sobol 1993), which needs no forest."""
        benchmark = load_benchmark("digits-cpu")
        rng, space, count = np.random.default_rng(0), benchmark.space, 3_000
        first, second = rng.random((2, count, 17))

        def expected(points: Any) -> Any:
            return np.asarray(benchmark.query_batch(space.rows_at(points), 27.0).validation_error)

        a, b = expected(first), expected(second)
        place = space.names.index("learning_rate")
        mixed = second.copy()
        mixed[:, place] = first[:, place]
        sobol = np.mean(a * (expected(mixed) - b)) / np.var(np.concatenate([a, b]))
        points = space.encode(space.rows_at(first))
        share = Importances.of(SpaceForest(space, trees=8, least=5).fit(points, a).trees()).alone[:, place].mean()
        # Pick-freeze of 3,000 pairs has a standard error of about 0.02, and a forest of as many examples smooths.
        assert share == pytest.approx(sobol, abs=0.1)

    def test_shapley_values_add_up_to_the_difference_from_the_average(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        configuration = benchmark.space.named["zela-2018"]
        found = attributed(benchmark, configuration, "validation_error", 3, 60)
        assert found.shares.sum() == pytest.approx(found.value - found.average, abs=1e-9)
        assert found.value == benchmark.query(configuration, 27.0).validation_error

    def test_shapley_values_of_a_sum_are_its_terms(self) -> None:
        weights = np.arange(17) / 10

        class Sum:
            """Answers with a weighted sum of places in the unit cube."""

            space, ladder = JOINT, load_benchmark("digits-cpu").ladder

            def query_batch(self, rows: Any, budget: float) -> SimpleNamespace:
                return SimpleNamespace(
                    columns=lambda: {"validation_error": JOINT.encode(rows) @ weights}, ok=np.ones(len(rows), bool)
                )

        configuration = JOINT.named["zela-2018"]
        found = attributed(Sum(), configuration, "validation_error", 3, 500)  # type: ignore[arg-type]
        own = JOINT.encode([configuration])[0]
        # Uniform places have mean 0.5 and a deviation of 12^-0.5, on a grid of whole numbers a bit less.
        assert found.errors == pytest.approx(weights / np.sqrt(12 * 500), rel=0.15)
        assert (np.abs(found.shares - weights * (own - 0.5)) <= 4 * found.errors + 1e-12).all()


def test_xgboosts_attributions_add_up_to_what_the_frozen_models_say() -> None:
    benchmark = load_benchmark("digits-cpu")
    configuration = benchmark.space.named["zela-2018"]
    found = contributions(benchmark, configuration)
    said = benchmark.query(configuration, benchmark.ladder.maximum).validation_error
    logit = ErrorScale(benchmark.images.validation).to_logit(said)
    # XGBoost adds float32.
    assert sum(found.values()) == pytest.approx(logit, abs=1e-4)
    assert set(found) == {*benchmark.features.names, "average"}
    assert not benchmark.tells_collapses


def test_xgboosts_attributions_are_left_out_where_a_network_answers_too() -> None:
    benchmark = load_benchmark("fashion-small")
    assert benchmark.has_network
    assert benchmark.tells_collapses
    [configuration] = benchmark.sample(1, seed=0)
    made = attributions(Evidence("fashion-small", benchmark.task, None, benchmark), "it", configuration)
    assert [table.name for table in made.tables] == ["attributions"]
    assert made.missing == [
        "XGBoost's own attributions are of trees, and this surrogate is a network that trees correct."
    ]


def test_pairs_of_all_hyperparameters_are_there() -> None:
    found = Importances.of(recorded_trees())
    assert found.pairs.shape == (4, 4, 4)
    for a, b in combinations(range(4), 2):
        assert found.pairs[:, a, b] == pytest.approx(found.pairs[:, b, a])
