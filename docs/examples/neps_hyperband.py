"""The published benchmark as a pipeline of NePS, whose Hyperband chooses the budgets."""

import neps

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

pipeline, space = adapters.neps_pipeline(load())
neps.run(
    pipeline,
    space,
    root_directory="neps",
    overwrite_root_directory=True,
    optimizer="hyperband",
    worker_evaluations_to_spend=60,
    ignore_errors=True,
)
evaluated, summary = neps.status("neps")
best = evaluated.loc[summary["best_config_id"]]
print(f"best: {best['objective_to_minimize']:.2%} at a budget of {best['config.budget']:g} seconds")
