"""Below what no answer is, so that who searches hard is not promised what nobody has come near.

The bounds are part of a frozen benchmark, and no lesson for its trees: an optimizer finds the few corners of a forest
whose leaves add up to less than what they were taught.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jointbench.data.errors import InputError
from jointbench.data.exact import clip, where
from jointbench.data.numbers import json_float

#: Logits of errors are within it.
_FARTHEST = 50.0


@dataclass(frozen=True)
class Bounds:
    """Of the errors at each of the `rungs`, as logits of `ErrorScale`: `lowest` (rungs, errors) was come near by what
    was trained, and `below` (rungs, errors), more than nought, is how far under it an answer stays.

    Works on numbers, arrays and traced values alike, with the same bits. Raises InputError for what no log gives.
    """

    rungs: tuple[float, ...]
    lowest: tuple[tuple[float, ...], ...]
    below: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        for name, least in (("lowest", -_FARTHEST), ("below", 0.0)):
            rows = getattr(self, name)
            if len(rows) != len(self.rungs) or len({len(row) for row in rows}) != 1:
                raise InputError(f"bounds' {name}", rows, f"a number for each error at each of {len(self.rungs)} rungs")
            for value in (value for row in rows for value in row):
                if type(value) is not float or not least <= value <= _FARTHEST or (name == "below" and not value):
                    raise InputError(f"bounds' {name}", value, f"a number from {least:g} to {_FARTHEST:g}")

    def bound(self, logits: Sequence[Any], rung: Any) -> list[Any]:
        """Of logits, one for each error, at a rung (numbers, or arrays (n,)) those within the bounds: as they are above
        the lowest, under it in the same order."""
        return [self._one(logit, *self._at(part, rung)) for part, logit in enumerate(logits)]

    def _at(self, part: int, rung: Any) -> tuple[Any, Any]:
        lowest, below = self.lowest[-1][part], self.below[-1][part]
        for k in reversed(range(len(self.rungs) - 1)):
            # Halfway to the next: a rung is known but for its rounding.
            here = rung < (self.rungs[k] + self.rungs[k + 1]) / 2
            lowest, below = where(here, self.lowest[k][part], lowest), where(here, self.below[k][part], below)
        return lowest, below

    @staticmethod
    def _one(logit: Any, lowest: Any, below: Any) -> Any:
        under = clip(lowest - logit, 0.0, 2 * _FARTHEST)
        return where(under > 0.0, lowest - below * under / (below + under), logit)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the rungs are the ladder's."""
        return {"lowest": [list(row) for row in self.lowest], "below": [list(row) for row in self.below]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], rungs: Sequence[float]) -> "Bounds":
        """Raises InputError, KeyError or TypeError for what is none."""
        lowest, below = (tuple(tuple(map(json_float, row)) for row in content[name]) for name in ("lowest", "below"))
        return cls(tuple(rungs), lowest, below)
