"""The registry of spaces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.json_text import read_json
from jointbench.data.registry import Registry
from jointbench.data.spaces.generators import GENERATORS
from jointbench.data.spaces.joint import JOINT, JOINT_SMALL
from jointbench.data.spaces.reference_networks import PREACT_RESNET_18, WIDERESNET_28_10
from jointbench.data.spaces.space import Space

#: By name; `add_space` adds one, and an entry point of the group brings a package's.
SPACES: Registry[Space] = Registry(
    "space",
    "jointbench.spaces",
    {space.name: space for space in (JOINT, JOINT_SMALL, PREACT_RESNET_18, WIDERESNET_28_10, *GENERATORS)},
)


def add_space(space: Space) -> Space:
    """Make a space known by its name, to this process. Raises InputError where another has it."""
    return SPACES.add(space.name, space)


def get_space(name: str) -> Space:
    """The space of this name. Raises UnknownNameError."""
    return SPACES[name]


def find_space(name_or_file: str | Path) -> Space:
    """A known space, or one from a file of ConfigSpace's JSON, whose name is its own, else the file's.

    Raises UnknownNameError when it is neither, InputError for what is no space as ConfigSpace writes it.
    """
    if isinstance(name_or_file, str) and name_or_file in SPACES:
        return SPACES[name_or_file]
    path = Path(name_or_file)
    if not path.is_file():
        raise UnknownNameError.of("space", str(name_or_file), SPACES, hint=", or a file of ConfigSpace's JSON")
    try:
        content = read_json(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError("space", str(path), f"a file that can be read ({error.strerror})") from None
    named = content.get("name") if isinstance(content, dict) else None
    return Space.from_configspace(content, name=named if isinstance(named, str) and named else path.stem)


def recorded_space(name: str, configspace: Any) -> Space:
    """The space that was recorded by its name and its ConfigSpace JSON: a known one, else what the JSON says.

    A known space that has other ranges now is another one. Raises UnknownNameError where neither is there.
    """
    if configspace is None:
        return get_space(name)
    recorded = Space.from_configspace(configspace, name=name)
    if name not in SPACES:
        return recorded
    space = SPACES[name]
    if {h.name: h.range for h in recorded.hyperparameters} != {h.name: h.range for h in space.hyperparameters}:
        # One of the same class with other parameters, or of another package.
        return recorded
    return space


def find_configuration(name_or_file: str) -> tuple[Space, Configuration]:
    """A named configuration of any space, such as `zela-2018` or `hnag:cifar10-bohb`, or one of the joint space from a
    JSON file, with its space; or with `SPACE:` before the file one of another.

    Raises UnknownNameError when it is neither, ConfigurationError when the file holds no legal configuration.
    """
    before, colon, rest = name_or_file.partition(":")
    if colon and before in SPACES:
        return SPACES[before], SPACES[before].load(rest)
    named: Mapping[str, Space] = {name: space for space in SPACES.values() for name in space.named}
    space = named.get(name_or_file, JOINT)
    try:
        return space, space.load(name_or_file)
    except UnknownNameError:
        raise UnknownNameError.of("configuration", name_or_file, named, hint=", or a JSON file") from None
