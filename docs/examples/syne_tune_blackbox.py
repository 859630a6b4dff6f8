"""The published benchmark as a blackbox of Syne Tune, on its simulated cluster of four workers."""

from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
from syne_tune.blackbox_repository import UserBlackboxBackend
from syne_tune.optimizer.baselines import ASHA

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
blackbox = adapters.syne_tune_blackbox(benchmark)
backend = UserBlackboxBackend(blackbox, elapsed_time_attr="elapsed_time")
scheduler = ASHA(
    blackbox.configuration_space,
    metric="validation_error",
    time_attr="resource",
    max_t=int(blackbox.fidelity_values[-1]),
    random_seed=0,
)
tuner = Tuner(
    backend,
    scheduler,
    StoppingCriterion(max_wallclock_time=600),
    n_workers=4,
    sleep_time=0,
    callbacks=[SimulatorCallback()],
    save_tuner=False,
)
tuner.run()
_, best = tuner.best_config()
print(f"best: {benchmark.query(best, benchmark.ladder.maximum).validation_error:.2%} with {best}")
