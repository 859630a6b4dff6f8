"""The network against the plain formulation of the paper and the authors' code, written once, here."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.network import JointNetwork, ResidualBlock, Shortcut, network
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


class _Shake(torch.autograd.Function):
    """x times alpha forward, gradient times beta backward: Gastaldi's layer for one branch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(beta)
        return x * alpha[:, None, None, None]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient * ctx.saved_tensors[0][:, None, None, None], None, None


def plain_norm(x: Tensor, norm: nn.BatchNorm2d, own: slice = slice(None)) -> Tensor:
    """Batch norm of the channels `own`: by the batch in training, by what was gathered so far in evaluation."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gathered = (None, None) if norm.training else (norm.running_mean[own], norm.running_var[own])
    return F.batch_norm(x, *gathered, norm.weight[own], norm.bias[own], training=norm.training)


def plain_block(block: ResidualBlock, x: Tensor) -> Tensor:
    """Branch after branch, each with its own convolutions and norms, their weights sliced from the fused ones."""
    count = block.branches
    wide = block.conv1.out_channels // count
    outputs = []
    for branch in range(count):
        own = slice(branch * wide, (branch + 1) * wide)
        h = F.conv2d(F.relu(x), block.conv1.weight[own], stride=block.conv1.stride, padding=1)
        h = F.conv2d(F.relu(plain_norm(h, block.norm1, own)), block.conv2.weight[own], padding=1)
        outputs.append(plain_norm(h, block.norm2, own))
    if not block.training:
        total = sum(outputs) / count if count > 1 else (1 - block.death_rate) * outputs[0]
    elif count > 1:
        alpha, beta = torch.rand((2, len(x), count)).softmax(dim=-1)
        total = sum(_Shake.apply(out, alpha[:, i], beta[:, i]) for i, out in enumerate(outputs))
    else:
        kept = bool(torch.rand(()) >= block.death_rate)
        alpha, beta = torch.rand((2, len(x), 1))
        one = torch.ones(len(x))
        total = _Shake.apply(outputs[0], one if kept else 2 * alpha[:, 0] - 1, one if kept else beta[:, 0])
    return total + (x if block.shortcut is None else plain_shortcut(block.shortcut, x))


def plain_shortcut(shortcut: Shortcut, x: Tensor) -> Tensor:
    """Gastaldi's two paths: strided pixels, and those one pixel further right and down (zeros at the border)."""
    active = F.relu(x)
    shifted = torch.zeros_like(active)
    shifted[:, :, :-1, :-1] = active[:, :, 1:, 1:]
    paths = [
        F.conv2d(F.avg_pool2d(pixels, 1, shortcut.stride), convolution.weight)
        for pixels, convolution in ((active, shortcut.first), (shifted, shortcut.second))
    ]
    return plain_norm(torch.cat(paths, 1), shortcut.norm)


def plain_forward(model: JointNetwork, images: Tensor) -> Tensor:
    """No ReLU after the stem, no norm before the last ReLU."""
    stem, norm, *blocks = model.features
    x = plain_norm(F.conv2d(images, stem.weight, padding=1), norm)
    for block in blocks:
        x = plain_block(block, x)
    return model.classifier(F.adaptive_avg_pool2d(F.relu(x), 1).flatten(1))


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
    """Forward and all gradients, shaking on, in float64: the two differ by the order of additions alone."""
    torch.manual_seed(0)
    model = network(JOINT, {**SMALL, **changed}, shape, 10).double()
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
    # Each branch was computed once: the authors' code did so twice, and updated its norms twice.
    assert {m.num_batches_tracked.item() for m in model.modules() if isinstance(m, nn.BatchNorm2d)} == {1}
    model.eval()
    torch.testing.assert_close(model(images), plain_forward(model, images), rtol=0, atol=1e-10)


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
