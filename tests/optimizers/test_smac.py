"""SMAC: the same proposals as plain smac where we say so, the same laws where we say that."""

import copy
import logging
import math
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import smac
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.util import get_one_exchange_neighbourhood
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import stats
from smac import Scenario
from smac.acquisition.maximizer import LocalAndSortedRandomSearch
from smac.model.random_forest import RandomForest
from smac.runhistory import RunHistory, StatusType, TrialInfo, TrialValue
from toy import TOY

from jointbench.data.ladder import Ladder
from jointbench.data.machine_code import compiled
from jointbench.data.metrics import Metric
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.space import Space
from jointbench.optimizers import Optimizer, Trial, make_optimizer
from jointbench.optimizers.contract import drive, outcome
from jointbench.optimizers.smac import challengers, climbing
from jointbench.optimizers.smac.challengers import HOPELESS, hopeless_below
from jointbench.optimizers.smac.climbing import FIRST_DEVIATION
from jointbench.optimizers.smac.configurations import Kept
from jointbench.optimizers.smac.cube import Cube, CubeSpace
from jointbench.optimizers.smac.drawn_ahead import DrawnAhead
from jointbench.optimizers.smac.encoder import ExactEncoder
from jointbench.optimizers.smac.forest import ExactForest
from jointbench.optimizers.smac.neighbours import ALL_DEVIATIONS, FLOAT, LARGE, NEIGHBOURS, ORDERS, Neighbourhoods
from jointbench.optimizers.smac.parts import Forest, ForestSelector, History, in_order
from jointbench.optimizers.smac.search import STARTS, ArraySearch
from jointbench.optimizers.smac.smac import SMAC, SMACFacade, expected_trials
from jointbench.optimizers.smac.walking import improvement

#: With a whole number of forty thousand million values.
WIDE = PlainSpace("wide", (Number("tokens", 2e8, 4e10, log=True, integer=True), Number("rate", 0.0, 1.0)))
#: Spaces of numbers without integers, with one of two values, and of integers alone.
NUMBERS = (
    PlainSpace("floats", (Number("rate", 1e-4, 1.0, log=True), Number("share", 0.0, 1.0))),
    PlainSpace("switch", (Number("rate", 0.0, 1.0), Number("switch", 0, 1, integer=True))),
    PlainSpace("whole", (Number("few", 1, 5, integer=True), Number("many", 1, 300, log=True, integer=True))),
)
LADDER = Ladder(9.0, 27.0)


def scenario(folder: Path, seed: int = 0, trials: int = 8) -> Scenario:
    return Scenario(
        copy.deepcopy(JOINT.configspace),
        output_directory=folder,
        deterministic=True,
        n_trials=trials,
        min_budget=LADDER.minimum,
        max_budget=LADDER.maximum,
        seed=seed,
    )


CUBE = Cube(JOINT.configspace)


def states(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64 - 1, count, dtype=np.uint64)


def neighbours_of(points: np.ndarray, deviation: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.full(len(points), ALL_DEVIATIONS.index(deviation))
    return Neighbourhoods(CUBE.axes, seed).draw(points, numbers, states(len(points), seed))


FACADES = [name for name in smac.__all__ if name.endswith("Facade")]
#: Enough for the model to be used; plain smac takes seconds for each time.
ASKS = dict.fromkeys(FACADES, 8) | {"BlackBoxFacade": 3, "HyperparameterOptimizationFacade": 3}


@pytest.mark.parametrize("facade", FACADES)
def test_a_facade_proposes_what_plain_smac_proposes(facade: str, tmp_path: Path) -> None:
    name = "smac-default" if facade == "MultiFidelityFacade" else f"smac.{facade}"
    ours = make_optimizer(name, JOINT, LADDER, seed=3, full_budgets=4)
    kind = getattr(smac, facade)
    by_budgets = facade in ("MultiFidelityFacade", "HyperbandFacade")
    settings = scenario(tmp_path, seed=3, trials=expected_trials(LADDER, 4) if by_budgets else 4)
    search = kind.get_acquisition_maximizer(settings)
    if isinstance(search, LocalAndSortedRandomSearch):
        # Plain but for the order in which local searches start, which smac takes from the hash seed of the process.
        search = in_order(search)
    plain = kind(settings, None, acquisition_maximizer=search, logging_level=False, overwrite=True)
    running = []
    for asked in range(ASKS[facade]):
        trial, info = ours.ask(), plain.ask()
        assert trial is not None
        assert dict(trial.configuration) == dict(info.config)
        assert trial.budget == pytest.approx(info.budget if by_budgets else LADDER.maximum)
        running.append((trial, info))
        if len(running) == 2:
            # The later one first.
            trial, info = running.pop()
            evaluation = outcome(ours, trial, failed=asked == 2)
            ours.tell(trial, evaluation)
            status = StatusType.SUCCESS if evaluation.ok else StatusType.CRASHED
            value = TrialValue(cost=evaluation.validation_error, time=trial.budget, status=status)
            # Saved, as plain smac does; ours is not.
            plain.tell(info, value)
    origins = [configuration.origin or "" for configuration in plain.runhistory.get_configs()]
    modelled = any(origin.startswith("Acquisition Function Maximizer") for origin in origins)
    assert modelled == (facade not in ("HyperbandFacade", "RandomFacade")), origins


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([9.0, 27.0]), st.booleans()), max_size=20))
@hypothesis_settings(max_examples=20)
def test_a_history_knows_what_runs_as_smacs_does(events: list[tuple[int, float, bool]]) -> None:
    space = copy.deepcopy(JOINT.configspace)
    space.seed(0)
    configurations = space.sample_configuration(4)
    ours, plain = History.of(RunHistory()), RunHistory()
    for number, budget, ends in events:
        for history in (ours, plain):
            # Another object with the same values, as smac makes them.
            configuration = Configuration(space, values=dict(configurations[number]))
            info = TrialInfo(configuration, seed=0, budget=budget)
            if ends:
                history.add(configuration, 0.5, budget=budget, seed=0, force_update=True)
            elif info not in history.get_trials(configuration, False):
                history.add_running_trial(info)
        assert ours.get_running_configs() == plain.get_running_configs()
        for asked in (None, *configurations):
            assert ours.get_running_trials(asked) == plain.get_running_trials(asked)


def trained(settings: Scenario) -> tuple[RandomForest, np.ndarray]:
    """A facade's own forest, and rows that it was not fitted to."""
    rng = np.random.default_rng(0)
    rows, costs = rng.random((80, 17)), rng.random((80, 1))
    return smac.MultiFidelityFacade.get_model(settings).train(rows, costs), rng.random((200, 17))


def test_the_forest_predicts_what_smacs_forest_predicts(tmp_path: Path) -> None:
    plain, at = trained(scenario(tmp_path))
    theirs = plain.predict_marginalized(at)
    for mine, their in zip(Forest.of(plain).predict_marginalized(at), theirs, strict=True):
        np.testing.assert_array_equal(mine, their)


def test_the_incumbent_among_all_rows_at_once_is_the_one_found_row_by_row(tmp_path: Path) -> None:
    settings = scenario(tmp_path)
    forest, at = trained(settings)
    forest = Forest.of(forest)
    found = []
    for of in (lambda selector: selector, ForestSelector.of):
        selector = of(smac.MultiFidelityFacade.get_config_selector(settings))
        selector._model = forest
        found.append(selector._get_x_best(at))
    (their_row, their_cost), (row, cost) = found
    np.testing.assert_array_equal(row, their_row)
    assert cost == their_cost


def test_known_configurations_are_found_by_their_values(tmp_path: Path) -> None:
    settings = scenario(tmp_path)
    selector: Any = ForestSelector.of(smac.MultiFidelityFacade.get_config_selector(settings))
    first, second, third = settings.configspace.sample_configuration(3)
    selector._processed_configs = [first]
    selector._processed_configs.append(second)
    equal = [Configuration(settings.configspace, values=dict(one)) for one in (first, second, third)]
    assert [one in selector._processed_configs for one in equal] == [one in [first, second] for one in equal]


def test_unlimited_leaves_change_the_order_of_growth_and_not_the_kind_of_tree(tmp_path: Path) -> None:
    settings = scenario(tmp_path)
    rng = np.random.default_rng(0)
    rows = rng.random((300, 17))
    costs = rows[:, :1] ** 2
    at = rng.random((300, 17))
    mine, plain = (
        Forest.of(smac.MultiFidelityFacade.get_model(settings), max_leaf_nodes=leaves)
        .train(rows, costs)
        .predict_marginalized(at)[0][:, 0]
        for leaves in (None, 2**20)
    )
    # Two forests of ten trees with other random splits: as good as each other on a smooth function.
    errors = [float(np.mean((predicted - at[:, 0] ** 2) ** 2)) for predicted in (mine, plain)]
    assert 0.5 < errors[0] / errors[1] < 2


@pytest.mark.parametrize("space", [TOY, JOINT, WIDE], ids=lambda space: space.name)
def test_trees_grow_depth_first_in_any_space(space: Space) -> None:
    """Which is all that is quick where there are choices, or more whole numbers than fit into a table."""
    optimizer: Any = make_optimizer("smac", space, LADDER, seed=0, full_budgets=8)
    model = optimizer._facade._config_selector._model
    assert isinstance(model, ExactForest) == (space is JOINT)
    if space is not JOINT:
        assert model._rf_opts["max_leaf_nodes"] is None
    assert space.check(optimizer.ask().configuration)


def test_a_neighbour_differs_in_one_hyperparameter_and_is_legal() -> None:
    random = np.random.default_rng(0)
    points = CUBE.sample(random, 15)
    places, turns = neighbours_of(points)
    assert places.shape == turns.shape == (15, 17, NEIGHBOURS)
    assert (places != points[:, :, None]).all()
    for column, hyperparameter in enumerate(JOINT.configspace.values()):
        assert hyperparameter.legal_vector(places[:, column].ravel()).all()
        if np.isfinite(hyperparameter.size):
            assert all(len(set(different)) == NEIGHBOURS for different in places[:, column])


def moved_from(point: np.ndarray, name: str, deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """Our neighbours of a point in one hyperparameter, in the order of turns, and ConfigSpace's: (300, 4) each."""
    column = list(JOINT.configspace).index(name)
    places, turns = neighbours_of(np.repeat(point[None], 300, axis=0), deviation, seed=1)
    assert (np.diff(turns[:, column], axis=1) < 0).all()
    ours = places[:, column]
    random = np.random.RandomState(1)
    configuration = Configuration(JOINT.configspace, vector=point)
    theirs = [
        neighbour.get_array()[column]
        for _ in range(300)
        for neighbour in get_one_exchange_neighbourhood(configuration, seed=random, stdev=deviation)
    ]
    moved = np.array(theirs)[np.array(theirs) != point[column]]
    return ours, moved.reshape(300, NEIGHBOURS)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *(("momentum", 0.5), ("learning_rate", 0.02), ("cutout_length", 0.5), ("batch_size", 0.5)),
        *(("res_blocks_1", 0.5), ("res_blocks_1", 0.0), ("res_branches_2", 0.5), ("filters", 1.0)),
    ],
)
@pytest.mark.parametrize("deviation", [0.005, 0.05, 0.4])
def test_neighbours_are_distributed_as_configspaces(name: str, place: float, deviation: float) -> None:
    point = CUBE.snapped(JOINT.configspace.get_default_configuration().get_array()[None])[0]
    column = list(JOINT.configspace).index(name)
    point[column] = CUBE.axes[column].snapped(np.array([place]))[0]
    ours, theirs = moved_from(point, name, deviation)
    # Rounded, since ConfigSpace's integers have last bits of their own. Fixed seeds; 1,200 values each show a
    # difference of 0.08 between the distribution functions, 300 first neighbours one of 0.16.
    for mine, their in ((ours, theirs), (ours[:, 0], theirs[:, 0])):
        assert stats.ks_2samp(mine.ravel().round(6), their.ravel().round(6)).pvalue > 0.001


def test_challengers_are_distributed_as_configspaces() -> None:
    ours = CUBE.sample(np.random.default_rng(0), 4000)
    random = np.random.RandomState(0)
    for column, hyperparameter in enumerate(JOINT.configspace.values()):
        theirs = hyperparameter.sample_vector(4000, seed=random)
        # Fixed seeds; 4,000 values each show a difference of 0.045.
        assert stats.ks_2samp(ours[:, column].round(6), theirs.round(6)).pvalue > 0.001


def test_the_order_of_neighbours_is_uniform_over_what_is_left() -> None:
    point = CUBE.snapped(JOINT.configspace.get_default_configuration().get_array()[None])
    _, turns = neighbours_of(np.repeat(point, 2000, axis=0))
    changed = np.argsort(-turns.reshape(2000, -1), axis=1) // NEIGHBOURS
    counts = np.bincount(changed[:, 0], minlength=17)
    # Four standard deviations around 2000 / 17.
    assert np.abs(counts - 2000 / 17).max() < 4 * np.sqrt(2000 / 17)
    # ConfigSpace picks the second independently of the first.
    assert abs((changed[:, 0] == changed[:, 1]).mean() - 1 / 17) < 4 * np.sqrt(1 / 17 / 2000)


@given(st.integers(0, 2**32 - 1))
@hypothesis_settings(max_examples=20)
def test_what_is_moved_to_the_cube_stays_the_configuration_that_it_was(seed: int) -> None:
    space = copy.deepcopy(JOINT.configspace)
    space.seed(seed)
    plain = space.sample_configuration()
    moved = CubeSpace.of(space).moved(plain)
    for hyperparameter in JOINT.hyperparameters:
        before, after = plain[hyperparameter.name], moved[hyperparameter.name]
        if hyperparameter.integer:
            assert after == before
        else:
            # Half a step of 2^-20 of the unit interval.
            assert abs(hyperparameter.encode(after) - hyperparameter.encode(before)) <= 2**-21 + 1e-12
    assert JOINT.check(dict(moved)) == dict(moved)
    # Raises where a place is none of ConfigSpace's.
    Configuration(space, vector=moved.get_array()).check_valid_configuration()


def test_the_exact_forest_predicts_the_mean_costs_of_its_leaves(tmp_path: Path) -> None:
    settings = scenario(tmp_path)
    rng = np.random.default_rng(0)
    rows, costs = rng.random((200, 17)), rng.random(200) + 0.1
    forest = ExactForest.of(smac.MultiFidelityFacade.get_model(settings)).train(rows, np.log(costs)[:, None])
    assert isinstance(forest, ExactForest)
    points = rng.random((50, 17))
    each = []
    for tree, seed in zip(forest._trees, np.random.RandomState(settings.seed).randint(2**31 - 1, size=10), strict=True):
        drawn = np.random.RandomState(seed).randint(0, 200, 200)
        leaves, at = tree.apply(rows.astype(np.float32))[drawn], tree.apply(points.astype(np.float32))
        each.append([np.log(costs[drawn[leaves == leaf]].mean()) for leaf in at])
    mean, variance = forest.predict_marginalized(points)
    # Sums in another order: some 1e-15 of numbers around 1.
    np.testing.assert_allclose(mean[:, 0], np.mean(each, axis=0), atol=1e-13)
    np.testing.assert_allclose(variance[:, 0], np.var(each, axis=0), atol=1e-13)


def test_a_prediction_changes_just_where_a_box_ends(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows, costs = rng.random((120, 17)), rng.random((120, 1))
    forest = ExactForest.of(smac.MultiFidelityFacade.get_model(scenario(tmp_path))).train(rows, np.log(costs))
    assert isinstance(forest, ExactForest)
    points = rng.random((40, 17)).astype(np.float32).astype(float)
    leaves = forest.leaves(points)
    above, upto = forest.box(leaves)
    assert ((above < points) & (points <= upto)).all()
    for column in range(17):
        for ends, step in ((above[:, column], 0), (upto[:, column], 1)):
            there = np.flatnonzero(np.isfinite(ends))
            assert len(there)
            # The last number in single precision inside the box, and the first outside.
            inside = ends[there].astype(np.float32)
            inside = np.where(inside > ends[there], np.nextafter(inside, np.float32(-1)), inside)
            beyond = np.nextafter(inside, np.float32(2))
            moved = points[there]
            moved[:, column] = beyond if step else inside
            assert (forest.leaves(moved) != leaves[:, there]).any(axis=0).all()
            moved[:, column] = inside if step else beyond
            np.testing.assert_array_equal(forest.leaves(moved), leaves[:, there])


def of_two(name: str, full_budgets: float = 40.0) -> SMACFacade:
    """Told two objectives, of which the second is thousands of times as large."""
    objectives = (Metric("loss"), Metric("size"))
    made = make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=full_budgets, objectives=objectives)
    assert isinstance(made, SMACFacade)
    return made


def told_two(optimizer: SMACFacade, trials: int) -> None:
    rng = np.random.default_rng(0)
    for number in range(trials):
        trial = optimizer.ask()
        evaluation = outcome(optimizer, trial, failed=number % 7 == 6)
        if evaluation.ok:
            losses = {"loss": float(rng.random()), "size": float(rng.integers(1, 5000))}
            evaluation = replace(evaluation, metrics={**evaluation.metrics, **losses})
        optimizer.tell(trial, evaluation)


@pytest.mark.parametrize("several", [False, True])
def test_the_encoder_sees_what_smacs_sees(several: bool) -> None:
    if several:
        # As many as are told before its forest is used.
        optimizer = of_two("smac.ParEGO")
        told_two(optimizer, 10)
        parego = optimizer._facade._runhistory_encoder.multi_objective_algorithm
        assert parego is not None
        parego.update_on_iteration_start()
    else:
        optimizer = SMAC(JOINT, LADDER, seed=0, full_budgets=20)
        drive(optimizer, 60, outstanding=4, failures=0.2)
    ours = optimizer._facade._runhistory_encoder
    assert isinstance(ours, ExactEncoder)
    theirs = smac.MultiFidelityFacade.get_runhistory_encoder(optimizer._facade.scenario)
    theirs.runhistory = optimizer._facade.runhistory
    theirs.multi_objective_algorithm = ours.multi_objective_algorithm  # type: ignore[assignment]
    for budget in (None,) if several else (9.0, 27.0):
        mine, plain = ours.transform([budget]), theirs.transform([budget])
        assert len(mine[0]) > 2
        np.testing.assert_array_equal(mine[0], plain[0])
        # The logarithm's last bit.
        np.testing.assert_allclose(mine[1], plain[1], atol=1e-13)
        rows = [sorted(map(tuple, encoder.get_configurations([budget]))) for encoder in (ours, theirs)]
        assert rows[0] == rows[1]


def test_a_history_of_several_costs_knows_the_bounds_that_smacs_knows() -> None:
    optimizer = of_two("smac.ParEGO")
    told_two(optimizer, 9)
    mine, plain = optimizer._facade.runhistory, RunHistory()
    assert isinstance(mine, History)
    plain.multi_objective_algorithm = mine.multi_objective_algorithm
    for key, value in mine.items():
        plain.add(mine.ids_config[key.config_id], value.cost, status=value.status, seed=key.seed, budget=key.budget)
    assert mine.objective_bounds == plain.objective_bounds
    assert len(mine.objective_bounds) == 2


def test_parego_proposes_by_its_forest_and_never_twice() -> None:
    optimizer = of_two("smac.ParEGO", full_budgets=40.0)
    told_two(optimizer, 22)
    search = optimizer._facade._acquisition_maximizer
    assert isinstance(search, ArraySearch)
    assert search._climbs > 0
    known = optimizer._facade.runhistory.get_configs()
    assert len({tuple(dict(one).values()) for one in known}) == len(known) == 22
    assert any("Local Search" in (one.origin or "") for one in known)


def test_the_search_finds_as_high_an_acquisition_value_as_smacs(tmp_path: Path) -> None:
    optimizer = SMAC(JOINT, LADDER, seed=0, full_budgets=20)
    drive(optimizer, 60)
    selector = optimizer._facade._config_selector
    known = optimizer._facade.runhistory.get_configs()
    function = selector._acquisition_function
    highest = []

    def smacs(configspace: ConfigurationSpace, *, seed: int) -> LocalAndSortedRandomSearch:
        # A plain space, since its configurations are the plain ones.
        plain = copy.deepcopy(JOINT.configspace)
        plain.seed(seed)
        return in_order(LocalAndSortedRandomSearch(plain, challengers=10_000, seed=seed))

    for kind in (ArraySearch, smacs):
        values = []
        for seed in range(2):
            optimizer._facade.scenario.configspace.seed(seed)
            search = kind(optimizer._facade.scenario.configspace, seed=seed)
            search.acquisition_function = function
            values.append(float(np.squeeze(search._maximize(known, 10_000)[0][0])))
        highest.append(max(values))
    # Both climb the same piecewise constant function; 5 % of its height is what seeds differ by.
    assert highest[0] > 0.95 * highest[1]


def test_the_searchs_acquisition_values_are_smacs() -> None:
    optimizer = SMAC(JOINT, LADDER, seed=0, full_budgets=20)
    drive(optimizer, 60)
    search, points = optimizer._facade._acquisition_maximizer, np.random.default_rng(0).random((500, 17))
    assert isinstance(search, ArraySearch)
    assert search.acquisition_function is not None
    plain = search.acquisition_function._compute(points)[:, 0]
    assert len(np.unique(plain)) > 100
    # Each of its two terms is right to 1e-13.
    np.testing.assert_allclose(search._improvement(search._forest.leaves(points)), plain, atol=1e-13)


def test_local_searches_start_from_the_least_and_from_any_of_equals() -> None:
    search = ArraySearch(CubeSpace.of(copy.deepcopy(JOINT.configspace)), seed=0)
    values = np.repeat([3.0, 1.0, 2.0], [50, 4, 30])
    found = np.array([search._least(values) for _ in range(400)])
    np.testing.assert_array_equal(values[found], np.tile(np.repeat([1.0, 2.0], [4, 6]), (400, 1)))
    # 80 of 400 times each; five standard deviations.
    counts = np.bincount(found[:, 4:].ravel(), minlength=84)[54:]
    assert np.abs(counts - 80).max() < 5 * np.sqrt(80 * 0.8)
    assert set(found[:, 0]) == {50, 51, 52, 53}
    assert set(search._least(values[:3])) == {0, 1, 2}


@pytest.mark.parametrize("rungs", [2, 4, 6])
def test_budgets_are_exactly_the_rungs_and_none_is_lost(rungs: int) -> None:
    ladder = Ladder(0.1, float(f"{0.1 * 3 ** (rungs - 1):.12g}"))
    optimizer = SMAC(JOINT, ladder, seed=0, full_budgets=1)
    budgets = {trial.budget for trial, _ in drive(optimizer, (3**rungs - 1) // 2)}
    assert budgets == set(ladder.rungs)


def test_expected_trials_are_those_of_smacs_brackets() -> None:
    # 40 + 17 + 8 + 4 trials in 4 + 11/3 + 4 + 4 full budgets.
    assert expected_trials(Ladder(400.0, 10800.0), 4 + 11 / 3 + 4 + 4 + 1e-9) == 69


def test_it_leaves_no_files_and_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = JOINT.configspace.random.get_state()[1].copy()
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    drive(SMAC(JOINT, LADDER, seed=0, full_budgets=2), 10)
    assert list(tmp_path.iterdir()) == []
    assert (JOINT.configspace.random.get_state()[1] == before).all()
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == (handlers, level)


def test_a_failure_is_told_as_a_crash_with_the_error_of_failures() -> None:
    optimizer: Optimizer = SMAC(JOINT, LADDER, seed=0, full_budgets=2)
    trial: Trial | None = optimizer.ask()
    assert trial is not None
    optimizer.tell(trial, outcome(optimizer, trial, failed=True))
    assert isinstance(optimizer, SMAC)
    (value,) = optimizer._facade.runhistory.values()
    assert (value.status.name, value.cost) == ("CRASHED", 1.0)


def test_a_configuration_that_is_read_once_is_equal_to_what_it_was() -> None:
    JOINT.configspace.seed(5)
    plain, other = JOINT.configspace.sample_configuration(2)
    twin = Configuration(JOINT.configspace, values=dict(plain))
    text, values, hashed = str(plain), dict(plain), hash(plain)
    kept = Kept.of(plain)
    assert kept is plain
    assert Kept.of(kept) is kept
    assert (str(kept), dict(kept), hash(kept)) == (text, values, hashed)
    assert kept == twin
    assert twin == kept
    assert Kept.of(twin) == kept
    assert kept != Kept.of(other)
    assert {kept: 1}[twin] == 1


def test_smacs_configurations_are_read_once() -> None:
    optimizer = SMAC(JOINT, LADDER, seed=0, full_budgets=20)
    drive(optimizer, 40)
    assert {type(configuration) for configuration in optimizer._facade.runhistory.get_configs()} == {Kept}


def test_what_is_drawn_ahead_is_used_once_and_by_number() -> None:
    ahead = DrawnAhead(10, 2, lambda kinds, numbers: np.stack([kinds, numbers], axis=1))
    rng, used = np.random.default_rng(0), np.zeros(10, dtype=int)
    for turn in range(60):
        if turn in (20, 30):
            # Somebody else uses more of a kind than lie ready, or fewer.
            ahead.used[turn // 10] += 1000 // turn
            used[turn // 10] += 1000 // turn
        # A few of each, more of the last kind than ever lie ready.
        kinds = rng.integers(0, 5 if turn < 20 else 10, size=20)
        kinds = np.concatenate([kinds, np.full(300 if turn == 40 else 1, kinds[0])])
        for kind, (of, number) in zip(kinds, ahead.take(kinds), strict=True):
            assert (of, number) == (kind, used[kind])
            used[kind] += 1
    np.testing.assert_array_equal(ahead.used, used)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_set_of_neighbours_is_the_same_in_the_loops_and_on_arrays(seed: int, count: int) -> None:
    around = Neighbourhoods(CUBE.axes, seed)
    rng, grids = np.random.default_rng(seed), around.grids
    large = np.flatnonzero(around.kinds[around.kinds != FLOAT][grids.whose] == LARGE)
    kinds = rng.choice(large, count) * len(ALL_DEVIATIONS) + rng.integers(0, len(ALL_DEVIATIONS), count)
    numbers = rng.integers(0, 99, count)
    levels = around.levels
    arrays = (around.widths, ORDERS, grids.places, grids.whose, grids.begin, levels.below, levels.border)
    widths, orders, places, whose, begin, below, border = (array.ravel().tolist() for array in arrays)
    for kind, number, expected in zip(kinds.tolist(), numbers.tolist(), around.sets(kinds, numbers), strict=True):
        found, drawn, neighbours = [0] * 4, [0] * 16, [0] * 4
        known = (around.key, widths, orders, places, whose, begin, levels.cells, below, border)
        climbing.draw_set(kind, number, *known, found, drawn, neighbours)  # type: ignore[arg-type]
        assert neighbours == expected.tolist()


@given(st.integers(0, 2**32 - 1))
@hypothesis_settings(max_examples=3, deadline=None)
def test_a_compiled_local_search_is_the_one_on_arrays(seed: int) -> None:
    pytest.importorskip("llvmlite")
    search, code = exact_search(), compiled(climbing.COMPILED)
    assert code is not None
    starts = np.unique(CUBE.sample(np.random.default_rng(seed), 4), axis=0)
    ahead, ended = search._neighbourhoods.ahead, []
    before = ahead.used.copy()
    for by in (lambda at: search._climb_compiled(code, at, seed), lambda at: search._climb_on_arrays(at, seed)):
        ahead.used[:], ahead._drawn[:] = before, 0
        points = starts.copy()
        ended.append((by(points), points, ahead.used.copy()))
    for mine, their in zip(*ended, strict=True):
        np.testing.assert_array_equal(mine, their)
    assert (ended[0][1] != starts).any()


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
@hypothesis_settings(max_examples=20, deadline=None)
def test_the_best_challengers_are_the_same_in_machine_code_and_on_arrays(seed: int, count: int) -> None:
    pytest.importorskip("llvmlite")
    search, code = exact_search(), compiled(challengers.COMPILED)
    assert code is not None
    numbers = CUBE.uniform(np.random.default_rng(seed), count)
    # Some that are as good as others.
    numbers[:, count // 2 :: 3] = numbers[:, :1]
    points = CUBE.placed(numbers.copy())
    values = search._improvement(search._forest.leaves(points))
    looked_at = search._challenge_compiled(code, numbers)
    np.testing.assert_array_equal(numbers.T, points)
    least = np.sort(values)[-STARTS:][0]
    np.testing.assert_array_equal(looked_at[values >= least], values[values >= least])
    assert ((looked_at == values) | (looked_at == HOPELESS)).all()
    assert (looked_at == HOPELESS).any() or count < 100


@given(st.floats(-20, 0), st.floats(-5, 20), st.floats(1e-6, 50))
def test_no_challenger_is_hopeless_that_is_as_good(least: float, above: float, variance: float) -> None:
    value = improvement(least + above, variance, least)
    assert -above / math.sqrt(variance) >= hopeless_below(value, least)


def searching(space: Space, *, compiled_search: bool) -> tuple[Any, ArraySearch]:
    """SMAC on a space of numbers, and its search."""
    optimizer: Any = make_optimizer("smac", space, LADDER, seed=0, full_budgets=20)
    search = optimizer._facade._acquisition_maximizer
    assert isinstance(search, ArraySearch)
    if not compiled_search:
        search._machine_code = None
    return optimizer, search


@pytest.mark.parametrize("space", NUMBERS, ids=lambda space: space.name)
def test_any_space_of_numbers_has_the_same_proposals_with_and_without_machine_code(space: Space) -> None:
    proposed = []
    for without in (False, True):
        optimizer, search = searching(space, compiled_search=not without)
        proposed.append([trial.configuration for trial, _ in drive(optimizer, 30)])
        assert search._climbs > 0
    assert proposed[0] == proposed[1]


@pytest.mark.parametrize("space", NUMBERS, ids=lambda space: space.name)
def test_losses_of_any_size_have_the_same_proposals_with_and_without_machine_code(space: Space) -> None:
    proposed = []
    for without in (False, True):
        optimizer, search = searching(space, compiled_search=not without)
        asked = []
        for _ in range(30):
            trial = optimizer.ask()
            asked.append(trial.configuration)
            evaluation = outcome(optimizer, trial, failed=False)
            # The expected improvement of a cost that may be as large as any is no number.
            error = 1e300 if evaluation.validation_error > 0.2 else 1e-300
            optimizer.tell(trial, replace(evaluation, metrics={**evaluation.metrics, "validation_error": error}))
        proposed.append(asked)
        assert search._climbs > 0
    assert proposed[0] == proposed[1]


@pytest.mark.parametrize("name", ["smac", "smac-default", "smac.ParEGO"])
def test_a_search_ends_where_nothing_in_a_small_space_is_new(name: str) -> None:
    switches = PlainSpace("switches", (Number("a", 0, 1, integer=True), Number("b", 0, 1, integer=True)))
    optimizer = make_optimizer(name, switches, LADDER, seed=0, full_budgets=100)
    seen = set()
    while (trial := optimizer.ask()) is not None:
        seen.add(tuple(trial.configuration.values()))
        optimizer.tell(trial, outcome(optimizer, trial, failed=False))
    # smac gives up when 16 random configurations in a row are known.
    assert len(seen) in (3, 4)
    assert optimizer.ask() is None


def test_consecutive_neighbourhoods_are_independent() -> None:
    point = CUBE.snapped(JOINT.configspace.get_default_configuration().get_array()[None])
    column, around = list(JOINT.configspace).index("res_blocks_1"), Neighbourhoods(CUBE.axes, 0)
    deviation = np.full(1, FIRST_DEVIATION)
    firsts = np.array([around.draw(point, deviation, one)[0][0, column, 0] for one in states(4000)[:, None]])
    levels = np.unique(firsts, return_inverse=True)[1]
    pairs = np.zeros((levels.max() + 1,) * 2)
    np.add.at(pairs, (levels[:-1], levels[1:]), 1)
    common = pairs.sum(axis=0) > 200
    # A fixed seed; a chi-square test of 4,000 pairs.
    assert stats.chi2_contingency(pairs[common][:, common]).pvalue > 0.001


def test_a_prediction_has_the_same_bits_alone_and_beside_others() -> None:
    forest = exact_search()._forest
    leaves = forest.leaves(CUBE.sample(np.random.default_rng(0), 200))
    together = np.stack(forest.moments(leaves))
    alone = np.stack([np.concatenate(forest.moments(leaves[:, one : one + 1])) for one in range(200)], axis=1)
    np.testing.assert_array_equal(together, alone)


def test_leaves_beside_a_point_are_the_leaves_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    forest = ExactForest.of(smac.MultiFidelityFacade.get_model(scenario(tmp_path)))
    forest.train(rng.random((80, 17)), rng.random((80, 1)))
    points, columns, places = rng.random((500, 17)), rng.integers(0, 17, 500), rng.random(500)
    before = forest.leaves(points)
    points[np.arange(500), columns] = places
    np.testing.assert_array_equal(forest.leaves_beside(before, columns, places, points), forest.leaves(points))


@given(st.integers(0, 2**32 - 1))
@hypothesis_settings(max_examples=20)
def test_acquisition_values_are_compared_as_the_exact_ones(seed: int) -> None:
    search = exact_search()
    rng = np.random.default_rng(seed)
    mean, variance = rng.normal(-2, 30, (2, 200)), rng.uniform(1e-8, 3, (2, 200))
    # Some equal, some next to equal, and some that underflow.
    mean[1, :50], variance[1, :50] = mean[0, :50], variance[0, :50]
    mean[1, 25:50] *= 1 + 1e-14
    mean[:, 50:60] = 700.0
    mine, their = (np.stack([mean[k], variance[k]]) for k in (0, 1))
    higher, equal = search._compared(mine, np.stack(search._about(*mine)), their, np.stack(search._about(*their)))
    exact = [search._exact(*one) for one in (mine, their)]
    np.testing.assert_array_equal(higher, exact[0] > exact[1])
    np.testing.assert_array_equal(equal, exact[0] == exact[1])


@cache
def exact_search() -> ArraySearch:
    optimizer = SMAC(JOINT, LADDER, seed=0, full_budgets=20)
    drive(optimizer, 60)
    search = optimizer._facade._acquisition_maximizer
    assert isinstance(search, ArraySearch)
    return search
