"""Error against parameters: the front of pymoo's NSGA-II on the published benchmark, a generation a batch."""

from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.optimize import minimize

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
problem = adapters.pymoo_problem(benchmark, ["validation_error", "parameters"])
result = minimize(problem, NSGA2(pop_size=40), ("n_gen", 40), seed=0)
for error, parameters in sorted(set(map(tuple, result.F.tolist()))):
    print(f"{error:7.2%} with {parameters:12,.0f} parameters")
print(f"the first of them: {benchmark.space.at(result.X[result.F[:, 0].argmin()])}")
