"""A benchmark as other libraries want it. Each adapter imports its library when it is called, and needs it alone.

`objectives` names what is minimised: fields of `Answer` such as `validation_error`, `parameters`, `flops`,
`wall_seconds` or `peak_memory`, or metrics of another task, and what arithmetic knows of its networks, such as
`sample_memory`; without any it is the task's objective. Several make a problem of several objectives, and a metric that
is maximised has the other sign. An adapter raises UnknownNameError for any other name, before it is asked anything, and
InputError for what is no list of names.

Where a library passes a seed or a budget, it is the one that is asked for; where it does not, the budget is the largest
and the seed is `SEED` or the adapter's `seed` (None: what is expected, without noise). A library that knows no
conditions gives values to all hyperparameters, and what is inactive is left out before the benchmark is asked. A
failure counts as its metric says, but where a library has a word of its own for failures.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration, Status
from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter
from jointbench.data.spaces.suggesting import suggested
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.stored import released

#: Where a library passes no seed. The luck of a training depends on its configuration and budget too.
SEED = 0

#: How far from the end of a range, or from a whole number, a library's arithmetic may end that means it: relative.
_ROUNDING = 1e-9

#: The share of an integer's logarithmic range between two values that NePS can tell apart.
_NEPS_STEP = 1e-4


def plain_function(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[..., Any]:
    """`function(configuration, budget=largest, seed=None)`: a number, or a tuple of them; expected without a seed."""

    objectives = benchmark.checked_objectives(objectives)

    def function(configuration: Any, budget: float | None = None, seed: int | None = None) -> Any:
        budget = benchmark.ladder.maximum if budget is None else budget
        values = benchmark.minimised(benchmark.query(configuration, budget, seed), *objectives, of=configuration)
        return values if len(values) > 1 else values[0]

    return function


def population_function(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[..., Any]:
    """`function(points, budgets=largest, seeds=None)` of points (n, hyperparameters) of the unit cube, in one batch.

    Points are a table as `Space.rows` takes it: a frame by name, an array by position. It gives an array (n,), or
    (n, objectives) of several.
    """

    objectives = benchmark.checked_objectives(objectives)

    def function(points: Any, budgets: Any = None, seeds: Any = None) -> npt.NDArray[np.float64]:
        budgets = benchmark.ladder.maximum if budgets is None else budgets
        rows = benchmark.space.rows_at(points)
        columns = benchmark.minimised(benchmark.query_batch(rows, budgets, seeds), *objectives, of=rows)
        values = _stacked(columns)
        return values if len(objectives) > 1 else values[:, 0]

    return function


def smac_target(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[..., Any]:
    """A target function of smac 2 for the scenario's space, budgets (of the ladder) and objectives.

    The scenario's space is the benchmark's ConfigSpace object, which smac samples by ConfigSpace's law and not by ours
    (`Space.configspace` says how they differ).
    """
    objectives = benchmark.checked_objectives(objectives)
    function = plain_function(benchmark, objectives)

    def target(config: Any, seed: int = SEED, budget: float | None = None) -> Any:
        value = function(dict(config), budget, seed)
        return dict(zip(objectives, value, strict=True)) if len(objectives) > 1 else value

    return target


def optuna_objective(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Callable[[Any], Any]:
    """An objective of Optuna. A single one is reported at each rung, numbered from 0, and may be pruned there.

    What Optuna samples at random has the law of `Space.sample`: its integers have bins as ours.
    """
    from optuna import TrialPruned

    objectives = benchmark.checked_objectives(objectives)
    function = plain_function(benchmark, objectives)

    def objective(trial: Any) -> Any:
        configuration = suggested(benchmark.space, trial)
        if len(objectives) > 1:
            return function(configuration, seed=trial.number)
        for rung, budget in enumerate(benchmark.ladder.rungs):
            value = function(configuration, budget, trial.number)
            trial.report(value, rung)
            if trial.should_prune():
                raise TrialPruned
        return value

    return objective


def hpbandster_worker(benchmark: Benchmark, **connection: Any) -> Any:
    """A worker of HpBandSter; `connection` is what its constructor takes, such as `run_id` and `nameserver`.

    HpBandSter is given the benchmark's ConfigSpace object and samples by ConfigSpace's law (`Space.configspace`).
    """
    from hpbandster.core.worker import Worker

    function = plain_function(benchmark)

    class BenchmarkWorker(Worker):  # type: ignore[misc]
        def compute(self, config: dict[str, Any], budget: float, **_: Any) -> dict[str, Any]:
            return {"loss": function(config, budget, SEED), "info": {}}

    return BenchmarkWorker(**connection)


def syne_tune_blackbox(benchmark: Benchmark, objectives: Sequence[str] | None = None) -> Any:
    """A blackbox of Syne Tune. Its fidelity, `resource`, counts smallest budgets; its last metric, `elapsed_time`,
    is what its simulator calls `elapsed_time_attr`: wall seconds from the start.

    Its space samples by Syne Tune's law: integers on a log scale are rounded from log-uniform numbers between both
    ends, so that of 1..16 the 1 has 14.6 % instead of 31.4 % (`Space.sample`). Other laws are ours.
    """
    from syne_tune import config_space
    from syne_tune.blackbox_repository.blackbox import Blackbox

    def domain(h: Hyperparameter) -> Any:
        if isinstance(h, Choice):
            return config_space.ordinal(h.choices) if h.ordered else config_space.choice(h.choices)
        kind = "randint" if h.integer else "uniform"
        return getattr(config_space, f"log{kind}" if h.log else kind)(h.low, h.high)

    wanted, ladder = benchmark.checked_objectives(objectives), benchmark.ladder
    space = {h.name: domain(h) for h in benchmark.space.hyperparameters}

    class BenchmarkBlackbox(Blackbox):  # type: ignore[misc]
        fidelity_values = np.array([round(rung / ladder.minimum) for rung in ladder.rungs])

        def _objective_function(self, configuration: Any, fidelity: Any = None, seed: int | None = None) -> Any:
            if fidelity is None:
                return np.array([list(self._at(configuration, rung, seed).values()) for rung in ladder.rungs])
            return self._at(configuration, fidelity["resource"] * ladder.minimum, seed)

        def _at(self, configuration: Any, budget: float, seed: int | None) -> dict[str, float]:
            answer = benchmark.query(configuration, budget, SEED if seed is None else seed)
            values = benchmark.minimised(answer, *wanted, "wall_seconds", of=configuration)
            return dict(zip(self.objectives_names, values, strict=True))

    names = [*wanted, "elapsed_time"]
    fidelities = config_space.randint(1, int(BenchmarkBlackbox.fidelity_values[-1]))
    return BenchmarkBlackbox(space, {"resource": fidelities}, names)


def dehb_function(benchmark: Benchmark) -> Callable[..., dict[str, Any]]:
    """`function(configuration, fidelity=largest, seed=SEED)` of DEHB: a fitness, a cost in wall seconds, a status.

    With `dimensions=len(benchmark.space.names)` and no ConfigSpace object, DEHB's vectors are points of the unit cube:
    then it samples by the law of `Space.sample` and reaches the ends of all ranges. ConfigSpace's configurations are
    taken too. DEHB 0.1 knows one objective and two budgets at least, and of 1 to 243 its rounding loses the 1.
    """
    (objective,) = benchmark.checked_objectives()

    def function(configuration: Any, fidelity: float | None = None, seed: int | None = SEED) -> dict[str, Any]:
        if isinstance(configuration, np.ndarray):
            configuration = benchmark.space.at(configuration)
        budget = benchmark.ladder.maximum if fidelity is None else fidelity
        answer = benchmark.query(configuration, budget, seed)
        (fitness,) = benchmark.minimised(answer, objective)
        return {"fitness": fitness, "cost": answer.duration, "info": {"status": answer.status.value}}

    return function


def nevergrad_function(benchmark: Benchmark, objectives: Sequence[str] | None = None, seed: int | None = SEED) -> Any:
    """An ExperimentFunction of Nevergrad, whose `parametrization` an optimizer of Nevergrad takes, at the largest
    budget. Several objectives are a list.

    What Nevergrad draws at random has the law of `Space.sample`, but for weights of choices, which it does not have.
    """
    from nevergrad import p
    from nevergrad.functions import ExperimentFunction

    def parameter(h: Hyperparameter) -> Any:
        if isinstance(h, Choice):
            return (p.TransitionChoice if h.ordered else p.Choice)(h.choices)
        # An integer's bin reaches half a step to both sides; from its very end it would be rounded to the next one.
        beyond = 0.5 - 1e-6 if h.integer else 0.0
        number = (p.Log if h.log else p.Scalar)(lower=h.low - beyond, upper=h.high + beyond)
        return number.set_integer_casting() if h.integer else number

    objectives = benchmark.checked_objectives(objectives)
    varying = {h.name: parameter(h) for h in benchmark.space.hyperparameters if not h.constant}
    function = plain_function(benchmark, objectives)

    def loss(values: Mapping[str, Any]) -> Any:
        found = function(_configuration(benchmark, values), seed=seed)
        return list(found) if len(objectives) > 1 else found

    return ExperimentFunction(loss, p.Dict(**varying).set_name(benchmark.name[:34]))


def pymoo_problem(benchmark: Benchmark, objectives: Sequence[str] | None = None, seed: int | None = SEED) -> Any:
    """A Problem of pymoo: points of the unit cube, a population in one batch, at the largest budget.

    `benchmark.space.at(point)` is the configuration of a point, so what pymoo draws at random has the law of
    `Space.sample`. A failure breaks the problem's one constraint.
    """
    from pymoo.core.problem import Problem

    wanted, names = benchmark.checked_objectives(objectives), benchmark.space.names

    class BenchmarkProblem(Problem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(n_var=len(names), n_obj=len(wanted), n_ieq_constr=1, xl=0.0, xu=1.0)

        def _evaluate(self, x: Any, out: dict[str, Any], *_: Any, **__: Any) -> None:
            rows = benchmark.space.rows_at(x)
            answers = benchmark.query_batch(rows, benchmark.ladder.maximum, seed)
            out["F"] = _stacked(benchmark.minimised(answers, *wanted, of=rows))
            out["G"] = _stacked([~answers.ok])

    return BenchmarkProblem()


def ax_client(
    benchmark: Benchmark, objectives: Sequence[str] | None = None, seed: int | None = SEED, **options: Any
) -> Any:
    """A Client of Ax 1, ready for `run_trials`: its experiment, what it minimises, how a trial is run and what is read
    of it, at the largest budget. `options` are what its constructor takes, such as `random_seed`.

    A failure is a failed trial, of which Ax is told no number. Ax samples by its own law and knows no weights of
    choices. Raises InputError for choices of more than one type.
    """
    from ax.api.client import Client
    from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
    from ax.api.protocols import IMetric, IRunner
    from ax.core.trial_status import TrialStatus

    wanted = benchmark.checked_objectives(objectives)

    def parameter(h: Hyperparameter) -> Any:
        if isinstance(h, Choice):
            choices, kind = _of_one_type(h)
            return ChoiceParameterConfig(h.name, choices, kind, is_ordered=h.ordered or None)
        scaling = "log" if h.log else "linear"
        return RangeParameterConfig(h.name, (h.low, h.high), "int" if h.integer else "float", scaling=scaling)

    class Training(IRunner):  # type: ignore[misc]
        def run_trial(self, trial_index: int, parameterization: Mapping[str, Any]) -> dict[str, Any]:
            configuration = _configuration(benchmark, parameterization)
            answer = benchmark.query(configuration, benchmark.ladder.maximum, seed)
            values = map(float, benchmark.minimised(answer, *wanted, of=configuration))
            return {"status": answer.status.value, **dict(zip(wanted, values, strict=True))}

        def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
            return TrialStatus.COMPLETED if trial_metadata["status"] == Status.OK else TrialStatus.FAILED

        def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
            return {}

    class Measured(IMetric):  # type: ignore[misc]
        def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
            return 0, trial_metadata[self.name]

    client = Client(**options)
    client.configure_experiment([parameter(h) for h in benchmark.space.hyperparameters if not h.constant])
    client.configure_optimization(", ".join(f"-{name}" for name in wanted))
    client.configure_runner(Training())
    client.configure_metrics([Measured(name) for name in wanted])
    return client


def carps_objective(benchmark: Benchmark, objectives: Sequence[str] | None = None, loggers: Any = None) -> Any:
    """An ObjectiveFunction of CARP-S for a task of `carps_config`; its virtual time is wall seconds.

    CARP-S is given the benchmark's ConfigSpace object and samples by ConfigSpace's law (`Space.configspace`). A
    failure is a crash, but for CARP-S's own words for running out of memory and of time; its cost is what it counts as.
    """
    from carps.objective_functions.objective_function import ObjectiveFunction
    from carps.utils.trials import StatusType, TrialValue

    words = {
        Status.OK: StatusType.SUCCESS,
        Status.OUT_OF_MEMORY: StatusType.MEMORYOUT,
        Status.TIMEOUT: StatusType.TIMEOUT,
    }
    wanted = benchmark.checked_objectives(objectives)

    class BenchmarkObjective(ObjectiveFunction):  # type: ignore[misc]
        @property
        def configspace(self) -> Any:
            return benchmark.configspace

        def _evaluate(self, trial_info: Any) -> Any:
            budget = benchmark.ladder.maximum if trial_info.budget is None else trial_info.budget
            answer = benchmark.query(trial_info.config, budget, SEED if trial_info.seed is None else trial_info.seed)
            values = [float(value) for value in benchmark.minimised(answer, *wanted, of=trial_info.config)]
            return TrialValue(
                cost=values if len(values) > 1 else values[0],
                virtual_time=answer.duration,
                status=words.get(answer.status, StatusType.CRASHED),
                additional_info={"status": answer.status.value},
            )

    return BenchmarkObjective(loggers)


def carps_config(
    benchmark: Benchmark, objectives: Sequence[str] | None = None, full_budgets: float = 100
) -> dict[str, Any]:
    """A task of CARP-S as its files of tasks have it: what it writes as YAML, of which JSON is a part, and Hydra makes
    a Task of its `task`. The optimizer may spend `full_budgets` trainings at the largest budget, or as much on smaller
    ones."""
    wanted, space, ladder = benchmark.checked_objectives(objectives), benchmark.space, benchmark.ladder
    here = __name__.rpartition(".")[0]
    varying = [h for h in space.hyperparameters if not h.constant]
    choices = [h for h in varying if isinstance(h, Choice)]
    numbers = [h for h in varying if not isinstance(h, Choice)]
    name = benchmark.name if benchmark.manifest.name in released() else benchmark.source
    described = {key: value for key, value in space.as_dict().items() if key != "architecture"}
    task = {
        "_target_": "carps.utils.task.Task",
        "name": f"{benchmark.name}/{'+'.join(wanted)}",
        "seed": "${seed}",
        "objective_function": {
            "_target_": f"{__name__}.carps_objective",
            "benchmark": {"_target_": f"{here}.stored.load_benchmark", "name_or_folder": name},
            "objectives": list(wanted),
        },
        "input_space": {
            "_target_": "carps.utils.task.InputSpace",
            "configuration_space": {
                "_target_": "ConfigSpace.configuration_space.ConfigurationSpace.from_serialized_dict",
                "_convert_": "object",
                "d": described,
            },
            "fidelity_space": {
                "_target_": "carps.utils.task.FidelitySpace",
                "is_multifidelity": len(ladder.rungs) > 1,
                "fidelity_type": ladder.unit,
                "min_fidelity": ladder.minimum,
                "max_fidelity": ladder.maximum,
            },
            "instance_space": None,
        },
        "output_space": {
            "_target_": "carps.utils.task.OutputSpace",
            "n_objectives": len(wanted),
            "objectives": list(wanted),
        },
        "optimization_resources": {
            "_target_": "carps.utils.task.OptimizationResources",
            "n_trials": full_budgets,
            "time_budget": None,
            "n_workers": 1,
        },
        "metadata": {
            "_target_": "carps.utils.task.TaskMetadata",
            "has_constraints": False,
            "domain": "ML",
            "objective_function_approximation": "surrogate",
            "has_virtual_time": True,
            "deterministic": False,
            "dimensions": len(varying),
            "search_space_n_categoricals": len([h for h in choices if not h.ordered]),
            "search_space_n_ordinals": len([h for h in choices if h.ordered]),
            "search_space_n_integers": len([h for h in numbers if h.integer]),
            "search_space_n_floats": len([h for h in numbers if not h.integer]),
            "search_space_has_conditionals": bool(space.conditions),
            "search_space_has_forbiddens": False,
            "search_space_has_priors": False,
        },
    }
    return {"benchmark_id": "jointbench", "task_id": "${task.name}", "task": task}


def optunahub_problem(
    benchmark: Benchmark,
    objectives: Sequence[str] | None = None,
    seed: int | None = SEED,
    limits: Mapping[str, float] | None = None,
) -> Any:
    """A BaseProblem of OptunaHub, at the largest budget. `limits` are the most that other fields of an answer may be,
    such as `{"peak_memory": 2e9}`: each is a constraint of Optuna's, 0 or less where it is kept.

    As an objective of Optuna it suggests what is active alone; `search_space` has all, choices with an order as numbers
    from 0. What Optuna samples at random has the law of `Space.sample`.
    """
    from optuna import distributions
    from optuna.study import StudyDirection
    from optunahub.benchmarks import BaseProblem

    wanted, most = benchmark.checked_objectives(objectives), dict(limits or {})
    limited = benchmark.checked_objectives(list(most)) if most else ()

    def distribution(h: Hyperparameter) -> Any:
        if h.unordered and isinstance(h, Choice):
            return distributions.CategoricalDistribution(h.choices)
        if h.integer:
            return distributions.IntDistribution(int(h.low), int(h.high), log=h.log)
        return distributions.FloatDistribution(h.low, h.high, log=h.log)

    # Typed where OptunaHub is installed, and not where it is not.
    base: Any = BaseProblem

    class BenchmarkProblem(base):  # type: ignore[misc]
        @property
        def search_space(self) -> dict[str, Any]:
            return {h.name: distribution(h) for h in benchmark.space.hyperparameters if not h.constant}

        @property
        def directions(self) -> list[Any]:
            return [StudyDirection.MINIMIZE] * len(wanted)

        @property
        def metric_names(self) -> list[str]:
            return list(wanted)

        def __call__(self, trial: Any) -> Any:
            suggested(benchmark.space, trial)
            for name, excess in self.evaluate_constraints(trial.params).items():
                trial.set_constraint(name, excess)
            return self.evaluate(trial.params)

        def evaluate(self, params: dict[str, Any]) -> Any:
            values = self._minimised(params, *wanted)
            return values if len(values) > 1 else values[0]

        def evaluate_constraints(self, params: dict[str, Any]) -> dict[str, float]:
            values = self._minimised(params, *limited) if most else ()
            return {name: float(value - most[name]) for name, value in zip(limited, values, strict=True)}

        def _minimised(self, params: dict[str, Any], *names: str) -> tuple[Any, ...]:
            space = benchmark.space
            ordered = [h for h in space.hyperparameters if isinstance(h, Choice) and not h.unordered]
            named = {h.name: h.value(params[h.name]) for h in ordered if h.name in params}
            configuration = _configuration(benchmark, params | named)
            answer = benchmark.query(configuration, benchmark.ladder.maximum, seed)
            return benchmark.minimised(answer, *names, of=configuration)

    return BenchmarkProblem()


def neps_pipeline(
    benchmark: Benchmark, objectives: Sequence[str] | None = None, seed: int | None = SEED
) -> tuple[Callable[..., dict[str, Any]], Any]:
    """What NePS evaluates and the space that it searches: `evaluate_pipeline` and `pipeline_space` of `neps.run`.

    A ladder of several budgets is the fidelity `budget`; the cost is wall seconds. A failure raises RuntimeError, which
    is how NePS knows a crash: it goes on where it is run with `ignore_errors=True`. Choices have no order and no
    weights, and integers on a log scale Syne Tune's law (`syne_tune_blackbox`). Raises InputError for a hyperparameter
    that NePS cannot call by its name.
    """
    import neps

    wanted, space, ladder = benchmark.checked_objectives(objectives), benchmark.space, benchmark.ladder

    def parameter(h: Hyperparameter) -> Any:
        if h.name == "budget" or h.name.startswith("_"):
            raise InputError("hyperparameter", h.name, "a name that NePS can tell from its fidelity and its own")
        if isinstance(h, Choice):
            return neps.Categorical(h.choices)
        if h.integer and h.log:
            # NePS reaches whole powers of this base alone, from the lower end; without it those of e.
            return neps.Integer(int(h.low), int(h.high), log=True, log_base=(h.high / h.low) ** _NEPS_STEP)
        return (neps.Integer if h.integer else neps.Float)(h.value(h.low), h.value(h.high), log=h.log)

    made = {h.name: parameter(h) for h in space.hyperparameters if not h.constant}
    if len(ladder.rungs) > 1:
        made["budget"] = neps.FloatFidelity(ladder.minimum, ladder.maximum)

    class BenchmarkSpace(neps.PipelineSpace):  # type: ignore[misc]
        def __init__(self) -> None:
            for name, value in made.items():
                setattr(self, name, value)

    def evaluate(budget: float | None = None, **values: Any) -> dict[str, Any]:
        budget = ladder.maximum if budget is None else budget
        configuration = _configuration(benchmark, values)
        answer = benchmark.query(configuration, budget, seed)
        if not answer.ok:
            raise RuntimeError(answer.status.value)
        found = [float(value) for value in benchmark.minimised(answer, *wanted, of=configuration)]
        return {"objective_to_minimize": found if len(found) > 1 else found[0], "cost": answer.duration}

    return evaluate, BenchmarkSpace()


def ray_trainable(
    benchmark: Benchmark, objectives: Sequence[str] | None = None, seed: int | None = SEED
) -> tuple[Callable[[dict[str, Any]], None], dict[str, Any]]:
    """What Ray Tune runs and the space that it searches: the trainable and the `param_space` of a Tuner.

    A trial reports its objectives by name at each rung, with `budget` and `status`; its iterations count rungs from 1.
    Ray samples integers on a log scale by its own law: rounded down from log-uniform numbers between the lower end and
    one above the upper, so that of 1..16 the 1 has 24.5 % instead of 31.4 % (`Space.sample`). It knows no weights of
    choices.
    """
    from ray import tune

    wanted = benchmark.checked_objectives(objectives)

    def domain(h: Hyperparameter) -> Any:
        if h.constant:
            return h.value(h.low)
        if isinstance(h, Choice):
            return tune.choice(list(h.choices))
        if h.integer:
            return (tune.lograndint if h.log else tune.randint)(int(h.low), int(h.high) + 1)
        return (tune.loguniform if h.log else tune.uniform)(h.low, h.high)

    def trainable(config: dict[str, Any]) -> None:
        configuration = _configuration(benchmark, config)
        for budget in benchmark.ladder.rungs:
            answer = benchmark.query(configuration, budget, seed)
            values = dict(zip(wanted, benchmark.minimised(answer, *wanted, of=configuration), strict=True))
            tune.report({**values, "budget": budget, "status": answer.status.value})

    return trainable, {h.name: domain(h) for h in benchmark.space.hyperparameters}


def _stacked(columns: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Columns (n,) of a batch as (n, columns)."""
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def _configuration(benchmark: Benchmark, values: Mapping[str, Any]) -> Configuration:
    """Of a library's values those of a configuration: with what is constant, and without what is inactive."""
    space = benchmark.space
    known = {h.name: h.value(h.low) for h in space.hyperparameters if h.constant}
    known |= {name: _rounded(space.by_name[name], value) for name, value in values.items()}
    if not space.conditions:
        return known
    active = space.active({**space.usual, **known})
    return {name: value for name, value in known.items() if name in active}


def _rounded(h: Hyperparameter, value: Any) -> Any:
    """A legal value; the end of a range where a library's arithmetic has come as near to it as it can."""
    if isinstance(h, Choice):
        return h.check(value)
    number = h.number(value)
    for exact in (h.low, h.high, np.rint(number) if h.integer else number):
        if np.isfinite(number) and abs(number - exact) <= _ROUNDING * (abs(exact) if h.log else h.high - h.low):
            return h.check(exact)
    return h.check(number)


def _of_one_type(h: Choice) -> tuple[list[Any], str]:
    """The choices, and the word for their type. Raises InputError where they have more than one."""
    for kind, word in ((bool, "bool"), (str, "str"), (int, "int"), (float, "float")):
        if all(type(choice) in (kind, int) if kind is float else type(choice) is kind for choice in h.choices):
            return [kind(choice) for choice in h.choices], word
    raise InputError("hyperparameter", f"{h.name}: {h.choices}", "choices of one type")
