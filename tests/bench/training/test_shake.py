"""Shake-Shake and ShakeDrop: what is drawn, for whom, and what evaluation does instead."""

import numpy as np
import pytest
import torch
from torch import Tensor

from jointbench.bench.training.shake import mix, shake_drop, shake_shake


def unit_branches(images: int, count: int) -> Tensor:
    """Branch k is 1 in channel k and 0 in all others, so that what comes out are the weights themselves."""
    branches = torch.eye(count)[None, :, :, None, None].expand(images, count, count, 1, 1)
    return branches.reshape(images, count * count, 1, 1).clone().requires_grad_()


class TestShakeShake:
    @pytest.mark.parametrize("count", [2, 3, 5])
    def test_weights_are_a_softmax_of_unit_uniforms_per_image_both_ways(self, count: int) -> None:
        torch.manual_seed(0)
        branches = unit_branches(500, count)
        out = shake_shake(branches, count, training=True)[:, :, 0, 0]
        out.sum().backward()
        assert branches.grad is not None
        backward = branches.grad.reshape(500, count, count)[:, :, 0]
        for weights in (out.detach(), backward):
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(500))
            assert len(torch.unique(weights[:, 0])) > 490
            # One uniform is 1 and the others 0, or the other way round; with 500 draws both ends are nearly met.
            lowest, highest = 1 / (1 + (count - 1) * np.e), np.e / (np.e + count - 1)
            assert lowest < weights.min() < lowest + 0.1
            assert highest - 0.2 < weights.max() < highest
        # Independent: the correlation of 500 pairs has a standard error of 0.045.
        assert abs(np.corrcoef(out[:, 0].detach(), backward[:, 0])[0, 1]) < 0.2

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
        assert x.grad is not None
        forward, backward = out.detach().flatten(), x.grad.flatten()
        assert -1 <= forward.min() < -0.9
        assert 0.9 < forward.max() <= 1
        assert 0 <= backward.min() < 0.1
        assert 0.9 < backward.max() <= 1
        # Independent: the correlation of 500 pairs has a standard error of 0.045.
        assert abs(np.corrcoef(forward, backward)[0, 1]) < 0.2

    def test_one_gate_decides_for_the_whole_batch(self) -> None:
        torch.manual_seed(0)
        outs = [shake_drop(torch.ones(50, 1, 1, 1), 0.4, training=True) for _ in range(300)]
        kept = [bool((out == 1).all()) for out in outs]
        changed = [bool((out != 1).all()) for out in outs]
        assert all(one != other for one, other in zip(kept, changed, strict=True))
        # Keep probability 0.6 with a standard error of 0.028.
        assert np.mean(kept) == pytest.approx(0.6, abs=0.1)

    def test_evaluation_scales_by_the_keep_probability(self) -> None:
        x = torch.randn(2, 3, 4, 4)
        torch.testing.assert_close(shake_drop(x, 0.3, training=False), 0.7 * x)


def test_mix_keeps_half_precision() -> None:
    branches = torch.randn(2, 4, 3, 3, dtype=torch.bfloat16, requires_grad=True)
    weights = torch.full((2, 2), 0.5)
    out = mix(branches, weights, weights)
    out.sum().backward()
    assert branches.grad is not None
    assert out.dtype == branches.grad.dtype == torch.bfloat16
