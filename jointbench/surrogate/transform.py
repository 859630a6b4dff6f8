"""Error fractions to the whole line and back, and draws that look like counted images."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

_NORMAL = NormalDist()


@dataclass(frozen=True)
class ErrorScale:
    """The logit of an error counted on `images` images, drawn in by half an image so that 0 and 1 stay finite."""

    images: int

    @property
    def half(self) -> float:
        return 0.5 / self.images

    def to_line(self, error: Any) -> Any:
        """Fractions in [0, 1] to real numbers, any shape."""
        return np.log((error + self.half) / (1 - error + self.half))

    def from_line(self, z: float) -> float:
        """A real number to a fraction in [0, 1]."""
        odds = math.exp(min(z, 50.0))
        return min(1.0, max(0.0, (odds * (1 + self.half) - self.half) / (1 + odds)))

    def from_lines(self, z: Any) -> Any:
        """`from_line` for arrays."""
        odds = np.exp(np.minimum(z, 50.0))
        return np.clip((odds * (1 + self.half) - self.half) / (1 + odds), 0.0, 1.0)

    def counting_variance(self, error: Any) -> Any:
        """Variance on the line that comes from counting on so few images alone (binomial, first order)."""
        inside = np.clip(error, self.half, 1 - self.half)
        return 1 / (self.images * inside * (1 - inside))

    def counted(self, error: float, normal: float) -> float:
        """A share of `images` images, with a normal draw for the luck of counting."""
        wrong = error * self.images + math.sqrt(error * (1 - error) * self.images) * normal
        return min(self.images, max(0, round(wrong))) / self.images


def normals(digest: bytes) -> list[float]:
    """Independent standard normal numbers, one for each 8 bytes of a hash; the same on every machine."""
    words = (int.from_bytes(digest[i : i + 8], "little") for i in range(0, len(digest), 8))
    return [_NORMAL.inv_cdf((word + 0.5) / 2**64) if word < 2**64 - 2**11 else 8.0 for word in words]
