"""The network against the plain formulation of the paper and the authors' code."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.speed.plain import PlainNetwork, TwoPaths
from jointbench.bench.training.networks.joint import JointNetwork, ResidualBlock
from jointbench.bench.training.networks.registry import network
from jointbench.data.spaces.joint import JOINT

SMALL = {
    **JOINT.named["zela-2018"],
    "filters": 8,
    "death_rate": 0.3,
    "res_blocks_1": 2,
    "res_blocks_2": 1,
    "res_blocks_3": 2,
    "res_branches_1": 3,
    "res_branches_2": 1,
    "res_branches_3": 2,
    "widen_factor_1": 1.0,
    "widen_factor_2": 0.5,
    "widen_factor_3": 1.3,
}


Pair = tuple[nn.Module, slice, nn.Module]


def counterparts(fused: JointNetwork, plain: PlainNetwork) -> Iterator[Pair]:
    """Each module of the plain network that holds numbers, with the fused one and the part of it that is the same."""
    stem, norm, *blocks = fused.features
    yield from ((one, slice(None), other) for one, other in [(stem, plain.stem), (norm, plain.norm)])
    for block, theirs in zip(blocks, plain.blocks, strict=True):
        wide = block.conv1.out_channels // block.branches
        for index, branch in enumerate(theirs.branches):
            own = slice(index * wide, (index + 1) * wide)
            ours = (block.conv1, block.norm1, block.conv2, block.norm2)
            yield from zip(ours, [own] * 4, (branch[1], branch[2], branch[4], branch[5]), strict=True)
        if isinstance(theirs.shortcut, TwoPaths):
            for name in ("first", "second", "norm"):
                yield getattr(block.shortcut, name), slice(None), getattr(theirs.shortcut, name)
    yield fused.classifier, slice(None), plain.classifier


def tensors(pairs: list[Pair]) -> Iterator[tuple[Tensor, Tensor]]:
    """Parameters, gathered statistics and, where there are any, gradients; ours and theirs."""
    for ours, own, theirs in pairs:
        buffers = dict(ours.named_buffers())
        for name, other in [*theirs.named_parameters(), *theirs.named_buffers()]:
            one = buffers.get(name, getattr(ours, name))
            yield (one[own] if one.dim() else one), other
            if other.grad is not None:
                yield one.grad[own], other.grad


@pytest.mark.parametrize(
    ("shape", "changed"),
    [
        ((3, 32, 32), {}),
        ((1, 28, 28), {"death_rate": 1.0}),
        ((1, 8, 8), {"death_rate": 0.0}),
        # Odd sides; a two-path shortcut without a stride.
        ((1, 7, 9), {"death_rate": 1.0, "widen_factor_1": 1.5}),
    ],
)
def test_fused_branches_equal_the_plain_formulation(shape: tuple[int, int, int], changed: dict[str, float]) -> None:
    """Forward, all gradients and what the norms gather, shaking on, in float64: the two differ by the order of
    additions alone."""
    configuration = {**SMALL, **changed}
    torch.manual_seed(0)
    model = network(JOINT, configuration, shape, 10).double()
    plain = PlainNetwork(configuration, shape, 10).double()
    assert isinstance(model, JointNetwork)
    pairs = list(counterparts(model, plain))
    assert sum(p.numel() for p in plain.parameters()) == sum(p.numel() for p in model.parameters())
    # Norms begin as 1 and 0, which would hide whose is whose.
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    with torch.no_grad():
        for one, other in tensors(pairs):
            other.copy_(one)
    images = torch.randn(4, *shape, dtype=torch.float64)
    logits = []
    for either in (model, plain):
        # Twice, so that kept and dropped gates are met and gradients add up.
        torch.manual_seed(1)
        for _ in range(2):
            logits.append(either(images))
            F.cross_entropy(logits[-1], torch.tensor([0, 3, 5, 9])).backward()
    for one, other in [*zip(logits[:2], logits[2:], strict=True), *tensors(pairs)]:
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)
    torch.testing.assert_close(model.eval()(images), plain.eval()(images), rtol=0, atol=1e-10)


def test_every_block_has_the_same_death_rate_however_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    single = {**SMALL, **{f"res_branches_{i}": 1 for i in (1, 2, 3)}}
    seen = []
    monkeypatch.setattr(
        "jointbench.bench.training.networks.joint.shake_drop", lambda x, rate, training: seen.append(rate) or x
    )
    network(JOINT, single, (1, 8, 8), 10)(torch.randn(2, 1, 8, 8))
    assert seen == [0.3] * 5


@pytest.mark.parametrize("training", [True, False])
def test_the_death_rate_has_no_effect_without_a_block_of_one_branch(training: bool) -> None:
    branching = {**SMALL, "res_branches_2": 2}
    answers = []
    for death_rate in (0.0, 1.0):
        torch.manual_seed(0)
        model = network(JOINT, {**branching, "death_rate": death_rate}, (1, 8, 8), 10).train(training)
        answers.append(model(torch.randn(4, 1, 8, 8)))
    torch.testing.assert_close(*answers, rtol=0, atol=0)


def test_narrowest_network_works() -> None:
    low = {**SMALL, "filters": 8, **{f"widen_factor_{i}": 0.5 for i in (1, 2, 3)}}
    model = network(JOINT, low, (1, 8, 8), 10)
    assert model(torch.randn(2, 1, 8, 8)).shape == (2, 10)
    assert sum(p.numel() for p in model.parameters()) == JOINT.facts(low, (1, 8, 8)).parameters


def test_strides_are_one_two_two_and_shortcuts_identities_where_nothing_changes() -> None:
    same = {**SMALL, **{f"widen_factor_{i}": 1.0 for i in (1, 2, 3)}, **{f"res_blocks_{i}": 2 for i in (1, 2, 3)}}
    blocks = [m for m in network(JOINT, same, (3, 32, 32), 10).modules() if isinstance(m, ResidualBlock)]
    assert [block.conv1.stride[0] for block in blocks] == [1, 1, 2, 1, 2, 1]
    assert [block.shortcut is not None for block in blocks] == [False, False, True, False, True, False]


def test_the_stem_has_no_relu_and_the_end_no_norm() -> None:
    model = network(JOINT, SMALL, (3, 32, 32), 10)
    kinds = [type(layer).__name__ for layer in model.features]
    assert kinds == ["Conv", "BatchNorm2d", *["ResidualBlock"] * 5]


def test_initialisation_is_by_the_width_of_one_branch() -> None:
    torch.manual_seed(0)
    wide = {**SMALL, "filters": 32, "widen_factor_1": 4.0, "res_branches_1": 4}
    model = network(JOINT, wide, (3, 32, 32), 10)
    block = next(m for m in model.modules() if isinstance(m, ResidualBlock))
    # 128 * 9 * 32 weights or more a branch: the standard deviation is known to about half a percent.
    for convolution in (block.conv1, block.conv2):
        assert convolution.weight.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    # 32 * 64 weights a path of 64 channels: to about one and a half.
    for convolution in (block.shortcut.first, block.shortcut.second):
        assert convolution.weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.06)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(bool((m.weight == 1).all() and (m.bias == 0).all() and (m.running_var == 1).all()) for m in norms)
    assert bool((model.classifier.bias == 0).all())
