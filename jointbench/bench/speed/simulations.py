"""What the speed of simulating is measured with: an optimizer and an objective that take next to no time."""

import io
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from jointbench.bench.running.cluster import Cluster, Finished, SimulatedCluster, Started
from jointbench.bench.running.run import run
from jointbench.bench.speed.subjects import SPACE
from jointbench.data.evaluation import Configuration, Evaluation, ReadOnlyConfiguration, Status
from jointbench.data.ladder import Ladder
from jointbench.optimizers import Optimizer, Trial

LADDER = Ladder(27.0, 27.0)
ERRORS = {"validation_error": 0.5, "test_error": 0.5}


class Ready(Optimizer):
    """Proposes what it was made with, learns nothing."""

    name = "ready"

    def __init__(self, trials: Sequence[Trial]) -> None:
        super().__init__(SPACE, LADDER, seed=0, full_budgets=len(trials))
        self._rest = iter(trials)

    def ask(self) -> Trial | None:
        return next(self._rest, None)

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        pass


class Known:
    """Answers with the evaluation whose number is the seed."""

    space, ladder = SPACE, LADDER

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        self.evaluations = evaluations

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        return self.evaluations[seed]


class Workload:
    """So many trials and their evaluations, whose wall seconds are irregular, with ties."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(0)
        # As a surrogate does, it answers with the configuration that it was given.
        configuration = ReadOnlyConfiguration(SPACE.sample(rng)[0])
        self.wall_seconds: list[float] = np.ceil(27 * rng.lognormal(sigma=0.5, size=count) * 10).tolist()
        self.trials = [Trial(configuration, LADDER.maximum) for _ in range(count)]
        self.objective = Known(
            [
                Evaluation(SPACE.name, configuration, LADDER.maximum, k, Status.OK, {**ERRORS, "wall_seconds": seconds})
                for k, seconds in enumerate(self.wall_seconds)
            ]
        )

    def simulate(self, workers: int) -> list[Finished]:
        """The whole run, on the cluster that comparisons use."""
        return self._on(SimulatedCluster(self.objective, workers))

    def scan(self, workers: int) -> list[Finished]:
        """The same run on a cluster that looks at all workers to find the one that ends first."""
        return self._on(ScanningCluster(self.objective, workers))

    def calls_alone(self) -> None:
        """What is left without a cluster: asking, evaluating and telling, one after the other."""
        optimizer, objective = Ready(self.trials), self.objective
        seed = 0
        while (trial := optimizer.ask()) is not None:
            evaluation = objective(trial.configuration, trial.budget, seed)
            optimizer.tell(trial, evaluation)
            seed += 1

    def _on(self, cluster: Cluster) -> list[Finished]:
        return list(run(Ready(self.trials), cluster, LADDER, full_budgets=len(self.trials), seed=0))


class ScanningCluster:
    """A simulated cluster as one writes it first: a list of what is running."""

    def __init__(self, objective: Known, workers: int) -> None:
        self.objective, self.workers, self.now = objective, workers, 0.0
        self._running: list[Finished] = []

    def start(self, started: Started) -> None:
        evaluation = self.objective(started.trial.configuration, started.trial.budget, started.seed)
        self._running.append(Finished(started, evaluation, self.now, self.now + evaluation.wall_seconds))

    def wait(self) -> Finished:
        first = min(self._running, key=lambda one: (one.end, one.started.number))
        self._running.remove(first)
        self.now = first.end
        return first


def syne_tune(workload: Workload, workers: int) -> int:
    """The same trials on Syne Tune's simulator backend, one result each; the number of trials that ended."""
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        os.environ["SYNETUNE_FOLDER"] = folder
        import syne_tune as st
        from syne_tune.backend.simulator_backend.simulator_backend import SimulatorBackend
        from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
        from syne_tune.backend.trial_status import Status as TrialStatus
        from syne_tune.optimizer.scheduler import TrialScheduler, TrialSuggestion

        class Backend(SimulatorBackend):  # type: ignore[misc]
            def _run_job_and_collect_results(
                self, trial_id: int, config: Any = None
            ) -> tuple[str, list[dict[str, float]]]:
                # It starts a few trials more than it is to end.
                seconds = workload.wall_seconds[trial_id % len(workload.trials)]
                return TrialStatus.completed, [{"error": 0.5, "elapsed": seconds}]

        class Scheduler(TrialScheduler):  # type: ignore[misc]
            def suggest(self) -> Any:
                return TrialSuggestion.start_suggestion({"learning_rate": 0.1})

            def metric_names(self) -> list[str]:
                return ["error"]

            def metric_mode(self) -> str:
                return "min"

        tuner = st.Tuner(
            Backend(str(Path(__file__)), "elapsed"),
            Scheduler(random_seed=0),
            st.StoppingCriterion(max_num_trials_completed=len(workload.trials)),
            n_workers=workers,
            sleep_time=0,
            callbacks=[SimulatorCallback()],
            save_tuner=False,
            trial_backend_path=folder,
        )
        tuner.run()
        ended: int = tuner.tuning_status.num_trials_completed
        return ended


@contextmanager
def _quiet() -> Iterator[None]:
    """Syne Tune logs at each trial, and prints a summary at the end."""
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
