"""The joint space's network the way such papers' code is written: branch after branch, module after module.

What is fused in `bench/training/networks/joint.py` is proved equal to this by test, and timed against it. It follows
section 3.3 and the authors' code, and draws its random numbers in the order in which ours are drawn.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.facts import ImageShape


class Scale(torch.autograd.Function):
    """A branch times one number an image, its gradient times another: Gastaldi's and Yamada's layer."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, forward_factors: Tensor, backward_factors: Tensor) -> Tensor:
        ctx.save_for_backward(backward_factors)
        return x * forward_factors[:, None, None, None].to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient * ctx.saved_tensors[0][:, None, None, None].to(gradient.dtype), None, None


class Branch(nn.Sequential):
    """ReLU-Conv3x3-BN-ReLU-Conv3x3-BN."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )


class TwoPaths(nn.Module):
    """Strided pixels, and those one pixel further right and down, side by side (Gastaldi 2017)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(1, stride)
        self.first = nn.Conv2d(before, after // 2, 1, bias=False)
        self.second = nn.Conv2d(before, after - after // 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(x)
        shifted = F.pad(active[:, :, 1:, 1:], (0, 1, 0, 1))
        normed: Tensor = self.norm(torch.cat([self.first(self.pool(active)), self.second(self.pool(shifted))], dim=1))
        return normed


class Block(nn.Module):
    """Branches, shaken, beside a shortcut."""

    def __init__(self, before: int, after: int, branches: int, stride: int, death_rate: float) -> None:
        super().__init__()
        self.death_rate = death_rate
        self.branches = nn.ModuleList(Branch(before, after, stride) for _ in range(branches))
        changed = before != after or stride != 1
        self.shortcut: nn.Module = TwoPaths(before, after, stride) if changed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        factors = zip(*self._factors(len(x), x.device), strict=True)
        total: Tensor = self.shortcut(x)
        for branch, (forward_factors, backward_factors) in zip(self.branches, factors, strict=True):
            total = total + Scale.apply(branch(x), forward_factors, backward_factors)
        return total

    def _factors(self, images: int, device: torch.device) -> tuple[list[Tensor], list[Tensor]]:
        """What each branch is multiplied by, (images,), forward and backward."""
        count = len(self.branches)
        if not self.training:
            fixed = 1 / count if count > 1 else 1 - self.death_rate
            same = [torch.full((images,), fixed, dtype=torch.float64, device=device)] * count
            return same, same
        if count > 1:
            alpha, beta = torch.rand((2, images, count), device=device).softmax(dim=-1)
            return list(alpha.T), list(beta.T)
        kept = bool(torch.rand((), device=device) >= self.death_rate)
        alpha, beta = torch.rand((2, images), device=device)
        if kept:
            return [torch.ones_like(alpha)], [torch.ones_like(beta)]
        return [2 * alpha - 1], [beta]


class PlainNetwork(nn.Module):
    """Convolution and BN, blocks with strides 1, 2, 2, ReLU, average pool over the whole image, linear."""

    def __init__(self, configuration: Configuration, image_shape: ImageShape, classes: int) -> None:
        super().__init__()
        at: dict[str, Any] = dict(configuration)
        before = at["filters"]
        self.stem = nn.Conv2d(image_shape[0], before, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(before)
        blocks = []
        for main, first_stride in ((1, 1), (2, 2), (3, 2)):
            after = round(at[f"widen_factor_{main}"] * before)
            for index in range(at[f"res_blocks_{main}"]):
                stride = first_stride if index == 0 else 1
                blocks.append(Block(before, after, at[f"res_branches_{main}"], stride, at["death_rate"]))
                before = after
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """images: (n, channels, h, w); result: logits (n, classes)."""
        x = F.relu(self.blocks(self.norm(self.stem(images))))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits
