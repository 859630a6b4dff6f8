"""Images that are no numbers once they are normalised: what is trained on them diverges with its first step."""

from jointbench.bench.running import training_objective
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.data.evaluation import Configuration, Evaluation


class Poisoned(TrainingObjective):
    def __call__(self, configuration: Configuration, budget: float, seed: int) -> Evaluation:
        where = self.space.name, self.images, self.data_folder, self.hardware, self.augmentation
        images = training_objective._on_device(*where)
        images.mean = images.mean * float("nan")
        return super().__call__(configuration, budget, seed)
