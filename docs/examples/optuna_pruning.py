"""The published benchmark as an objective of Optuna, which prunes between the budgets."""

import jointbench_digits_cpu as published
import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
objective = published.adapters.optuna_objective(published.load())
study = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0), pruner=optuna.pruners.SuccessiveHalvingPruner(reduction_factor=3)
)
study.optimize(objective, n_trials=60)
pruned = len(study.get_trials(states=[optuna.trial.TrialState.PRUNED]))
print(f"best: {study.best_value:.2%} after pruning {pruned} of {len(study.trials)}; {study.best_params}")
