"""Shake-Shake and ShakeDrop: weighted sums whose backward weights differ from their forward weights."""

from typing import Any

import torch
from torch import Tensor


class _Mix(torch.autograd.Function):
    """Weighted sum over branches; the gradient flows back with weights of its own."""

    @staticmethod
    def forward(ctx: Any, branches: Tensor, forward_weights: Tensor, backward_weights: Tensor) -> Tensor:
        ctx.save_for_backward(backward_weights)
        count = forward_weights.shape[1]
        parts, weights = branches.chunk(count, dim=1), forward_weights.to(branches.dtype).chunk(count, dim=1)
        mixed = parts[0] * weights[0][..., None, None]
        for part, weight in zip(parts[1:], weights[1:], strict=True):
            mixed.addcmul_(part, weight[..., None, None])
        return mixed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weights,) = ctx.saved_tensors
        weights = weights.to(gradient.dtype)
        return (
            torch.cat([gradient * weight[..., None, None] for weight in weights.chunk(weights.shape[1], 1)], 1),
            None,
            None,
        )


def mix(branches: Tensor, forward_weights: Tensor, backward_weights: Tensor) -> Tensor:
    """Sum of branches, weighted per image.

    branches: (n, count * channels, height, width), one branch's channels after the other's;
    weights: (n, count); result: (n, channels, height, width). The weights get no gradient.
    """
    mixed: Tensor = _Mix.apply(branches, forward_weights, backward_weights)
    return mixed


def shake_shake(branches: Tensor, count: int, training: bool) -> Tensor:
    """Gastaldi 2017 for `count` > 1 branches: weights are the softmax of U[0, 1], drawn per image and anew for
    the backward pass; 1/count each in evaluation (authors' code)."""
    shape = (branches.shape[0], count)
    if not training:
        even = torch.full(shape, 1 / count, dtype=branches.dtype, device=branches.device)
        return mix(branches, even, even)
    forward_weights, backward_weights = torch.rand((2, *shape), device=branches.device).softmax(dim=-1)
    return mix(branches, forward_weights, backward_weights)


def shake_drop(branch: Tensor, death_rate: float, training: bool) -> Tensor:
    """Yamada et al. 2018 for one branch: a gate a block and batch keeps it with probability 1 - death rate; a
    dropped one is multiplied by U[-1, 1] forward and U[0, 1] backward, per image; evaluation multiplies by
    1 - death rate (authors' code; no decay with depth)."""
    if not training:
        return branch * (1 - death_rate)
    kept = torch.rand((), device=branch.device) >= death_rate
    forward_weights, backward_weights = torch.rand((2, branch.shape[0], 1), device=branch.device)
    return mix(branch, torch.where(kept, 1.0, 2 * forward_weights - 1), torch.where(kept, 1.0, backward_weights))
