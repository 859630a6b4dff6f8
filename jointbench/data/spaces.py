"""The registry of spaces."""

from collections.abc import Mapping

from jointbench.data.errors import UnknownNameError
from jointbench.data.joint import JOINT
from jointbench.data.space import Space

SPACES: Mapping[str, Space] = {JOINT.name: JOINT}


def get_space(name: str) -> Space:
    """The space of this name. Raises UnknownNameError."""
    if name not in SPACES:
        raise UnknownNameError.of("space", name, SPACES)
    return SPACES[name]
