"""Networks of three levels of random graphs (Ru et al. 2020): what each node reads, and what follows by arithmetic.

Channels stand here as ratios: a network has a multiplier that makes channels of them, the largest with which all its
parameters are within a limit (`facts_of`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jointbench.data.spaces.facts import Convolution, Facts, ImageShape
from jointbench.data.spaces.wiring import Wiring

#: Images of a longer side have the stem that halves them twice (authors' code).
LARGEST_SMALL_SIDE = 39

#: Bytes of a number that is kept for the backward pass.
_NUMBER = 4

STAGES = 3


@dataclass(frozen=True, slots=True)
class Merge:
    """How a node joins what it reads, whose `channels` are those of each in ascending order of the sources.

    One is taken as it is. Several are concatenated, or summed: those of the last one's channels each times the sigmoid
    of a scalar that is learned, others through a 1x1 convolution instead.
    """

    channels: tuple[int, ...]
    concatenated: bool = False

    @property
    def after(self) -> int:
        return sum(self.channels) if self.concatenated else self.channels[-1]

    @property
    def matched(self) -> tuple[int, ...]:
        """Positions of those that go through a convolution."""
        if self.concatenated:
            return ()
        return tuple(place for place, channels in enumerate(self.channels) if channels != self.channels[-1])

    @property
    def weighted(self) -> tuple[int, ...]:
        """Positions of those that have a scalar."""
        if self.concatenated or len(self.channels) == 1:
            return ()
        return tuple(place for place, channels in enumerate(self.channels) if channels == self.channels[-1])


@dataclass(frozen=True, slots=True)
class Operation:
    """A convolution after a ReLU and before a norm, or an average over a square of pixels; `side` of its kernel."""

    side: int
    pools: bool = False


CONVOLUTION = Operation(3)


@dataclass(frozen=True, slots=True)
class OperationNode:
    """Joins what it reads, and makes `after` channels of it."""

    merge: Merge
    operation: Operation
    after: int


@dataclass(frozen=True)
class MidNode:
    """Joins what it reads; its operations' outputs, those that no other reads, are averaged."""

    merge: Merge
    wiring: Wiring
    operations: tuple[OperationNode, ...]


@dataclass(frozen=True)
class Cell:
    """Pools what it reads to the pixels of its `stage`, then joins it; its outputs are averaged; `after` channels."""

    stage: int
    merge: Merge
    wiring: Wiring
    nodes: tuple[MidNode, ...]
    after: int


@dataclass(frozen=True)
class Architecture:
    """A network but for its multiplier. `ratios`: of the stages' channels; `output`: the cells that no other reads,
    pooled to the fewest pixels among them, the mean of which goes to the head."""

    ratios: tuple[int, int, int]
    wiring: Wiring
    cells: tuple[Cell, ...]

    @cached_property
    def output(self) -> Merge:
        return Merge(tuple(self.cells[cell].after for cell in self.wiring.outputs))

    @cached_property
    def output_stage(self) -> int:
        return max(self.cells[cell].stage for cell in self.wiring.outputs)

    @property
    def operations(self) -> int:
        return sum(len(node.operations) for cell in self.cells for node in cell.nodes)


class Choices:
    """How nodes join and what operations do, where neither is drawn: weighted sums and 3x3 convolutions."""

    def concatenated(self, level: str, cell: int, node: int, wiring: Wiring) -> Sequence[bool]:
        """For each node of a graph."""
        return [False] * len(wiring)

    def operations(self, cell: int, node: int, wiring: Wiring) -> Sequence[Operation]:
        """For each node of a bottom graph."""
        return [CONVOLUTION] * len(wiring)


def assemble(
    top: Wiring,
    stages: Sequence[int],
    ratios: tuple[int, int, int],
    mid: Sequence[Wiring],
    bottom: Sequence[Sequence[Wiring]],
    choices: Choices,
) -> Architecture:
    """The architecture of these graphs: `mid` one a cell, `bottom` one a node of each of them."""
    cells: list[Cell] = []
    joins = choices.concatenated("top", 0, 0, top)
    for number, before in enumerate(top.predecessors):
        merge = Merge(tuple(cells[source].after for source in before) or (ratios[0],), bool(before) and joins[number])
        after = ratios[stages[number]]
        wiring, nodes = mid[number], []
        nodes_join = choices.concatenated("mid", number, 0, wiring)
        for place, sources in enumerate(wiring.predecessors):
            joined = Merge((after,) * len(sources) or (merge.after,), bool(sources) and nodes_join[place])
            graph = bottom[number][place]
            operations = _operations(joined.after, after, graph, number, place, choices)
            nodes.append(MidNode(joined, graph, operations))
        cells.append(Cell(stages[number], merge, wiring, tuple(nodes), after))
    return Architecture(ratios, top, tuple(cells))


def _operations(
    before: int, after: int, wiring: Wiring, cell: int, node: int, choices: Choices
) -> tuple[OperationNode, ...]:
    made: list[OperationNode] = []
    join = choices.concatenated("bottom", cell, node, wiring)
    chosen = choices.operations(cell, node, wiring)
    for place, sources in enumerate(wiring.predecessors):
        merge = Merge(tuple(made[source].after for source in sources) or (before,), bool(sources) and join[place])
        operation = chosen[place]
        made.append(OperationNode(merge, operation, merge.after if operation.pools else after))
    return tuple(made)


class Sizes:
    """Height and width at each stage: those of the images at first where they are small, a quarter where not, and half
    of that with each stage, rounded down (authors' code)."""

    def __init__(self, image_shape: ImageShape) -> None:
        _, height, width = image_shape
        self.small = max(height, width) <= LARGEST_SMALL_SIDE
        self.image = height, width
        #: After the first of the two convolutions of the stem.
        self.halved = self.image if self.small else _half(self.image)
        first = self.image if self.small else _half(self.halved)
        self.stages = tuple((max(1, first[0] >> stage), max(1, first[1] >> stage)) for stage in range(STAGES))

    def pixels(self, stage: int) -> int:
        height, width = self.stages[stage]
        return height * width


def _half(size: tuple[int, int]) -> tuple[int, int]:
    """What a convolution of stride 2 leaves."""
    return -(-size[0] // 2), -(-size[1] // 2)


def half_stem(channels: int) -> int:
    """Channels in the middle of the stem of large images, of those that it puts out."""
    return max(1, channels // 2)


def facts_of(architecture: Architecture, limit: int, head: int, image_shape: ImageShape, classes: int) -> Facts:
    """Exact counts; the multiplier is the largest with which the parameters are within `limit`, at least 1.

    `head`: channels of the convolution before the classifier, 0 for none. `memory` is what ReLU, convolution and
    norm put out for one image, 4 bytes a number; pooled copies, sums and means are left out.
    """
    sizes = Sizes(image_shape)
    of = _Counts(architecture, sizes)
    whole = image_shape[0], head, classes
    multiplier = 1
    while of.parameters(2 * multiplier, *whole) <= limit:
        multiplier *= 2
    step = multiplier // 2
    while step:
        if of.parameters(multiplier + step, *whole) <= limit:
            multiplier += step
        step //= 2
    return of.facts(multiplier, *whole)


class _Counts:
    """Sums over a network of multiplier 1, of which those of weights and multiply-adds grow with its square."""

    def __init__(self, architecture: Architecture, sizes: Sizes) -> None:
        self.architecture, self.sizes = architecture, sizes
        self.weights = self.multiply_adds = self.normed = self.scalars = 0
        #: Numbers put out for one image: in all that are kept, and by convolutions.
        self.kept = self.convolved = 0
        for cell in architecture.cells:
            pixels = sizes.pixels(cell.stage)
            self._merge(cell.merge, pixels)
            for node in cell.nodes:
                self._merge(node.merge, pixels)
                for one in node.operations:
                    self._merge(one.merge, pixels)
                    self._operate(one, pixels)
        self.last = architecture.output.after
        self.pixels_out = sizes.pixels(architecture.output_stage)
        self._match(architecture.output, self.pixels_out)

    def _merge(self, merge: Merge, pixels: int) -> None:
        self.scalars += len(merge.weighted)
        self._match(merge, pixels)

    def _match(self, merge: Merge, pixels: int) -> None:
        for place in merge.matched:
            self._convolve(1, merge.channels[place], merge.after, pixels)
            self.kept += pixels * merge.after

    def _operate(self, one: OperationNode, pixels: int) -> None:
        self.kept += pixels * one.after
        if not one.operation.pools:
            self._convolve(one.operation.side, one.merge.after, one.after, pixels)
            self.normed += one.after
            # What ReLU and the norm put out, beside what the convolution does.
            self.kept += pixels * (one.merge.after + one.after)

    def _convolve(self, side: int, before: int, after: int, pixels: int) -> None:
        weights = side * side * before * after
        self.weights += weights
        self.multiply_adds += pixels * weights
        self.convolved += pixels * after

    def parameters(self, multiplier: int, channels: int, head: int, classes: int) -> int:
        m = multiplier
        last = self.last * m
        return (
            m * m * self.weights
            + 2 * m * self.normed
            + self.scalars
            + sum(one.weights + 2 * one.normed for one in self.stem(m, channels))
            + (last * head + 2 * head + head * classes if head else last * classes)
            + classes
        )

    def stem(self, multiplier: int, channels: int) -> tuple["StemConvolution", ...]:
        return stem_convolutions(self.sizes, channels, self.architecture.ratios[0] * multiplier)

    def facts(self, multiplier: int, channels: int, head: int, classes: int) -> Facts:
        m = multiplier
        last, stem = self.last * m, self.stem(m, channels)
        multiply_adds = m * m * self.multiply_adds + sum(one.pixels * one.weights for one in stem)
        multiply_adds += last * head * self.pixels_out + head * classes if head else last * classes
        # The ReLU of the stem is inside of it, that of the head at its beginning; the head's other one after its norm.
        kept = m * self.kept + sum(one.pixels * (one.after + one.normed + one.active) for one in stem)
        kept += self.pixels_out * (last + 3 * head)
        convolved = m * self.convolved + sum(one.pixels * one.after for one in stem) + self.pixels_out * head
        return Facts(
            tuple(ratio * m for ratio in self.architecture.ratios),
            self.parameters(m, channels, head, classes),
            2 * multiply_adds,
            convolved,
            self._layers() + len(stem) + bool(head),
            _NUMBER * kept,
        )

    def _layers(self) -> int:
        """Convolutions on the longest way through all cells."""
        cells = self.architecture.cells
        ways = [
            _longest(cell.wiring, [_longest(node.wiring, [1] * len(node.operations)) for node in cell.nodes])
            for cell in cells
        ]
        return _longest(self.architecture.wiring, ways)


def _longest(wiring: Wiring, lengths: Sequence[int]) -> int:
    found: list[int] = []
    for node, before in enumerate(wiring.predecessors):
        found.append(lengths[node] + max((found[source] for source in before), default=0))
    return max(found)


@dataclass(frozen=True, slots=True)
class StemConvolution:
    """Of `side`, one group a channel where it is `depthwise`; `pixels` of its output; channels of the norm and of the
    ReLU that follow, 0 where none does."""

    side: int
    before: int
    after: int
    pixels: int
    depthwise: bool = False
    normed: int = 0
    active: int = 0

    @property
    def weights(self) -> int:
        return self.side * self.side * self.before * (1 if self.depthwise else self.after)


def stem_convolutions(sizes: Sizes, channels: int, after: int) -> tuple[StemConvolution, ...]:
    """Small images: two 3x3 convolutions, each with a norm, a ReLU between them. Large images: the same of separable
    ones, each of stride 2, the first to half of the channels."""
    pixels = sizes.pixels(0)
    if sizes.small:
        return (
            StemConvolution(3, channels, after, pixels, normed=after, active=after),
            StemConvolution(3, after, after, pixels, normed=after),
        )
    between = half_stem(after)
    first = sizes.halved[0] * sizes.halved[1]
    return (
        StemConvolution(3, channels, channels, first, depthwise=True),
        StemConvolution(1, channels, between, first, normed=between, active=between),
        StemConvolution(3, between, between, pixels, depthwise=True),
        StemConvolution(1, between, after, pixels, normed=after),
    )


def convolutions_of(
    architecture: Architecture, multiplier: int, head: int, image_shape: ImageShape
) -> tuple[Convolution, ...]:
    """All of them, of each shape how many."""
    sizes = Sizes(image_shape)
    counted: Counter[Convolution] = Counter()
    for one in stem_convolutions(sizes, image_shape[0], architecture.ratios[0] * multiplier):
        counted[Convolution(one.side, one.before, one.after, one.before if one.depthwise else 1, one.pixels)] += 1

    def count(side: int, before: int, after: int, pixels: int) -> None:
        counted[Convolution(side, before * multiplier, after * multiplier, 1, pixels)] += 1

    def match(merge: Merge, pixels: int) -> None:
        for place in merge.matched:
            count(1, merge.channels[place], merge.after, pixels)

    for cell in architecture.cells:
        pixels = sizes.pixels(cell.stage)
        match(cell.merge, pixels)
        for node in cell.nodes:
            match(node.merge, pixels)
            for made in node.operations:
                match(made.merge, pixels)
                if not made.operation.pools:
                    count(made.operation.side, made.merge.after, made.after, pixels)
    out = sizes.pixels(architecture.output_stage)
    match(architecture.output, out)
    if head:
        counted[Convolution(1, architecture.output.after * multiplier, head, 1, out)] += 1
    return tuple(replace(one, count=number) for one, number in counted.items())
