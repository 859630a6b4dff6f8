"""What follows from a configuration by arithmetic: exact counts, and the layers behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jointbench.data.notebook import html_table

#: Channels, height, width.
ImageShape = tuple[int, int, int]


@dataclass(frozen=True)
class Facts:
    """What follows from a configuration by arithmetic alone, for images of one shape.

    `widths`: channels of each main block; `parameters`: trainable numbers; `flops`: floating-point operations
    of one image's forward pass (two a multiply-add; convolutions and the linear layer); `activations`: numbers
    that the convolutions put out for one image; `layers`: convolutions in a row, one after the other; `memory`: bytes
    that training keeps of one image, 4 for each number that a convolution, a norm or a ReLU puts out (one in place
    puts out nothing of its own); None where a space does not say. Integers for one configuration, int64 arrays for a
    batch.
    """

    widths: tuple[Any, ...]
    parameters: Any
    flops: Any
    activations: Any
    layers: Any = 0
    memory: Any = None

    @property
    def exact(self) -> Mapping[str, Any]:
        """As metrics, by their names."""
        memory = {} if self.memory is None else {"sample_memory": self.memory}
        return {"parameters": self.parameters, "flops": self.flops, **memory}

    def _repr_html_(self) -> str:
        return html_table("facts", vars(self).items())


class Work(NamedTuple):
    """What is known of a training to be by its facts and its device, beside its configuration and its budget.

    `images`: as many as the budget buys, of `training` that there are; `memory`: bytes that it takes. Numbers for one
    configuration, arrays (n,) for a batch.
    """

    facts: Facts
    images: Any
    training: int
    memory: Any


@dataclass(frozen=True)
class Convolution:
    """`count` convolutions of one shape, each followed by a norm: side of the kernel, channels before and after it,
    groups, and pixels of its output."""

    side: int
    before: int
    after: int
    groups: int
    pixels: int
    count: int = 1

    @property
    def weights(self) -> int:
        """Of one of them."""
        return self.side * self.side * self.before * self.after // self.groups
