"""The networks of the reference spaces: PreAct ResNet-18 and WideResNet-28-10."""

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.training.networks.initialising import Conv
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.facts import ImageShape
from jointbench.data.spaces.reference_networks import ReferenceSpace
from jointbench.data.spaces.space import Space


class PreActBlock(nn.Module):
    """BN-ReLU-Conv3x3-BN-ReLU-Conv3x3 (He et al. 2016, figure 4e).

    Where the shape changes the shortcut is a strided 1x1 convolution that reads what BN and ReLU put out.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(before)
        self.conv1 = Conv(1, before, after, 3, stride=stride, padding=1)
        self.norm2 = nn.BatchNorm2d(after)
        self.conv2 = Conv(1, after, after, 3, padding=1)
        self.shortcut = Conv(1, before, after, 1, stride=stride) if before != after or stride != 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, before, h, w); result: (n, after, ceil(h / stride), ceil(w / stride))."""
        active = F.relu(self.norm1(x))
        out: Tensor = self.conv2(F.relu(self.norm2(self.conv1(active))))
        return out + (x if self.shortcut is None else self.shortcut(active))


class ReferenceNetwork(nn.Module):
    """Convolution, stages of blocks, BN, ReLU, global average pool, linear."""

    def __init__(self, space: ReferenceSpace, image_shape: ImageShape, classes: int) -> None:
        super().__init__()
        before = space.stem
        layers: list[nn.Module] = [Conv(1, image_shape[0], before, 3, padding=1)]
        for after, first_stride in zip(space.widths, space.strides, strict=True):
            for stride in (first_stride, *[1] * (space.blocks - 1)):
                layers.append(PreActBlock(before, after, stride))
                before = after
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(before))
        self.classifier = nn.Linear(before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """images: (n, channels, h, w), any h and w; result: logits (n, classes)."""
        logits: Tensor = self.classifier(F.relu(self.features(images)).mean(dim=(2, 3)))
        return logits


def build(
    space: Space, configuration: Configuration, image_shape: ImageShape, classes: int, architecture_seed: int
) -> nn.Module:
    """The same for every configuration and architecture seed: only the training can be chosen."""
    assert isinstance(space, ReferenceSpace)
    return ReferenceNetwork(space, image_shape, classes)
