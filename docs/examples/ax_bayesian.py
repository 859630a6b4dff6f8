"""The published benchmark behind a client of Ax, which runs the trials itself: points of Sobol, then its own."""

import logging

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

logging.disable(logging.INFO)
client = adapters.ax_client(load(), random_seed=0)
client.configure_generation_strategy(initialization_random_seed=0)
# A training that fails is an outcome, not a reason to stop.
client.run_trials(max_trials=7, tolerated_trial_failure_rate=0.99, initial_seconds_between_polls=0)
configuration, found, *_ = client.get_best_parameterization(use_model_predictions=False)
error, _ = found["validation_error"]
print(f"best of {len(client.summarize())}: {error:.2%} with {configuration}")
