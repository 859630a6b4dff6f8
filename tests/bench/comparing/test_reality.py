"""The simulated cluster against a real one: what it predicts of sleeping evaluations is what four processes do."""

import time
from dataclasses import replace
from pathlib import Path

from analytic import Analytic

from jointbench.bench.running.cluster import Cluster, Finished, SimulatedCluster
from jointbench.bench.running.dask_cluster import DaskCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.workplaces import ThisMachine
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.images.registry import known_facts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import make_optimizer

LADDER = Ladder(1.0, 3.0)
WORKERS, FULL_BUDGETS = 4, 10.0

#: Seconds that stand for one: the next where the machine is too busy for the one before.
UNITS = (0.5, 2.0, 6.0)


class Sleeping(Analytic):
    """Evaluations take whole units, but for the first of each worker: no two ever end within a quarter of a unit."""

    def __init__(self, unit: float, sleeps: bool) -> None:
        super().__init__(LADDER)
        self.unit, self.sleeps = unit, sleeps

    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
        units = 1 + seed / WORKERS if seed < WORKERS else 1 + seed * 5 % 3 % 2
        if self.sleeps:
            time.sleep(units * self.unit)
        evaluation = super().__call__(configuration, budget, seed)
        return replace(evaluation.measuring(wall_seconds=units * self.unit), finished_at=time.time())


def drive(cluster: Cluster, full_budgets: float = FULL_BUDGETS) -> list[Finished]:
    optimizer = make_optimizer("hyperband", JOINT, LADDER, seed=0, full_budgets=full_budgets)
    return list(run(optimizer, cluster, LADDER, full_budgets=full_budgets, seed=0))


def proposals(finished: list[Finished]) -> list[tuple[float, Configuration]]:
    trials = [one.started.trial for one in sorted(finished, key=lambda one: one.started.number)]
    return [(trial.budget, trial.configuration) for trial in trials]


def ends(finished: list[Finished]) -> dict[int, float]:
    """By the number of the trial, in the order of the ends; seconds since the first began."""
    begin = min(one.start for one in finished)
    return {one.started.number: one.end - begin for one in finished}


def differences(simulated: list[Finished], real: list[Finished], unit: float) -> list[str]:
    found = []
    if proposals(simulated) != proposals(real):
        found.append("other proposals")
    expected, measured = ends(simulated), ends(real)
    if list(expected) != list(measured):
        found.append(f"another order: {list(measured)} instead of {list(expected)}")
    late = {number: measured[number] - expected[number] for number in expected.keys() & measured.keys()}
    if not all(abs(seconds) < unit / 2 for seconds in late.values()):
        found.append(f"other times: {late}")
    return found


def test_a_real_cluster_of_four_processes_does_what_is_simulated(tmp_path: Path) -> None:
    log = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, known_facts("digits"))
    real = DaskCluster(
        Sleeping(0.01, sleeps=True), log, workplace=ThisMachine.processors(WORKERS), optimizer="x", run="warm-up"
    )
    found: dict[float, list[str]] = {}
    with real:
        # Processes start and import at their own pace; that is not what is simulated.
        drive(real, 2 * FULL_BUDGETS)
        for unit in UNITS:
            real.objective, real.run = Sleeping(unit, sleeps=True), f"unit-{unit}"
            simulated = drive(SimulatedCluster(Sleeping(unit, sleeps=False), WORKERS))
            assert len(simulated) >= 4 * WORKERS
            found[unit] = differences(simulated, drive(real), unit)
            if not found[unit]:
                break
    assert not found[unit], found


def test_what_is_proposed_depends_on_who_ends_first() -> None:
    # Else the test above would show little.
    four, one = (drive(SimulatedCluster(Sleeping(1.0, sleeps=False), workers)) for workers in (WORKERS, 1))
    assert proposals(four) != proposals(one)
