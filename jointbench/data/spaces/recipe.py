"""How a network is trained: what the trainer reads instead of names of hyperparameters."""

from dataclasses import dataclass
from typing import Literal

#: `sgd`: with Nesterov's momentum (the paper's); `adamw`: Loshchilov and Hutter 2019.
OptimizerName = Literal["sgd", "adamw"]
#: `restarts`: cosine annealing with warm restarts (the paper's); `cosine`: one cycle of it; `constant`.
ScheduleName = Literal["restarts", "cosine", "constant"]


@dataclass(frozen=True)
class Recipe:
    """What a step is made of.

    `learning_rate`: at the beginning; `momentum`: of sgd, or the first of adamw's two; `weight_decay`: L2 of sgd,
    decoupled of adamw; `mixup_alpha`: of MixUp's Beta distribution, 0 for none; `cutout_length`: pixels of an image of
    32, 0 for none; `clipping`: largest norm of all gradients, None for any; `label_smoothing`: the share of a label
    that all classes have, in [0, 1); `nesterov`: how sgd uses its momentum.
    """

    batch_size: int
    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    optimizer: OptimizerName = "sgd"
    schedule: ScheduleName = "restarts"
    mixup_alpha: float = 0.0
    cutout_length: int = 0
    clipping: float | None = None
    label_smoothing: float = 0.0
    nesterov: bool = True
