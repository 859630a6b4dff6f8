"""How networks are initialised, whatever they are made of."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn


class Conv(nn.Conv2d):
    """A convolution without bias that knows over how many branches its output channels are spread."""

    def __init__(self, branches: int, before: int, after: int, size: int, **options: Any) -> None:
        super().__init__(before, after, size, bias=False, **options)
        self.branches = branches


class Scalars(nn.Module):
    """Weights of a sum that are learned: the sigmoids of scalars that begin as 1."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(count))

    def forward(self) -> Tensor:
        """(count,), each in (0, 1)."""
        return self.weight.sigmoid()


#: What is drawn here, and all that a module of each kind has.
_DRAWN: dict[type[nn.Module], frozenset[str]] = {
    Conv: frozenset({"weight"}),
    nn.BatchNorm2d: frozenset({"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}),
    nn.Linear: frozenset({"weight", "bias"}),
    Scalars: frozenset({"weight"}),
}
#: Where a network keeps what builds it anew.
_BUILDER = "jointbench_builder"


def initialise(model: nn.Module) -> None:
    """Draw all weights of a network anew from torch's global random state, and reset its norms.

    He et al. 2016: N(0, sqrt(2 / (k^2 out))), where `out` is the width of one branch; the linear bias is 0. Whatever
    else a network has, parameters and buffers of other kinds, is as in one that is built anew.
    """
    model.apply(_initialise)
    build = vars(model).get(_BUILDER)
    if build is not None:
        with torch.device(next(_tensors(model))[1].device):
            fresh = dict(_tensors(build()))
        with torch.no_grad():
            for name, tensor in _others(model):
                tensor.copy_(fresh[name])


def is_drawn(model: nn.Module) -> bool:
    """Whether `initialise` knows all that the network has."""
    return next(_others(model), None) is None


def remember(model: nn.Module, build: Callable[[], nn.Module]) -> None:
    """Let `initialise` take from this what it does not know."""
    object.__setattr__(model, _BUILDER, build)


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def _others(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers that are not drawn here."""
    known = set()
    for name, module in model.named_modules(remove_duplicate=False):
        for kind, parts in _DRAWN.items():
            if isinstance(module, kind):
                known |= {f"{name}.{part}" if name else part for part in parts}
    for name, tensor in _tensors(model):
        if name not in known:
            yield name, tensor


def _initialise(module: nn.Module) -> None:
    if isinstance(module, Conv):
        size = module.kernel_size[0] * module.kernel_size[1]
        nn.init.normal_(module.weight, std=(2 * module.branches / (size * module.out_channels)) ** 0.5)
    elif isinstance(module, (nn.BatchNorm2d, nn.Linear)):
        module.reset_parameters()
    elif isinstance(module, Scalars):
        nn.init.ones_(module.weight)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
