"""A benchmark as an objective: what a training would have said, in microseconds."""

from dataclasses import replace

from jointbench.data.evaluation import Configuration, Evaluation, Provenance, failed
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task
from jointbench.surrogate.benchmark import Benchmark


class SurrogateObjective:
    """Evaluations drawn from a benchmark with the seed of the training that they stand for.

    A failure counts as that of a training does, whatever error the benchmark's answer carries.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self._provenance = Provenance(images=_images(benchmark.task), device=f"surrogate {benchmark.name}")
        self._failed = failed(m for m in benchmark.task.metrics if not m.exact)

    @property
    def space(self) -> Space:
        return self.benchmark.space

    @property
    def ladder(self) -> Ladder:
        return self.benchmark.ladder

    @property
    def images(self) -> ImageFacts:
        return self.benchmark.images

    @property
    def task(self) -> Task:
        return self.benchmark.task

    @property
    def checksum(self) -> str:
        """Changes whenever an answer could."""
        return self.benchmark.checksum

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        """What it says does not depend on `architecture_seed`."""
        evaluation = self._evaluation(configuration, budget, seed)
        return replace(evaluation, architecture_seed=architecture_seed) if architecture_seed else evaluation

    def expected(self, configuration: Configuration, budget: float) -> Evaluation:
        """The noise-free outcome."""
        return self._evaluation(configuration, budget, None)

    def _evaluation(self, configuration: Configuration, budget: float, seed: int | None) -> Evaluation:
        budget = self.ladder.check_within(budget)
        answer = self.benchmark.query(configuration, budget, seed)
        return Evaluation(
            space=self.space.name,
            configuration=configuration,
            budget=budget,
            seed=-1 if seed is None else int(seed),
            status=answer.status,
            metrics=answer.metrics if answer.ok else {**answer.metrics, **self._failed},
            provenance=self._provenance,
        )


def _images(task: Task) -> str:
    return "" if task.images is None else task.images.name
