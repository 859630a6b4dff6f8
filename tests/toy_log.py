"""A log of the toy space: a loss above 1 at one rung, failures, seeds, and nothing about images."""

from pathlib import Path

import numpy as np
from toy import ONE_RUNG, TOY

from jointbench.data.evaluation import Configuration, Evaluation, Provenance, Status
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric

LOSS = Metric("loss", bounds=(0, 1e9), failure=1e6, format=".3g")
ACCURACY = Metric("accuracy", "fraction", maximize=True, bounds=(0, 1), failure=0.0)
#: What follows from the configuration, and is not modelled.
SIZE = Metric("size", "bytes", bounds=(0, 1e12), whole=True, exact=True)
METRICS = (LOSS, ACCURACY, SIZE)


def true_loss(configuration: Configuration) -> float:
    kind = {"forest": 0.0, "boosting": -1.0, "line": 2.0}[configuration["kind"]]
    size = {"small": 1.0, "medium": 0.0, "large": 0.5}[configuration["size"]]
    trees = np.log(configuration.get("trees", 1)) / 4
    slope = (configuration.get("slope", 3.0) / 5) ** 2
    return float(np.exp(2 + kind + size - trees + slope))


def toy_evaluations(count: int, seed: int = 0) -> list[Evaluation]:
    """Each configuration with one seed, every third with two more."""
    rng, made = np.random.default_rng(seed), []
    for number, configuration in enumerate(TOY.sample(rng, count)):
        failed = configuration["kind"] == "line" and rng.random() < 0.5
        for luck in range(3 if number % 3 == 0 else 1):
            loss = true_loss(configuration) * float(np.exp(0.05 * rng.normal()))
            metrics = {"loss": loss, "accuracy": 1 / (1 + loss / 5), "size": 1000 + number}
            metrics |= {"loss": 1e6, "accuracy": 0.0} if failed else {}
            made.append(
                Evaluation(
                    TOY.name,
                    configuration,
                    ONE_RUNG.maximum,
                    luck,
                    Status.CRASHED if failed else Status.OK,
                    metrics,
                    key=f"{number}-{luck}",
                    provenance=Provenance(optimizer="random"),
                )
            )
    return made


def toy_log(folder: Path, count: int = 90) -> EvaluationLog:
    log = EvaluationLog.open_or_create(folder, TOY, ONE_RUNG, None, METRICS)
    log.append(toy_evaluations(count))
    return log
