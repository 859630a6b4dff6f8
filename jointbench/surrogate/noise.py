"""The luck that a training's seed brings: how large it is, and how it moves an error."""

import math
from dataclasses import dataclass
from typing import Any

from jointbench.data.errors import InputError
from jointbench.data.exact import clip, exp, log, rint, sqrt
from jointbench.data.images.facts import ImageFacts


@dataclass(frozen=True)
class ErrorScale:
    """The logit of an error counted on `images` images, drawn in by half an image so that 0 and 1 stay finite."""

    images: int

    @property
    def half(self) -> float:
        return 0.5 / self.images

    def to_logit(self, error: Any) -> Any:
        """Fractions in [0, 1] to real numbers."""
        return log((error + self.half) / (1 - error + self.half))

    def from_logit(self, z: Any) -> Any:
        """Real numbers to fractions in [0, 1]; undoes `to_logit`."""
        odds = exp(clip(z, -50.0, 50.0))
        return clip((odds * (1 + self.half) - self.half) / (1 + odds), 0.0, 1.0)

    def slope(self, error: Any) -> Any:
        """Units of the logit for a unit of error, at `error`."""
        return 1 / (error + self.half) + 1 / (1 - error + self.half)

    def counted(self, noise: "Noise", error: Any, normal: Any) -> Any:
        """As it is counted on these images, moved by a standard normal draw."""
        return noise.counted(error, normal, self.images)


def error_scales(images: ImageFacts) -> tuple[ErrorScale, ErrorScale]:
    """Of validation and of test error."""
    return ErrorScale(images.validation), ErrorScale(images.test)


#: Of the spread, with which luck grows; the first is the plainest.
POWERS = (1.0, 0.25, 0.5, 0.75, 1.25, 1.5, 1.75, 2.0)


def raised(spread: Any, power: float) -> Any:
    """`spread` to one of POWERS: by square roots, whose bits are the same on every machine."""
    if power == 1:
        return spread
    quarter, found = sqrt(sqrt(spread)), 1.0
    for _ in range(round(4 * power)):
        found = found * quarter
    return found


@dataclass(frozen=True)
class Noise:
    """How the errors of one configuration differ between seeds.

    The luck of the training moves validation and test error together: as a logit (`ErrorScale`), its variance is
    `floor + slope * spread ** power`, where `spread` is how far off the teacher was likely to be, or the variance
    between the members of an ensemble, and `power` a whole number of quarters. The luck of the images moves each on
    its own: its variance is `counting` times the binomial one. (Below 1, since every training is counted on the same
    images, of which some are hard for all.)

    What works can hardly work better, and what collapses is worse by far: luck of a standard deviation s (at most
    `depth`) is `depth * (exp(s z / depth) - exp((s / depth) ** 2 / 2))` of a standard normal z, which is nought on
    average, nearly normal where s is small, and nowhere far below -`depth`. Without a depth it is normal.

    Metrics of any task have nothing that is counted, and luck each of its own: `others` are floor and slope of those
    behind the objective.
    """

    floor: float
    slope: float
    counting: float
    others: tuple[tuple[float, float], ...] = ()
    power: float = 1.0
    depth: float = math.inf

    def __post_init__(self) -> None:
        if isinstance(self.depth, bool) or not isinstance(self.depth, (int, float)) or not self.depth > 0:
            raise InputError("noise depth", self.depth, "a number above 0")
        if self.power not in POWERS:
            raise InputError("noise power", self.power, f"one of {', '.join(map(str, POWERS))}")
        for name in ("floor", "slope", "counting"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise InputError(f"noise {name}", value, "a finite number of at least 0")
        for pair in self.others:
            Noise(*pair, 0.0)

    def luck(self, spread: Any, normal: Any, part: int = 0) -> Any:
        """How far a standard normal draw moves the logits of both errors, or of the metric of number `part`."""
        deviation = self.deviation(spread, part)
        if not self.bounded:
            return deviation * normal
        share = clip(deviation / self.depth, 0.0, 1.0)
        return self.depth * (exp(share * normal) - exp(0.5 * share * share))

    @property
    def bounded(self) -> bool:
        """Whether what luck makes of an error stays within the bounds that answers have: nobody has come near more."""
        return self.depth != math.inf

    def deviation(self, spread: Any, part: int = 0) -> Any:
        """How wide luck is in its middle: its standard deviation, were it normal."""
        floor, slope = self.others[part - 1] if part and self.others else (self.floor, self.slope)
        return sqrt(floor + slope * raised(spread, self.power))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        made: dict[str, Any] = {"floor": self.floor, "slope": self.slope, "counting": self.counting}
        if self.others:
            made["others"] = [list(pair) for pair in self.others]
        # Without what it did not have in earlier versions.
        if self.power != 1:
            made["power"] = self.power
        if self.bounded:
            made["depth"] = self.depth
        return made

    def counted(self, error: Any, normal: Any, images: int) -> Any:
        """A whole number of `images` images as a fraction, moved by a standard normal draw."""
        wrong = error * images + sqrt(self.counting * images * error * (1 - error)) * normal
        return clip(rint(wrong), 0.0, float(images)) / images
