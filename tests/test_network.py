"""The network against the plain formulation of the paper and the authors' code, written once, here."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so
from torch.utils.flop_counter import FlopCounterMode

from jointbench.bench.network import JointNetwork, ResidualBlock, Shortcut, network
from jointbench.bench.shake import mix, shake_drop, shake_shake
from jointbench.data.joint import JOINT

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
SMALL_CONFIGURATIONS = st.fixed_dictionaries(
    {
        **{f"res_blocks_{i}": st.integers(1, 3) for i in (1, 2, 3)},
        **{f"res_branches_{i}": st.integers(1, 5) for i in (1, 2, 3)},
        **{f"widen_factor_{i}": st.floats(0.5, 2.0) for i in (1, 2, 3)},
        "filters": st.integers(8, 12),
    }
).map(lambda chosen: {**SMALL, **chosen})
SHAPES = st.sampled_from([(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 7, 9)])


class _Shake(torch.autograd.Function):
    """x times alpha forward, gradient times beta backward: Gastaldi's layer for one branch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(beta)
        return x * alpha[:, None, None, None]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient * ctx.saved_tensors[0][:, None, None, None], None, None


def plain_block(block: ResidualBlock, x: Tensor) -> Tensor:
    """Branch after branch, each with its own convolutions and norms, their weights sliced from the fused ones."""
    count = block.branches
    wide = block.conv1.out_channels // count
    outputs = []
    for branch in range(count):
        own = slice(branch * wide, (branch + 1) * wide)
        h = F.conv2d(F.relu(x), block.conv1.weight[own], stride=block.conv1.stride, padding=1)
        h = F.batch_norm(h, None, None, block.norm1.weight[own], block.norm1.bias[own], training=True)
        h = F.conv2d(F.relu(h), block.conv2.weight[own], padding=1)
        outputs.append(F.batch_norm(h, None, None, block.norm2.weight[own], block.norm2.bias[own], training=True))
    if count > 1:
        alpha, beta = torch.rand((2, len(x), count)).softmax(dim=-1)
        total = sum(_Shake.apply(out, alpha[:, i], beta[:, i]) for i, out in enumerate(outputs))
    else:
        kept = bool(torch.rand(()) >= block.death_rate)
        alpha, beta = torch.rand((2, len(x), 1))
        one = torch.ones(len(x))
        total = _Shake.apply(outputs[0], one if kept else 2 * alpha[:, 0] - 1, one if kept else beta[:, 0])
    if block.shortcut is None:
        return x + total
    return plain_shortcut(block.shortcut, x) + total


def plain_shortcut(shortcut: Shortcut, x: Tensor) -> Tensor:
    """Gastaldi's two paths: strided pixels, and those one pixel further right and down (zeros at the border)."""
    s = shortcut.stride
    active = F.relu(x)
    shifted = torch.zeros_like(active)
    shifted[:, :, :-1, :-1] = active[:, :, 1:, 1:]
    paths = [
        F.conv2d(F.avg_pool2d(p, 1, s), c.weight) for p, c in ((active, shortcut.first), (shifted, shortcut.second))
    ]
    return F.batch_norm(torch.cat(paths, 1), None, None, shortcut.norm.weight, shortcut.norm.bias, training=True)


def plain_forward(model: JointNetwork, images: Tensor) -> Tensor:
    stem, norm, *blocks = model.features
    x = F.batch_norm(F.conv2d(images, stem.weight, padding=1), None, None, norm.weight, norm.bias, training=True)
    for block in blocks:
        x = plain_block(block, x)
    return model.classifier(F.adaptive_avg_pool2d(F.relu(x), 1).flatten(1))


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (1, 8, 8), (1, 7, 9)])
def test_fused_branches_equal_the_plain_formulation(shape: tuple[int, int, int]) -> None:
    """Forward and all gradients, shaking on, in float64: the two differ by the order of additions alone."""
    torch.manual_seed(0)
    model = network(JOINT, SMALL, shape, 10).double()
    images = torch.randn(4, *shape, dtype=torch.float64)
    labels = torch.tensor([0, 3, 5, 9])
    results = []
    for forward in (model, lambda x: plain_forward(model, x)):
        model.zero_grad()
        torch.manual_seed(1)
        logits = forward(images)
        F.cross_entropy(logits, labels).backward()
        results.append([logits.detach(), *(p.grad.clone() for p in model.parameters())])
    for fused, plain in zip(*results, strict=True):
        torch.testing.assert_close(fused, plain, rtol=0, atol=1e-10)


@given(configuration=SMALL_CONFIGURATIONS, shape=SHAPES, classes=st.sampled_from([10, 100]))
@settings(max_examples=15)
def test_facts_are_what_the_built_network_has(configuration: Any, shape: Any, classes: int) -> None:
    model = network(JOINT, configuration, shape, classes)
    facts = JOINT.facts(configuration, shape, classes)
    assert sum(p.numel() for p in model.parameters()) == facts.parameters
    activations = 0

    def count(module: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal activations
        activations += output[0].numel()

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    model.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, *shape))
    assert counter.get_total_flops() == facts.flops
    assert activations == facts.activations


@pytest.mark.parametrize("name", sorted(JOINT.named))
def test_named_networks_have_their_parameters(name: str) -> None:
    with torch.device("meta"):
        model = network(JOINT, JOINT.named[name], (3, 32, 32), 10)
    assert sum(p.numel() for p in model.parameters()) == JOINT.facts(JOINT.named[name]).parameters


def test_narrowest_network_works() -> None:
    low = {**SMALL, "filters": 8, **{f"widen_factor_{i}": 0.5 for i in (1, 2, 3)}}
    assert JOINT.facts(low).widths == (4, 2, 1)
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
    block = next(m for m in network(JOINT, wide, (3, 32, 32), 10).modules() if isinstance(m, ResidualBlock))
    # 128 * 9 * 32 weights or more a branch: the standard deviation is known to about half a percent.
    for convolution in (block.conv1, block.conv2):
        assert convolution.weight.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    model = network(JOINT, wide, (3, 32, 32), 10)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(bool((m.weight == 1).all() and (m.bias == 0).all() and (m.running_var == 1).all()) for m in norms)
    assert bool((model.classifier.bias == 0).all())


class TestShakeShake:
    def test_weights_are_drawn_per_image_sum_to_one_and_differ_backward(self) -> None:
        torch.manual_seed(0)
        # Branch k is constantly k + 1 where all others are 0, so the outputs are the weights themselves.
        branches = torch.eye(3)[None, :, :, None, None].expand(5, 3, 3, 1, 1).reshape(5, 9, 1, 1).clone()
        branches.requires_grad_()
        out = shake_shake(branches, 3, training=True)[:, :, 0, 0]
        torch.testing.assert_close(out.sum(dim=1), torch.ones(5))
        assert len(torch.unique(out[:, 0])) == 5
        # The softmax of numbers between 0 and 1 never leaves these bounds.
        assert (out > 1 / (1 + 2 * np.e)).all()
        assert (out < np.e / (np.e + 2)).all()
        out.sum().backward()
        backward = branches.grad.reshape(5, 3, 3)[:, :, 0]
        torch.testing.assert_close(backward.sum(dim=1), torch.ones(5))
        assert not torch.allclose(backward, out.detach())

    def test_evaluation_takes_the_mean(self) -> None:
        branches = torch.randn(2, 12, 3, 3)
        torch.testing.assert_close(
            shake_shake(branches, 4, training=False), branches.reshape(2, 4, 3, 3, 3).mean(dim=1)
        )


class TestShakeDrop:
    def test_a_kept_branch_passes_unchanged_both_ways(self) -> None:
        x = torch.randn(4, 2, 3, 3, requires_grad=True)
        out = shake_drop(x, 0.0, training=True)
        out.sum().backward()
        torch.testing.assert_close(out, x)
        torch.testing.assert_close(x.grad, torch.ones_like(x))

    def test_a_dropped_branch_is_scaled_per_image_within_its_bounds(self) -> None:
        torch.manual_seed(0)
        x = torch.ones(500, 1, 1, 1, requires_grad=True)
        out = shake_drop(x, 1.0, training=True)
        out.sum().backward()
        forward, backward = out.detach().flatten(), x.grad.flatten()
        assert -1 <= forward.min() < -0.9
        assert 0.9 < forward.max() <= 1
        assert 0 <= backward.min() < 0.1
        assert 0.9 < backward.max() <= 1
        # Independent: the correlation of 500 pairs has a standard error of 0.045.
        assert abs(np.corrcoef(forward, backward)[0, 1]) < 0.2

    def test_one_gate_decides_for_the_whole_batch(self) -> None:
        torch.manual_seed(0)
        kept = [bool((shake_drop(torch.ones(50, 1, 1, 1), 0.4, training=True) == 1).all()) for _ in range(300)]
        changed = [bool((shake_drop(torch.ones(50, 1, 1, 1), 0.4, training=True) != 1).all()) for _ in range(300)]
        # Keep probability 0.6 with a standard error of 0.028.
        assert np.mean(kept) == pytest.approx(0.6, abs=0.1)
        assert np.mean(changed) == pytest.approx(0.4, abs=0.1)

    def test_evaluation_scales_by_the_keep_probability(self) -> None:
        x = torch.randn(2, 3, 4, 4)
        torch.testing.assert_close(shake_drop(x, 0.3, training=False), 0.7 * x)


def test_mix_keeps_half_precision() -> None:
    branches = torch.randn(2, 4, 3, 3, dtype=torch.bfloat16, requires_grad=True)
    weights = torch.full((2, 2), 0.5)
    out = mix(branches, weights, weights)
    out.sum().backward()
    assert out.dtype == branches.grad.dtype == torch.bfloat16
