"""The convolution that all networks are made of, and how networks are initialised."""

from typing import Any

from torch import nn


class Conv(nn.Conv2d):
    """A convolution without bias that knows over how many branches its output channels are spread."""

    def __init__(self, branches: int, before: int, after: int, size: int, **options: Any) -> None:
        super().__init__(before, after, size, bias=False, **options)
        self.branches = branches


def initialise(model: nn.Module) -> None:
    """Draw all weights of a network anew from torch's global random state, and reset its norms.

    He et al. 2016: N(0, sqrt(2 / (k^2 out))), where `out` is the width of one branch; the linear bias is 0.
    """
    model.apply(_initialise)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, Conv):
        size = module.kernel_size[0] * module.kernel_size[1]
        nn.init.normal_(module.weight, std=(2 * module.branches / (size * module.out_channels)) ** 0.5)
    elif isinstance(module, (nn.BatchNorm2d, nn.Linear)):
        module.reset_parameters()
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
