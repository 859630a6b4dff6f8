"""The published benchmark as an objective of Optuna, which prunes between the budgets."""

import optuna

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

optuna.logging.set_verbosity(optuna.logging.WARNING)
objective = adapters.optuna_objective(load())
study = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0), pruner=optuna.pruners.SuccessiveHalvingPruner(reduction_factor=3)
)
study.optimize(objective, n_trials=60)
pruned = len(study.get_trials(states=[optuna.trial.TrialState.PRUNED]))
print(f"best: {study.best_value:.2%} after pruning {pruned} of {len(study.trials)}; {study.best_params}")
