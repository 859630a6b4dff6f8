"""Where optimizers end on a surrogate: the configurations that it promises most of, and that nobody has trained.

A surrogate is as good as its evidence where its users' optimizers end, and there they search for whatever it believes
too readily. To train these configurations is the remedy (Jones et al., 1998, section 4.1, of any search on a model).
"""

from collections.abc import Sequence

import numpy as np

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.evaluation import Configuration
from jointbench.data.incumbent import Incumbents
from jointbench.data.seeds import collection_seed
from jointbench.optimizers import make_optimizer
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.promises import climb

#: Seeds of a part's runs: as many as nobody's runs are, beyond those of all parts before it.
_RUNS_OF_A_PART = 1_000


def ends(
    benchmark: Benchmark, optimizers: Sequence[str], runs: int, full_budgets: float, seed: int
) -> list[Configuration]:
    """For each optimizer and run two configurations: its incumbent on the benchmark, and where a climb from there ends
    on what the benchmark says at the largest budget without noise. Deterministic given the benchmark and the seed."""
    objective = SurrogateObjective(benchmark)
    found = []
    for number in range(runs):
        of_run = collection_seed(seed * _RUNS_OF_A_PART + number)
        for name in optimizers:
            optimizer = make_optimizer(name, benchmark.space, benchmark.ladder, seed=of_run, full_budgets=full_budgets)
            incumbents = Incumbents((benchmark.task.objective,))
            cluster = SimulatedCluster(objective, 1)
            for one in run(optimizer, cluster, benchmark.ladder, seed=of_run, full_budgets=full_budgets):
                incumbents.hear(one.evaluation)
            if incumbents.best is not None:
                incumbent = incumbents.best.configuration
                found += [incumbent, climb(benchmark, incumbent, np.random.default_rng(of_run))]
    return found
