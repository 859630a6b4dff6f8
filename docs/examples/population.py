"""A population at a time: differential evolution (Storn and Price 1997), each generation one batch."""

import numpy as np

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
error = adapters.population_function(benchmark)
rng = np.random.default_rng(0)
points = rng.random((100, len(benchmark.space.names)))
errors = error(points)
for _ in range(50):
    first, second, third = (points[rng.permutation(len(points))] for _ in range(3))
    mutants = np.clip(first + 0.5 * (second - third), 0, 1)
    children = np.where(rng.random(points.shape) < 0.5, mutants, points)
    children_errors = error(children)
    better = children_errors < errors
    points[better], errors[better] = children[better], children_errors[better]
print(f"best of 50 generations: {errors.min():.2%}")
