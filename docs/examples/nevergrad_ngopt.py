"""The published benchmark as a function of Nevergrad, whose NGOpt chooses an optimizer by its parametrization."""

import nevergrad

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

function = adapters.nevergrad_function(load())
function.parametrization.random_state.seed(0)
optimizer = nevergrad.optimizers.NGOpt(function.parametrization, budget=200)
recommended = optimizer.minimize(function)
print(f"best: {recommended.loss:.2%} with {recommended.value}")
