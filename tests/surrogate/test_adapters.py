"""What other libraries are given is what the benchmark answers: values, budgets and seeds, one objective or several."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from toy_log import toy_log

import jointbench
from jointbench.data.errors import ConfigurationError, InputError, UnknownNameError
from jointbench.data.evaluation import Status
from jointbench.data.spaces.hyperparameters import Choice
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate import adapters
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.models import DEFAULT
from jointbench.surrogate.stored import load_benchmark
from jointbench.surrogate.surrogate import Surrogate

BENCHMARK = load_benchmark("digits-cpu")
CONFIGURATION = JOINT.named["zela-2018"]
SEVERAL = ("validation_error", "parameters", "flops", "wall_seconds", "peak_memory")
#: Of a draw with the seed of the adapters, one that fails and one that does not.
DRAWN = BENCHMARK.sample(50, 0)
FAILING = next(c for c in DRAWN if not BENCHMARK.query(c, 27.0, adapters.SEED).ok)
FINE = next(c for c in DRAWN if BENCHMARK.query(c, 27.0, adapters.SEED).ok)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    """Of a space with choices, an order, a constant and conditions; one budget; failures."""
    return Surrogate.fit(
        toy_log(tmp_path_factory.mktemp("toy") / "log"), "toy", settings=DEFAULT, partitions=1
    ).benchmark


def test_a_plain_function_gives_a_number_or_a_tuple() -> None:
    one, several = adapters.plain_function(BENCHMARK), adapters.plain_function(BENCHMARK, SEVERAL)
    assert one(CONFIGURATION) == BENCHMARK.query(CONFIGURATION, 27.0).validation_error
    for budget, seed in ((1.0, None), (9.0, 3)):
        answer = BENCHMARK.query(CONFIGURATION, budget, seed)
        assert one(CONFIGURATION, budget, seed) == answer.validation_error
        assert several(CONFIGURATION, budget, seed) == answer.objectives(*SEVERAL)


def test_a_population_is_asked_for_at_once() -> None:
    points = np.random.default_rng(0).random((5, len(JOINT.names)))
    rows, seeds = JOINT.rows_at(points), np.arange(5)
    assert (adapters.population_function(BENCHMARK)(points) == BENCHMARK.query_batch(rows, 27.0).validation_error).all()
    several = adapters.population_function(BENCHMARK, SEVERAL)(points, 9.0, seeds)
    assert (several == BENCHMARK.query_batch(rows, 9.0, seeds).objectives(*SEVERAL)).all()


def test_smac_is_told_one_cost_or_several_by_name() -> None:
    answer = BENCHMARK.query(CONFIGURATION, 9.0, 3)
    assert adapters.smac_target(BENCHMARK)(CONFIGURATION, seed=3, budget=9.0) == answer.validation_error
    told = adapters.smac_target(BENCHMARK, SEVERAL)(CONFIGURATION, seed=3, budget=9.0)
    assert told == dict(zip(SEVERAL, answer.objectives(*SEVERAL), strict=True))


class TestOptuna:
    @pytest.fixture
    def optuna(self) -> Any:
        return pytest.importorskip("optuna")

    def test_the_largest_budget_is_the_value_and_each_rung_is_reported(self, optuna: Any) -> None:
        class Reported(optuna.trial.FixedTrial):  # type: ignore[misc, name-defined]
            def report(self, value: float, step: int) -> None:
                reported.append((step, value))

        reported: list[tuple[int, float]] = []
        value = adapters.optuna_objective(BENCHMARK)(Reported(CONFIGURATION, number=4))
        errors = [BENCHMARK.query(CONFIGURATION, rung, 4).validation_error for rung in BENCHMARK.ladder.rungs]
        assert reported == list(enumerate(errors))
        assert value == errors[-1]

    def test_what_the_pruner_stops_is_evaluated_no_further(self, optuna: Any) -> None:
        class Stopped(optuna.trial.FixedTrial):  # type: ignore[misc, name-defined]
            def should_prune(self) -> bool:
                return True

        with pytest.raises(optuna.TrialPruned):
            adapters.optuna_objective(BENCHMARK)(Stopped(CONFIGURATION))

    def test_several_objectives_are_those_of_the_largest_budget(self, optuna: Any) -> None:
        values = adapters.optuna_objective(BENCHMARK, SEVERAL)(optuna.trial.FixedTrial(CONFIGURATION, number=4))
        assert values == BENCHMARK.query(CONFIGURATION, 27.0, 4).objectives(*SEVERAL)


def test_a_worker_of_hpbandster_computes_the_error() -> None:
    pytest.importorskip("hpbandster")
    worker = adapters.hpbandster_worker(BENCHMARK, run_id="test")
    computed = worker.compute(config=dict(CONFIGURATION), budget=9.0, config_id=(0, 0, 0))
    assert computed == {"loss": BENCHMARK.query(CONFIGURATION, 9.0, adapters.SEED).validation_error, "info": {}}


def test_a_blackbox_of_syne_tune_gives_all_fidelities_or_one() -> None:
    pytest.importorskip("syne_tune")
    blackbox = adapters.syne_tune_blackbox(BENCHMARK, SEVERAL)
    assert blackbox.fidelity_values.tolist() == [1, 3, 9, 27]
    expected = [
        BENCHMARK.query(CONFIGURATION, rung, 3).objectives(*SEVERAL, "wall_seconds") for rung in (1.0, 3.0, 9.0, 27.0)
    ]
    assert blackbox(dict(CONFIGURATION), seed=3).tolist() == [list(values) for values in expected]
    one = blackbox(dict(CONFIGURATION), {"resource": 9}, seed=3)
    assert one == dict(zip((*SEVERAL, "elapsed_time"), expected[2], strict=True))
    for h in JOINT.hyperparameters:
        domain = blackbox.configuration_space[h.name]
        assert (domain.lower, domain.upper) == (h.low, h.high)


class TestDehb:
    def test_its_vectors_are_points_of_the_unit_cube(self) -> None:
        function = adapters.dehb_function(BENCHMARK)
        for point in (np.zeros(17), np.ones(17), np.random.default_rng(0).random(17)):
            told = function(point, fidelity=9.0)
            answer = BENCHMARK.query(JOINT.at(point), 9.0, adapters.SEED)
            assert told["fitness"] == answer.validation_error
            assert told["cost"] == answer.wall_seconds
            assert json.loads(json.dumps(told["info"])) == {"status": answer.status.value}

    def test_takes_configurations_by_name_a_seed_and_no_fidelity(self) -> None:
        told = adapters.dehb_function(BENCHMARK)(JOINT.configspace.get_default_configuration(), seed=3)
        default = dict(JOINT.configspace.get_default_configuration())
        assert told["fitness"] == BENCHMARK.query(default, 27.0, 3).validation_error

    def test_runs_at_all_rungs(self, tmp_path: Path) -> None:
        library = pytest.importorskip("dehb")
        function = adapters.dehb_function(BENCHMARK)
        ends = {"min_fidelity": 1.0, "max_fidelity": 27.0}
        dehb = library.DEHB(
            f=function, dimensions=17, **ends, n_workers=1, seed=0, output_path=tmp_path, save_freq="end"
        )
        _, _, history = dehb.run(fevals=60)
        assert {one[4] for one in history} == {1.0, 3.0, 9.0, 27.0}


class TestNevergrad:
    def test_gives_what_the_benchmark_answers_at_the_largest_budget(self) -> None:
        pytest.importorskip("nevergrad")
        one, several = adapters.nevergrad_function(BENCHMARK, seed=3), adapters.nevergrad_function(BENCHMARK, SEVERAL)
        assert one(CONFIGURATION) == BENCHMARK.query(CONFIGURATION, 27.0, 3).validation_error
        assert several(CONFIGURATION) == list(BENCHMARK.query(CONFIGURATION, 27.0, adapters.SEED).objectives(*SEVERAL))

    @pytest.mark.parametrize(("sigmas", "end"), [(-3.0, "low"), (3.0, "high")])
    def test_reaches_the_ends_of_all_ranges(self, sigmas: float, end: str) -> None:
        pytest.importorskip("nevergrad")
        parametrization = adapters.nevergrad_function(BENCHMARK).parametrization
        far = parametrization.spawn_child().set_standardized_data(np.full(parametrization.dimension, sigmas)).value
        # A logarithm and back may miss it by a rounding error, which is put right before the benchmark is asked.
        found = {h.name: adapters._rounded(h, far[h.name]) for h in JOINT.hyperparameters}
        assert found == {h.name: getattr(h, end) for h in JOINT.hyperparameters}

    def test_what_it_draws_at_random_are_configurations_once_inactive_values_are_left_out(self, toy: Benchmark) -> None:
        pytest.importorskip("nevergrad")
        function = adapters.nevergrad_function(toy)
        function.parametrization.random_state.seed(0)
        for _ in range(40):
            values = function.parametrization.sample().value
            configuration = toy.space.active({**values, "version": "v1"})
            assert function(values) == toy.query(configuration, 10, adapters.SEED).metrics["loss"]


class TestPymoo:
    def test_a_population_is_asked_for_at_once_and_failures_break_a_constraint(self) -> None:
        pytest.importorskip("pymoo")
        points = np.vstack([JOINT.encode(JOINT.rows([FAILING, FINE])), np.random.default_rng(0).random((20, 17))])
        found = adapters.pymoo_problem(BENCHMARK, SEVERAL).evaluate(points, return_as_dictionary=True)
        answers = BENCHMARK.query_batch(JOINT.rows_at(points), 27.0, adapters.SEED)
        assert (found["F"] == answers.objectives(*SEVERAL)).all()
        assert ((found["G"][:, 0] <= 0) == answers.ok).all()
        assert found["G"][:2, 0].tolist() == [1.0, 0.0]

    def test_one_objective_of_a_space_of_any_kind(self, toy: Benchmark) -> None:
        pytest.importorskip("pymoo")
        points = np.random.default_rng(0).random((30, len(toy.space.names)))
        losses = adapters.pymoo_problem(toy).evaluate(points, return_values_of=["F"])
        assert losses[:, 0].tolist() == toy.query_batch(toy.space.rows_at(points), 10, 0).metrics["loss"].tolist()


class TestOptunaHub:
    @pytest.fixture
    def optuna(self) -> Any:
        pytest.importorskip("optunahub")
        return pytest.importorskip("optuna")

    def test_evaluates_what_its_search_space_holds(self, optuna: Any) -> None:
        problem = adapters.optunahub_problem(BENCHMARK, SEVERAL, seed=3)
        assert problem.metric_names == list(SEVERAL)
        assert len(problem.directions) == len(SEVERAL)
        assert {name: (d.low, d.high, d.log) for name, d in problem.search_space.items()} == {
            h.name: (h.low, h.high, h.log) for h in JOINT.hyperparameters
        }
        assert problem.evaluate(CONFIGURATION) == BENCHMARK.query(CONFIGURATION, 27.0, 3).objectives(*SEVERAL)

    def test_is_an_objective_of_a_space_of_any_kind(self, optuna: Any, toy: Benchmark) -> None:
        problem, plain = adapters.optunahub_problem(toy), adapters.optuna_objective(toy)
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        study.optimize(problem, n_trials=15)
        for trial in study.trials:
            assert trial.value == problem.evaluate(trial.params)
            if trial.number == adapters.SEED:
                assert trial.value == plain(optuna.trial.FixedTrial(trial.params, number=adapters.SEED))

    def test_limits_are_constraints(self, optuna: Any) -> None:
        problem = adapters.optunahub_problem(BENCHMARK, limits={"parameters": 1e5, "peak_memory": 1e12})
        excess = problem.evaluate_constraints(CONFIGURATION)
        assert excess["parameters"] == BENCHMARK.query(CONFIGURATION, 27.0).parameters - 1e5
        assert excess["peak_memory"] < 0
        with pytest.raises(UnknownNameError, match="accuracy"):
            adapters.optunahub_problem(BENCHMARK, limits={"accuracy": 1.0})


class TestCarps:
    def test_its_task_names_what_there_is(self) -> None:
        config = json.loads(json.dumps(adapters.carps_config(BENCHMARK, ["validation_error", "parameters"], 30)))
        task = config["task"]
        assert task["name"] == "digits-cpu-v2/validation_error+parameters"
        assert task["output_space"]["objectives"] == ["validation_error", "parameters"]
        assert task["optimization_resources"]["n_trials"] == 30
        fidelity = task["input_space"]["fidelity_space"]
        assert (fidelity["min_fidelity"], fidelity["max_fidelity"], fidelity["fidelity_type"]) == (1.0, 27.0, "seconds")
        about = task["objective_function"]
        assert getattr(adapters, about["_target_"].rpartition(".")[2]) is adapters.carps_objective
        assert load_benchmark(about["benchmark"]["name_or_folder"]).checksum == BENCHMARK.checksum

    def test_its_space_is_the_one_that_configspace_reads(self, toy: Benchmark) -> None:
        from ConfigSpace import ConfigurationSpace

        for benchmark in (BENCHMARK, toy):
            described = adapters.carps_config(benchmark)["task"]["input_space"]["configuration_space"]["d"]
            assert ConfigurationSpace.from_serialized_dict(described) == benchmark.configspace

    @pytest.mark.parametrize("status", list(Status))
    def test_a_failure_has_their_word_for_it(self, status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without CARP-S: of theirs, what an objective is made of."""
        words = SimpleNamespace(SUCCESS=1, CRASHED=2, TIMEOUT=3, MEMORYOUT=4)
        theirs = {
            "carps": ModuleType("carps"),
            "carps.objective_functions": ModuleType("carps.objective_functions"),
            "carps.objective_functions.objective_function": SimpleNamespace(ObjectiveFunction=Loggers),
            "carps.utils": ModuleType("carps.utils"),
            "carps.utils.trials": SimpleNamespace(StatusType=words, TrialValue=SimpleNamespace),
        }
        for name, module in theirs.items():
            monkeypatch.setitem(sys.modules, name, module)
        asked = SimpleNamespace(config=CONFIGURATION, budget=9.0, seed=3)
        objective, answer = adapters.carps_objective(BENCHMARK), BENCHMARK.query(CONFIGURATION, 9.0, 3)
        monkeypatch.setattr(BENCHMARK, "query", lambda *_: with_status(answer, status))
        value = objective._evaluate(asked)
        assert (value.cost, value.virtual_time) == (answer.validation_error, answer.wall_seconds)
        expected = {Status.OK: 1, Status.TIMEOUT: 3, Status.OUT_OF_MEMORY: 4}.get(status, 2)
        assert (value.status, value.additional_info) == (expected, {"status": status.value})


class Loggers:
    """As much of CARP-S's ObjectiveFunction as is called."""

    def __init__(self, loggers: Any = None) -> None:
        self.loggers = loggers


def with_status(answer: Any, status: Status) -> Any:
    return SimpleNamespace(validation_error=answer.validation_error, duration=answer.duration, status=status)


class TestRay:
    """Without Ray: of theirs, the domains and the call that reports."""

    @pytest.fixture
    def reported(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        reported: list[dict[str, Any]] = []
        kinds = ("uniform", "loguniform", "randint", "lograndint", "choice")
        domains = {kind: lambda *ends, kind=kind: (kind, *ends) for kind in kinds}
        tune = SimpleNamespace(report=reported.append, **domains)
        monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(tune=tune))
        return reported

    def test_a_trial_reports_at_each_rung(self, reported: list[dict[str, Any]]) -> None:
        trainable, _ = adapters.ray_trainable(BENCHMARK, SEVERAL, seed=3)
        trainable(dict(CONFIGURATION))
        assert [row["budget"] for row in reported] == [1.0, 3.0, 9.0, 27.0]
        for row in reported:
            answer = BENCHMARK.query(CONFIGURATION, row["budget"], 3)
            assert tuple(row[name] for name in SEVERAL) == answer.objectives(*SEVERAL)
            assert row["status"] == answer.status.value

    @pytest.mark.usefixtures("reported")
    def test_its_integers_end_one_above(self, toy: Benchmark) -> None:
        _, space = adapters.ray_trainable(BENCHMARK)
        assert space["res_blocks_1"] == ("lograndint", 1, 17)
        assert space["res_branches_1"] == ("randint", 1, 6)
        assert space["learning_rate"] == ("loguniform", 1e-3, 1.0)
        _, space = adapters.ray_trainable(toy)
        assert space["kind"] == ("choice", ["forest", "boosting", "line"])
        assert space["version"] == "v1"

    def test_inactive_values_are_left_out(self, toy: Benchmark, reported: list[dict[str, Any]]) -> None:
        trainable, _ = adapters.ray_trainable(toy)
        values = toy.space.values_at(np.full(len(toy.space.names), 0.3))
        trainable(values)
        assert reported[0]["loss"] == toy.query(toy.space.active(values), 10, adapters.SEED).metrics["loss"]


class TestValuesOfOthers:
    def test_the_end_of_a_range_is_met_in_spite_of_rounding(self) -> None:
        rate, blocks = JOINT.by_name["learning_rate"], JOINT.by_name["res_blocks_1"]
        assert adapters._rounded(rate, 1.0000000000000002) == 1.0
        assert adapters._rounded(rate, 0.0010000000000000005) == 0.001
        assert adapters._rounded(blocks, 2.9999999999999996) == 3

    @pytest.mark.parametrize("name", ["learning_rate", "res_blocks_1"])
    @pytest.mark.parametrize("value", [17.5, 0.0, float("nan"), float("inf"), "0.1", None])
    def test_what_is_truly_outside_is_refused_by_name(self, name: str, value: Any) -> None:
        with pytest.raises(ConfigurationError) as refused:
            adapters._configuration(BENCHMARK, {**CONFIGURATION, name: value})
        assert refused.value.field == name

    def test_choices_of_more_than_one_type_are_refused_by_name(self) -> None:
        assert adapters._of_one_type(Choice("depth", (1, 2, 4.5))) == ([1.0, 2.0, 4.5], "float")
        assert adapters._of_one_type(Choice("scaled", (True, False))) == ([True, False], "bool")
        with pytest.raises(InputError, match=r"depth: \(1, 'deep'\).*choices of one type"):
            adapters._of_one_type(Choice("depth", (1, "deep")))


#: Those that need no library but Optuna, which the tests have.
HERE = pytest.mark.parametrize(
    "adapter",
    [
        *(adapters.plain_function, adapters.population_function, adapters.smac_target, adapters.optuna_objective),
        adapters.carps_config,
    ],
    ids=lambda adapter: adapter.__name__,
)


@HERE
def test_one_name_as_text_is_no_list_of_letters(adapter: Callable[..., object]) -> None:
    with pytest.raises(InputError, match=r"^objectives: 'validation_error' given, expected a list, such as"):
        adapter(BENCHMARK, "validation_error")


def test_what_arithmetic_knows_is_an_objective_as_in_a_comparison() -> None:
    names = ["validation_error", "sample_memory"]
    ran = jointbench.run("random", BENCHMARK, full_budgets=6, objectives=names)
    told = ran[ran["status"] == "ok"]
    function = adapters.plain_function(BENCHMARK, names)
    for row in told.to_dict("records"):
        configuration = JOINT.check({name: row[name] for name in JOINT.names})
        assert function(configuration, 27.0, int(row["seed"])) == (row["validation_error"], row["sample_memory"])


@pytest.mark.parametrize("name", ["digits-cpu", "hnag-digits"])
def test_what_arithmetic_knows_stands_beside_an_answer_and_a_batch_of_them(name: str) -> None:
    benchmark, names = load_benchmark(name), ["parameters", "validation_error", "sample_memory"]
    points = np.random.default_rng(0).random((4, len(benchmark.space.names)))
    population = adapters.population_function(benchmark, names)(points)
    for point, values in zip(points, population.tolist(), strict=True):
        configuration = benchmark.space.at(point)
        facts = benchmark.facts(configuration)
        assert (values[0], values[2]) == (facts.parameters, facts.memory)
        assert tuple(values) == adapters.plain_function(benchmark, names)(configuration)
    answer = benchmark.query(configuration, benchmark.ladder.maximum)
    with pytest.raises(InputError, match="what was asked about: sample_memory is known of it by arithmetic"):
        benchmark.minimised(answer, "sample_memory")


def test_an_answer_says_who_knows_what_it_does_not_say() -> None:
    with pytest.raises(UnknownNameError, match=r"benchmark.minimised\(answer, 'sample_memory', of=configuration\)"):
        BENCHMARK.query(CONFIGURATION, 27.0).objectives("sample_memory")


@HERE
@pytest.mark.parametrize("objectives", [["status"], ["validation_error", "accuracy"], []])
def test_an_unknown_objective_is_refused_before_an_optimizer_begins(
    adapter: Callable[..., object], objectives: list[str]
) -> None:
    with pytest.raises(UnknownNameError, match=r"objective: .* one of epochs"):
        adapter(BENCHMARK, objectives)
