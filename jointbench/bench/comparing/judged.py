"""What is known of the surrogate that a comparison was made on: it travels with the comparison, wherever that goes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jointbench.bench.comparing.comparison_folder import Settings, read_content
from jointbench.bench.comparing.its_benchmark import its_benchmark
from jointbench.data.errors import LogError
from jointbench.data.metrics import VALIDATION_ERROR
from jointbench.data.task import Task
from jointbench.surrogate.judging.verdict import ERRORS_OF_IMAGES, Verdict, objective_in, verdict

#: Of the comparison's file, where it is kept.
JUDGED = "judged"


@dataclass(frozen=True)
class Judged:
    """A benchmark's judgement: the rows of `HeldOut.scores` and of `judging.best.best`, as its manifest has them."""

    scores: Sequence[Mapping[str, Any]]
    best: Sequence[Mapping[str, Any]]

    def verdict(self, task: Task) -> Verdict:
        return verdict(task.ladder, self.scores, self.best, task.metrics)

    @property
    def objective(self) -> str:
        """The name of the metric that the rows are about."""
        found = objective_in(self.best)
        return VALIDATION_ERROR.name if found in ERRORS_OF_IMAGES else found

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def judged_now(settings: Settings) -> Judged | None:
    """From the benchmark itself; None where no surrogate answers, or it is not there (any more) as it was."""
    benchmark = its_benchmark(settings)
    return None if benchmark is None else Judged(benchmark.quality, benchmark.manifest.best)


def judged(folder: Path) -> Judged | None:
    """As the comparison in a folder keeps it; of one that was made before it did, from the benchmark. None where no
    surrogate answered, or nothing is known of it. Raises LogError for what is no judgement.
    """
    content = read_content(folder).get(JUDGED)
    if content is None:
        return judged_now(Settings.read(folder))
    try:
        scores, best = content["scores"], content["best"]
        if all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in (scores, best)):
            return Judged(scores, best)
    except (KeyError, TypeError):
        pass
    raise LogError("judgement of the comparison's benchmark", str(folder), "lists of objects, as compare writes them")


def judged_verdict(folder: Path) -> Verdict | None:
    """Of the surrogate that a comparison was made on; None where there was none, or nothing is known of it."""
    found = judged(folder)
    return None if found is None else found.verdict(Settings.read(folder).task)
