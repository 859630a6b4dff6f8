"""The networks of the joint space, large and small."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.training.networks.initialising import Conv
from jointbench.bench.training.shake import shake_drop, shake_shake
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.facts import ImageShape
from jointbench.data.spaces.joint import MAIN_BLOCKS, STRIDES
from jointbench.data.spaces.space import Space


class Shortcut(nn.Module):
    """Two strided 1x1 paths, the second shifted by one pixel, side by side (Gastaldi 2017); ReLU on both.

    The authors' ReLU on the first path alone is a slip that we do not repeat.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first = Conv(1, before, after // 2, 1) if after > 1 else None
        self.second = Conv(1, before, after - after // 2, 1)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, active: Tensor) -> Tensor:
        """active: (n, before, h, w) after ReLU; result: (n, after, ceil(h / stride), ceil(w / stride))."""
        s = self.stride
        height, width = active.shape[2:]
        shifted = active[:, :, 1::s, 1::s]
        # The shift leaves a row and a column short unless an even side is halved.
        shifted = F.pad(shifted, (0, -(-width // s) - shifted.shape[3], 0, -(-height // s) - shifted.shape[2]))
        paths = [self.second(shifted)]
        if self.first is not None:
            paths.insert(0, self.first(active[:, :, ::s, ::s]))
        normed: Tensor = self.norm(torch.cat(paths, dim=1))
        return normed


class ResidualBlock(nn.Module):
    """ReLU-Conv3x3-BN-ReLU-Conv3x3-BN-Mul in each branch (section 3.3), all branches computed as one.

    The branches' first convolutions read the same input, so they are one wide convolution; their second ones
    are one grouped convolution; batch norm works by channel, so theirs are one too.
    """

    def __init__(self, before: int, after: int, branches: int, stride: int, death_rate: float) -> None:
        super().__init__()
        self.branches, self.death_rate = branches, death_rate
        wide = branches * after
        self.conv1 = Conv(branches, before, wide, 3, stride=stride, padding=1)
        self.norm1 = nn.BatchNorm2d(wide)
        self.conv2 = Conv(branches, wide, wide, 3, padding=1, groups=branches)
        self.norm2 = nn.BatchNorm2d(wide)
        self.shortcut = Shortcut(before, after, stride) if before != after or stride != 1 else None

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(x)
        out = F.relu(self.norm1(self.conv1(active)), inplace=True)
        out = self.norm2(self.conv2(out))
        if self.branches > 1:
            out = shake_shake(out, self.branches, self.training)
        else:
            out = shake_drop(out, self.death_rate, self.training)
        return out + (x if self.shortcut is None else self.shortcut(active))


class JointNetwork(nn.Module):
    """Stem, three main blocks, ReLU, global average pool, linear (equation 1 and the authors' code)."""

    def __init__(self, space: Space, configuration: Configuration, image_shape: ImageShape, classes: int) -> None:
        super().__init__()
        at: dict[str, Any] = dict(configuration)
        before = at["filters"]
        # A 3x3 convolution and its norm, without ReLU.
        layers: list[nn.Module] = [
            Conv(1, image_shape[0], before, 3, padding=1),
            nn.BatchNorm2d(before),
        ]
        widths = space.facts(configuration, image_shape, classes).widths
        for block, first_stride, after in zip(MAIN_BLOCKS, STRIDES, widths, strict=True):
            for index in range(at[f"res_blocks_{block}"]):
                stride = first_stride if index == 0 else 1
                layers.append(ResidualBlock(before, after, at[f"res_branches_{block}"], stride, at["death_rate"]))
                before = after
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """images: (n, channels, h, w), any h and w; result: logits (n, classes)."""
        logits: Tensor = self.classifier(F.relu(self.features(images)).mean(dim=(2, 3)))
        return logits


def build(
    space: Space, configuration: Configuration, image_shape: ImageShape, classes: int, architecture_seed: int
) -> nn.Module:
    """The same for every architecture seed: nothing is drawn."""
    return JointNetwork(space, configuration, image_shape, classes)
