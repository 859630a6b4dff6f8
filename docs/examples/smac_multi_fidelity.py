"""The published benchmark as a target function of SMAC, which chooses the budgets."""

import jointbench_digits_cpu as published
from smac import MultiFidelityFacade, Scenario

benchmark = published.load()
scenario = Scenario(
    benchmark.configspace,
    n_trials=40,
    min_budget=benchmark.ladder.minimum,
    max_budget=benchmark.ladder.maximum,
    deterministic=True,
    seed=0,
)
smac = MultiFidelityFacade(scenario, published.adapters.smac_target(benchmark), overwrite=True)
best = smac.optimize()
print(f"best: {benchmark.query(best, benchmark.ladder.maximum).validation_error:.2%} with {dict(best)}")
