"""The registry of spaces."""

from collections.abc import Mapping

from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.joint import JOINT, JOINT_SMALL
from jointbench.data.spaces.reference_networks import PREACT_RESNET_18, WIDERESNET_28_10
from jointbench.data.spaces.space import Space

SPACES: Mapping[str, Space] = {space.name: space for space in (JOINT, JOINT_SMALL, PREACT_RESNET_18, WIDERESNET_28_10)}


def get_space(name: str) -> Space:
    """The space of this name. Raises UnknownNameError."""
    if name not in SPACES:
        raise UnknownNameError.of("space", name, SPACES)
    return SPACES[name]


def find_configuration(name_or_file: str) -> tuple[Space, Configuration]:
    """A named configuration of any space, or one of the joint space from a JSON file, with its space.

    Raises UnknownNameError when it is neither, ConfigurationError when the file holds no legal configuration.
    """
    named = {name: space for space in SPACES.values() for name in space.named}
    space = named.get(name_or_file, JOINT)
    try:
        return space, space.load(name_or_file)
    except UnknownNameError:
        raise UnknownNameError.of("configuration", name_or_file, named, hint=", or a JSON file") from None
