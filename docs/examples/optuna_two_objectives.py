"""Error against parameters: NSGA-II's front on the published benchmark."""

import optuna

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

optuna.logging.set_verbosity(optuna.logging.WARNING)
objective = adapters.optuna_objective(load(), ["validation_error", "parameters"])
study = optuna.create_study(directions=["minimize"] * 2, sampler=optuna.samplers.NSGAIISampler(seed=0))
study.optimize(objective, n_trials=300)
for trial in sorted(study.best_trials, key=lambda trial: trial.values):
    print("{:7.2%} with {:12,.0f} parameters".format(*trial.values))
