"""What the speed of simulating is measured with runs what comparisons run, and the others run the same."""

from importlib.util import find_spec

import pytest

from jointbench.bench.speed.simulations import Workload, syne_tune


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_a_cluster_that_looks_at_all_workers_makes_the_same_run(workers: int) -> None:
    workload = Workload(200)
    ours, other = workload.simulate(workers), workload.scan(workers)
    assert len(ours) == 200
    assert ours == other
    assert {one.evaluation.seed for one in ours} == set(range(200))


@pytest.mark.skipif(not find_spec("syne_tune"), reason="syne-tune is not installed")
def test_syne_tune_ends_as_many_trials() -> None:
    assert syne_tune(Workload(20), 4) >= 20
