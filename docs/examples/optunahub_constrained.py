"""The published benchmark as a problem of OptunaHub, with a limit on the parameters, which Optuna's TPE keeps to."""

import optuna
from optunahub.benchmarks import BaseProblem

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

optuna.logging.set_verbosity(optuna.logging.WARNING)
problem: BaseProblem = adapters.optunahub_problem(load(), limits={"parameters": 100_000})
study = optuna.create_study(directions=problem.directions, sampler=optuna.samplers.TPESampler(seed=0))
study.optimize(problem, n_trials=60)
print(f"best: {study.best_value:.2%} with {study.best_params}")
