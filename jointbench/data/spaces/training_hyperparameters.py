"""The hyperparameters of training that every space has, with the ranges of Zela et al. 2018, Table 3."""

from jointbench.data.spaces.hyperparameters import Hyperparameter

#: `cutout_length` in pixels of the paper's 32; the learning rate is the initial one.
TRAINING = (
    Hyperparameter("learning_rate", 0.001, 1.0, log=True),
    Hyperparameter("batch_size", 32, 128, log=True, integer=True),
    Hyperparameter("weight_decay", 1e-5, 1e-3, log=True),
    Hyperparameter("momentum", 0.001, 0.99),
    Hyperparameter("mixup_alpha", 0.0, 1.0),
    Hyperparameter("cutout_length", 0, 20, integer=True),
)
