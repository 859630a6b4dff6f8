"""The published benchmark as a target function of SMAC, which chooses the budgets."""

from smac import MultiFidelityFacade, Scenario

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
scenario = Scenario(
    benchmark.configspace,
    n_trials=40,
    min_budget=benchmark.ladder.minimum,
    max_budget=benchmark.ladder.maximum,
    deterministic=True,
    seed=0,
)
smac = MultiFidelityFacade(scenario, adapters.smac_target(benchmark), overwrite=True)
best = smac.optimize()
print(f"best: {benchmark.query(best, benchmark.ladder.maximum).validation_error:.2%} with {dict(best)}")
