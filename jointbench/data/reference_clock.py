"""A clock for any machine: the seconds that a training step takes on a named device, by arithmetic.

A budget in such seconds is a number of steps, the same on every machine, busy or not. The law is a sum of what the
step is made of, each with a weight that is not negative: it need not be right about any device to be fair, but it is
deterministic, published, and never less for more work. `jointbench measure` fits one to the machine that it runs on.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import REFERENCE_CLOCK, Configuration
from jointbench.data.exact import total
from jointbench.data.spaces.facts import Convolution, ImageShape
from jointbench.data.spaces.space import Space

FOLDER = Path(__file__).parent / "reference_clocks"

#: Kernels compute channels in blocks of so many.
_BLOCK = 16

#: Of which fewer do not make a training: a step that takes longer than this share of the smallest budget is too slow.
FEWEST_STEPS = 10


def _kind(convolution: Convolution) -> str:
    if convolution.side == 1:
        return "pointwise"
    return "dense" if convolution.groups == 1 else "grouped"


def _blocks(channels: int) -> int:
    return -(-channels // _BLOCK) * _BLOCK


def _per_kind(kind: str) -> tuple[str, ...]:
    return tuple(f"{kind} {what}" for what in ("layers", "multiply-adds", "padded multiply-adds", "inputs", "outputs"))


#: What a step is made of. For each kind of convolution: their number, multiply-adds of a batch as they are and with
#: channels filled up to whole blocks, and numbers that come in and go out. Then: groups, weights, images and 1.
TERMS = (
    *(*_per_kind("dense"), *_per_kind("grouped"), *_per_kind("pointwise")),
    *("groups", "weights", "images", "step"),
)


def work(
    space: Space, configuration: Configuration, image_shape: ImageShape, classes: int, architecture_seed: int = 0
) -> dict[str, int]:
    """The amount of each of TERMS in one training step; whole numbers. Raises InputError for a space that does not
    say what its networks compute."""
    convolutions = space.convolutions(configuration, image_shape, classes, architecture_seed)
    if not convolutions:
        raise InputError("space", space.name, "one whose convolutions are known, for a reference clock")
    batch = space.recipe(configuration).batch_size
    amounts = dict.fromkeys(TERMS, 0)
    for convolution in convolutions:
        kind, count, at_once = _kind(convolution), convolution.count, convolution.count * convolution.pixels * batch
        groups = convolution.groups
        before, after = _blocks(convolution.before // groups), _blocks(convolution.after // groups)
        amounts[f"{kind} layers"] += count
        amounts[f"{kind} multiply-adds"] += at_once * convolution.weights
        amounts[f"{kind} padded multiply-adds"] += at_once * convolution.side**2 * groups * before * after
        amounts[f"{kind} inputs"] += at_once * convolution.before
        amounts[f"{kind} outputs"] += at_once * convolution.after
        amounts["groups"] += count * groups
    amounts["weights"] = int(space.facts(configuration, image_shape, classes, architecture_seed).parameters)
    amounts["images"] = batch
    amounts["step"] = 1
    return amounts


@dataclass(frozen=True)
class ReferenceClock:
    """A named device's seconds. `seconds`: of one unit of each of TERMS, in their order, none negative."""

    name: str
    device: str
    seconds: tuple[float, ...]

    def seconds_a_step(
        self,
        space: Space,
        configuration: Configuration,
        image_shape: ImageShape,
        classes: int,
        architecture_seed: int = 0,
    ) -> float:
        """Of a training step, the same bits on every machine. Raises InputError as `work` does."""
        amounts = work(space, configuration, image_shape, classes, architecture_seed)
        seconds: float = total(weight * amounts[term] for term, weight in zip(TERMS, self.seconds, strict=True))
        return seconds

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str) -> "ReferenceClock":
        """Raises InputError that names what is wrong in it."""
        weights = content.get("seconds")
        if not isinstance(weights, dict) or set(weights) != set(TERMS):
            raise InputError(f"reference clock {source}", "seconds", f"a number for each of {', '.join(TERMS)}")
        for term, weight in weights.items():
            if type(weight) not in (int, float) or not 0 <= weight < math.inf:
                raise InputError(f"reference clock {source}: {term}", weight, "seconds, not negative")
        if not weights["step"] > 0:
            raise InputError(f"reference clock {source}: step", weights["step"], "seconds above 0")
        if not all(isinstance(content.get(field), str) for field in ("name", "device")):
            raise InputError(f"reference clock {source}", "name and device", "two texts")
        return cls(content["name"], content["device"], tuple(float(weights[term]) for term in TERMS))


def reference_clock_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


@cache
def reference_clock(name: str) -> ReferenceClock:
    """The clock of this name (with or without `reference:`), or of a JSON file that `jointbench measure` wrote.

    Raises UnknownNameError when it is neither, InputError when the file makes no sense.
    """
    name = name.removeprefix(REFERENCE_CLOCK)
    path = FOLDER / f"{name}.json"
    if name not in reference_clock_names():
        path = Path(name)
        if not path.is_file():
            raise UnknownNameError.of("reference clock", name, reference_clock_names(), hint=", or a JSON file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("reference clock", str(path), f"a JSON file that can be read ({error})") from None
    if not isinstance(content, dict):
        raise InputError("reference clock", str(path), "a JSON object")
    return ReferenceClock.from_dict(content, str(path))


def steps_within(budget: float, seconds_a_step: float) -> int:
    """Steps of a training: the first that reaches the budget is the last (authors' code)."""
    steps = max(1, math.ceil(budget / seconds_a_step))
    while steps * seconds_a_step < budget:
        steps += 1
    while steps > 1 and (steps - 1) * seconds_a_step >= budget:
        steps -= 1
    return steps
