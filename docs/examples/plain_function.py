"""The published benchmark as a function: random search in four lines."""

import numpy as np

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
error = adapters.plain_function(benchmark)
candidates = benchmark.space.sample(np.random.default_rng(0), 1000)
best = min(candidates, key=error)
print(f"best of {len(candidates)}: {error(best):.2%} expected, {error(best, seed=1):.2%} drawn; {best}")
