"""What trainings get on average of which some collapse: part of a frozen benchmark, as its bounds are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jointbench.data.errors import InputError
from jointbench.data.exact import clip, logistic
from jointbench.data.numbers import json_float
from jointbench.surrogate.scales import Scale

#: A chance below this is none: it would make all good trainings look worse.
_LEAST = 0.03


@dataclass(frozen=True)
class CollapseLaw:
    """`level` (errors,): the errors, fractions, at which trainings end that collapse. Raises InputError for others.

    Works on numbers, arrays and traced values alike, with the same bits.
    """

    level: tuple[float, ...]

    def __post_init__(self) -> None:
        for value in self.level:
            if type(value) is not float or not 0 <= value <= 1:
                raise InputError("collapse's level", value, "fractions from 0 to 1")

    def chance(self, odds: Any) -> Any:
        """From log odds."""
        return clip(logistic(clip(odds, -50.0, 50.0)) - _LEAST, 0.0, 1.0) / (1 - _LEAST)

    def expected(self, logits: Sequence[Any], odds: Any, scales: Sequence[Scale]) -> list[Any]:
        """Of logits that trainings have if they work, one for each error, those of the errors that they have on
        average."""
        chance = self.chance(odds)
        errors = [scale.from_logit(logit) for scale, logit in zip(scales, logits, strict=True)]
        mixed = [(1 - chance) * error + chance * level for error, level in zip(errors, self.level, strict=True)]
        return [scale.to_logit(error) for scale, error in zip(scales, mixed, strict=True)]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"level": list(self.level)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "CollapseLaw":
        """Raises InputError, KeyError or TypeError for what is none."""
        return cls(tuple(map(json_float, content["level"])))
