"""The published benchmark behind a worker of HpBandSter, whose BOHB runs on a name server of its own."""

from hpbandster.core.nameserver import NameServer
from hpbandster.optimizers import BOHB

try:  # the wheel, which needs NumPy alone
    from jointbench_digits_cpu import adapters, load
except ModuleNotFoundError:
    from jointbench import adapters
    from jointbench import load_benchmark as load

benchmark = load()
server = NameServer(run_id="example", host="127.0.0.1", port=0)
host, port = server.start()
worker = adapters.hpbandster_worker(benchmark, run_id="example", nameserver=host, nameserver_port=port)
worker.run(background=True)
ladder = benchmark.ladder
bohb = BOHB(
    benchmark.configspace,
    run_id="example",
    nameserver=host,
    nameserver_port=port,
    min_budget=ladder.minimum,
    max_budget=ladder.maximum,
    eta=ladder.eta,
)
bohb.budgets = bohb.budgets.tolist()  # NumPy 2 writes its floats in a way that HpBandSter's network cannot read
result = bohb.run(n_iterations=4)
bohb.shutdown(shutdown_workers=True)
server.shutdown()
run = min(result.get_all_runs(only_largest_budget=True), key=lambda run: run.loss)
print(f"best: {run.loss:.2%} with {result.get_id2config_mapping()[run.config_id]['config']}")
