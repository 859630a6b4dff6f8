"""The hyperparameters of training that every space has, with the ranges of Zela et al. 2018, Table 3."""

from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.spaces.recipe import Recipe

#: `cutout_length` in pixels of the paper's 32; the learning rate is the initial one.
TRAINING = (
    Number("learning_rate", 0.001, 1.0, log=True),
    Number("batch_size", 32, 128, log=True, integer=True),
    Number("weight_decay", 1e-5, 1e-3, log=True),
    Number("momentum", 0.001, 0.99),
    Number("mixup_alpha", 0.0, 1.0),
    Number("cutout_length", 0, 20, integer=True),
)

#: The paper's appendix B, with the weight decay of its 2-branch networks. It does not give the batch size; 128 is usual
#: with these values and the range's upper end.
APPENDIX_B: Configuration = {
    "learning_rate": 0.1,
    "batch_size": 128,
    "weight_decay": 5e-4,
    "momentum": 0.9,
    "mixup_alpha": 0.2,
    "cutout_length": 16,
}


def recipe_of(configuration: Configuration) -> Recipe:
    """The paper's training: SGD with Nesterov's momentum, cosine annealing with warm restarts, CutOut and MixUp."""
    return Recipe(
        batch_size=configuration["batch_size"],
        learning_rate=configuration["learning_rate"],
        momentum=configuration["momentum"],
        weight_decay=configuration["weight_decay"],
        mixup_alpha=configuration["mixup_alpha"],
        cutout_length=configuration["cutout_length"],
    )
