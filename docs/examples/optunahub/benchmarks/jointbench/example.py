import optuna
import optunahub

jointbench = optunahub.load_module("benchmarks/jointbench")
problem = jointbench.Problem("digits-cpu", seed=0, limits={"parameters": 100_000})
study = optuna.create_study(directions=problem.directions, sampler=optuna.samplers.TPESampler(seed=0))
study.optimize(problem, n_trials=40)
print(f"best: {study.best_value:.2%} with {study.best_params}")
