"""Networks by what their spaces call them, and the one way to make one."""

from functools import partial
from typing import Protocol

import torch
from torch import nn

from jointbench.bench.training.networks import generator, joint, reference_networks
from jointbench.bench.training.networks.initialising import initialise, is_drawn, remember
from jointbench.data.evaluation import Configuration
from jointbench.data.registry import Registry
from jointbench.data.spaces.facts import ImageShape
from jointbench.data.spaces.space import Space


class Builder(Protocol):
    """Makes the network of a configuration on torch's default device; image_shape: (channels, height, width). It takes
    images (n, channels, h, w) and gives logits (n, classes). What a space draws follows from `architecture_seed`."""

    def __call__(
        self,
        space: Space,
        configuration: Configuration,
        image_shape: ImageShape,
        classes: int,
        architecture_seed: int,
        /,
    ) -> nn.Module: ...


#: By the names of spaces, or of what several have in common (`Space.network`); an entry point of the group brings a
#: package's.
NETWORKS: Registry[Builder] = Registry(
    "space of the network",
    "jointbench.networks",
    {
        "joint": joint.build,
        "generator": generator.build,
        "reference": reference_networks.build,
    },
)


def network(
    space: Space, configuration: Configuration, image_shape: ImageShape, classes: int, architecture_seed: int = 0
) -> nn.Module:
    """The network that `configuration` describes, channels last, initialised from torch's global random state.

    It is made on torch's default device (`with torch.device(...)`). image_shape: (channels, height, width).
    Raises UnknownNameError when the space has no network.
    """
    device = torch.get_default_device()
    build = partial(
        NETWORKS[space.network or space.name], space, configuration, image_shape, classes, architecture_seed
    )
    # torch would fill every weight once before we do, which takes longer than a small training.
    with torch.device("meta"):
        model = build()
    if is_drawn(model):
        model.to(memory_format=torch.channels_last)
        model.to_empty(device=device)
    else:
        with torch.device(device):
            model = build()
        model.to(memory_format=torch.channels_last)
        remember(model, build)
    initialise(model)
    return model
