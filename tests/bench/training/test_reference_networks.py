"""PreAct ResNet-18 and WideResNet-28-10 as published, against a plain formulation of He et al. 2016."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.training.networks.reference_networks import PreActBlock, ReferenceNetwork
from jointbench.bench.training.networks.registry import network
from jointbench.data.spaces.reference_networks import PREACT_RESNET_18, WIDERESNET_28_10, ReferenceSpace
from jointbench.data.spaces.registry import SPACES, find_configuration

REFERENCES = [PREACT_RESNET_18, WIDERESNET_28_10]


class Small(ReferenceSpace):
    """Both ways in which a stage begins: wider at the same size, and smaller."""

    name = "small"
    stem, widths, strides, blocks = 4, (6, 8), (1, 2), 2


def built(space: ReferenceSpace, shape: tuple[int, int, int] = (3, 32, 32)) -> ReferenceNetwork:
    model = network(space, {}, shape, 10)
    assert isinstance(model, ReferenceNetwork)
    return model


@pytest.mark.parametrize(("space", "parameters"), [(PREACT_RESNET_18, 11_172_170), (WIDERESNET_28_10, 36_479_194)])
def test_parameters_are_the_published_ones(space: ReferenceSpace, parameters: int) -> None:
    with torch.device("meta"):
        model = built(space)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert space.facts(space.named[space.name]).parameters == parameters


@pytest.mark.parametrize(("space", "layers", "strides"), [(PREACT_RESNET_18, 18, 3), (WIDERESNET_28_10, 28, 2)])
def test_depth_is_in_the_name(space: ReferenceSpace, layers: int, strides: int) -> None:
    """He et al. count the stem, the 3x3 convolutions and the linear layer; Zagoruyko and Komodakis the shortcuts'
    convolutions, too, but not the linear layer."""
    with torch.device("meta"):
        convolutions = [m for m in built(space).modules() if isinstance(m, nn.Conv2d)]
    counted = [c for c in convolutions if c.kernel_size == (3, 3) or space == WIDERESNET_28_10]
    assert len(counted) + (space == PREACT_RESNET_18) == layers
    assert sum(c.stride == (2, 2) for c in convolutions if c.kernel_size == (3, 3)) == strides


@pytest.mark.parametrize("space", REFERENCES)
def test_the_named_configuration_is_appendix_bs(space: ReferenceSpace) -> None:
    found, configuration = find_configuration(space.name)
    assert found == SPACES[space.name] == space
    assert dict(configuration) == {
        "learning_rate": 0.1,
        "batch_size": 128,
        "weight_decay": 5e-4,
        "momentum": 0.9,
        "mixup_alpha": 0.2,
        "cutout_length": 16,
    }


def test_shake_shake_networks_have_three_branches_and_so_the_smaller_weight_decay() -> None:
    """Two residual branches and the shortcut: Gastaldi's count, which appendix B follows."""
    for name in ("shake-shake-26-2x32d", "shake-shake-26-2x64d", "shake-shake-26-2x96d"):
        configuration = find_configuration(name)[1]
        assert (configuration["res_branches_1"], configuration["weight_decay"]) == (2, 1e-4)


def plain_norm_relu(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    mean, spread = x.mean(dim=(0, 2, 3), keepdim=True), x.var(dim=(0, 2, 3), keepdim=True, correction=0)
    scaled = (x - mean) / (spread + norm.eps).sqrt()
    return (scaled * norm.weight[:, None, None] + norm.bias[:, None, None]).clamp(min=0)


def plain_block(block: PreActBlock, x: Tensor) -> Tensor:
    stride = block.conv1.stride
    active = plain_norm_relu(x, block.norm1)
    h = F.conv2d(active, block.conv1.weight, stride=stride, padding=1)
    h = F.conv2d(plain_norm_relu(h, block.norm2), block.conv2.weight, padding=1)
    return h + (x if h.shape == x.shape else F.conv2d(active, block.shortcut.weight, stride=stride))


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 7, 9)])
def test_forward_and_gradients_are_those_of_the_plain_formulation(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    model = built(Small(), shape).double()
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    images = torch.randn(4, *shape, dtype=torch.float64)

    def plain(x: Tensor) -> Tensor:
        stem, *blocks, norm = model.features
        x = F.conv2d(x, stem.weight, padding=1)
        for block in blocks:
            x = plain_block(block, x)
        return model.classifier(plain_norm_relu(x, norm).mean(dim=(2, 3)))

    results = []
    for forward in (model, plain):
        model.zero_grad()
        logits = forward(images)
        F.cross_entropy(logits, torch.tensor([0, 3, 5, 9])).backward()
        results.append([logits.detach(), *(p.grad.clone() for p in model.parameters())])
    for one, other in zip(*results, strict=True):
        # The same sums in another order, in float64.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_initialisation_is_hes() -> None:
    torch.manual_seed(0)
    model = built(PREACT_RESNET_18)
    last = model.features[-2]
    # 512 * 9 * 512 weights, and 512 * 256 of a shortcut: known to better than half a percent.
    assert last.conv2.weight.std().item() == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.01)
    assert model.features[-3].shortcut.weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.01)
