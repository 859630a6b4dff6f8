"""The published benchmark as a task of CARP-S: a file for its command line, and the same task from Python.

    python -m carps.run "hydra.searchpath=[file://$PWD]" +task=digits-cpu +optimizer/randomsearch=config seed=1

runs it from the folder in which this example ran; any of CARP-S's optimizers may stand there.
"""

import json
from pathlib import Path

from carps.optimizers.random_search import RandomSearchOptimizer
from hydra.utils import instantiate
from omegaconf import OmegaConf

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

config = adapters.carps_config(load(), full_budgets=20)
Path("task").mkdir(exist_ok=True)
Path("task/digits-cpu.yaml").write_text("# @package _global_\n" + json.dumps(config, indent=2), encoding="utf-8")

task = instantiate(OmegaConf.create({"seed": 1, **config}).task, objective_function={"loggers": []})
# CARP-S's random search draws by the space's own seed.
task.objective_function.configspace.seed(1)
optimizer = RandomSearchOptimizer(task)
trial, value = optimizer.run()
print(f"best: {value.cost:.2%} with {dict(trial.config)}")
print(f"{optimizer.virtual_time_elapsed_seconds:.0f} virtual seconds")
