"""Layer by layer a generator's network computes what it computes node by node."""

import copy

import numpy as np
import pytest
import torch

from jointbench.bench.speed.layered_cell import layer
from jointbench.bench.training.networks.generator import GeneratedNetwork
from jointbench.bench.training.networks.registry import network
from jointbench.data.spaces.generators import GeneratorSpace
from jointbench.data.spaces.registry import get_space


@pytest.mark.parametrize("name", ["hnag-small", "rnag-small", "hnag"])
def test_layers_equal_nodes(name: str) -> None:
    """In double precision: outputs, running statistics and gradients of the stem, which come through everything."""
    space, shape = get_space(name), (1, 8, 8)
    assert isinstance(space, GeneratorSpace)
    for seed, at in enumerate(space.sample(np.random.default_rng(4), 2 if name != "hnag" else 0)):
        check(space, at, shape, seed)
    if name == "hnag":
        # Several mid nodes of one depth, each with several operations that read its input.
        at = dict(zip(space.names, (3, 2, 0.5, 6, 0.3, 6, 2, 0.9), strict=True))
        check(space, at, shape, 1)
        check(space, at, shape, 2)


def check(space: GeneratorSpace, at: dict[str, object], shape: tuple[int, int, int], seed: int) -> None:  # type: ignore
    torch.manual_seed(seed)
    plain = network(space, at, shape, 10, seed).double()
    assert isinstance(plain, GeneratedNetwork)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    plain.head.dropout = None
    other = copy.deepcopy(plain)
    layer(other, space.drawn(at, seed), space.multiplier(at, shape, 10, seed))
    counts = [sum(p.numel() for p in model.parameters()) for model in (plain, other)]
    assert counts[0] == counts[1]
    images = torch.randn(3, *shape, dtype=torch.float64)
    for training in (True, False):
        outputs = [model.train(training)(images) for model in (plain, other)]
        torch.testing.assert_close(*outputs, rtol=1e-8, atol=1e-8)
        gradients = [
            torch.autograd.grad(one.square().sum(), model.stem[0].weight)[0]
            for one, model in zip(outputs, (plain, other), strict=True)
        ]
        torch.testing.assert_close(*gradients, rtol=1e-7, atol=1e-7)
