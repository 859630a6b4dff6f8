"""The published benchmark as a trainable of Ray Tune, which ASHA stops between the budgets."""

from pathlib import Path

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
ladder = benchmark.ladder
trainable, space = adapters.ray_trainable(benchmark)
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
tuner = tune.Tuner(
    trainable,
    param_space=space,
    tune_config=tune.TuneConfig(
        metric="validation_error",
        mode="min",
        num_samples=8,
        search_alg=BasicVariantGenerator(random_state=2),
        scheduler=ASHAScheduler(
            time_attr="budget",
            max_t=ladder.maximum,
            grace_period=ladder.minimum,
            reduction_factor=ladder.eta,
        ),
    ),
    run_config=tune.RunConfig(storage_path=str(Path("ray").resolve()), verbose=0),
)
best = tuner.fit().get_best_result()
print(f"best: {best.metrics['validation_error']:.2%} at a budget of {best.metrics['budget']:g}, with {best.config}")
