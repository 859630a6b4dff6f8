"""The networks of generators: three levels of graphs (Ru et al. 2020), from what `data/spaces/architecture.py` says."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.training.networks.initialising import Conv, Scalars
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.architecture import (
    Architecture,
    Cell,
    Merge,
    MidNode,
    OperationNode,
    Sizes,
    half_stem,
)
from jointbench.data.spaces.facts import ImageShape
from jointbench.data.spaces.generators import GeneratorSpace
from jointbench.data.spaces.space import Space
from jointbench.data.spaces.wiring import Wiring

#: Before the classifier, where there is a wide head.
DROPOUT = 0.2


class Join(nn.Module):
    """A weighted sum or a concatenation (`Merge`)."""

    def __init__(self, merge: Merge, multiplier: int) -> None:
        super().__init__()
        self.concatenated = merge.concatenated
        self.weighted = merge.weighted
        self.scalars = Scalars(len(merge.weighted)) if merge.weighted else None
        after = merge.after * multiplier
        self.matching = nn.ModuleDict(
            {str(place): Conv(1, merge.channels[place] * multiplier, after, 1) for place in merge.matched}
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """inputs: each (n, its channels, h, w); result: (n, channels, h, w)."""
        if len(inputs) == 1:
            return inputs[0]
        if self.concatenated:
            return torch.cat(list(inputs), dim=1)
        parts = [matched(inputs[int(place)]) for place, matched in self.matching.items()]
        if self.scalars is not None:
            shares = self.scalars()
            parts += [shares[number] * inputs[place] for number, place in enumerate(self.weighted)]
        total: Tensor = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


class OperationModule(nn.Module):
    """ReLU-Conv-BN, or an average over a square of pixels."""

    def __init__(self, node: OperationNode, multiplier: int) -> None:
        super().__init__()
        self.join = Join(node.merge, multiplier)
        self.side, self.pools = node.operation.side, node.operation.pools
        if not self.pools:
            before, after = node.merge.after * multiplier, node.after * multiplier
            self.convolution = Conv(1, before, after, self.side, padding=self.side // 2)
            self.norm = nn.BatchNorm2d(after)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self.join(inputs)
        if self.pools:
            return F.avg_pool2d(x, self.side, stride=1, padding=self.side // 2, count_include_pad=False)
        normed: Tensor = self.norm(self.convolution(F.relu(x)))
        return normed


class Graph(nn.Module):
    """Nodes that are wired; what no other reads is averaged."""

    def __init__(self, wiring: Wiring, nodes: Sequence[nn.Module]) -> None:
        super().__init__()
        self.wiring = wiring
        self.nodes = nn.ModuleList(nodes)

    def forward(self, x: Tensor) -> Tensor:
        made: list[Tensor] = []
        for node, before in zip(self.nodes, self.wiring.predecessors, strict=True):
            made.append(node([made[source] for source in before] or [x]))
        return mean([made[node] for node in self.wiring.outputs])


class Joined(nn.Module):
    """A graph behind a join."""

    def __init__(self, join: Join, graph: Graph) -> None:
        super().__init__()
        self.join, self.graph = join, graph

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        made: Tensor = self.graph(self.join(inputs))
        return made


def mean(tensors: Sequence[Tensor]) -> Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total / len(tensors) if len(tensors) > 1 else total


def _mid_node(node: MidNode, multiplier: int) -> Joined:
    operations = [OperationModule(one, multiplier) for one in node.operations]
    return Joined(Join(node.merge, multiplier), Graph(node.wiring, operations))


def _cell(cell: Cell, multiplier: int) -> Joined:
    return Joined(
        Join(cell.merge, multiplier), Graph(cell.wiring, [_mid_node(node, multiplier) for node in cell.nodes])
    )


def _stem(sizes: Sizes, channels: int, after: int) -> nn.Sequential:
    if sizes.small:
        return nn.Sequential(
            Conv(1, channels, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            Conv(1, after, after, 3, padding=1),
            nn.BatchNorm2d(after),
        )
    between = half_stem(after)
    return nn.Sequential(
        *_separable(channels, between),
        nn.BatchNorm2d(between),
        nn.ReLU(inplace=True),
        *_separable(between, after),
        nn.BatchNorm2d(after),
    )


def _separable(before: int, after: int) -> tuple[nn.Module, nn.Module]:
    depthwise = Conv(before, before, before, 3, stride=2, padding=1, groups=before)
    return depthwise, Conv(1, before, after, 1)


class Head(nn.Module):
    """ReLU, where it is wide a 1x1 convolution with norm and ReLU, the mean over all pixels, linear."""

    def __init__(self, before: int, wide: int, classes: int) -> None:
        super().__init__()
        self.wide = (
            nn.Sequential(Conv(1, before, wide, 1), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)) if wide else None
        )
        self.dropout = nn.Dropout(DROPOUT) if wide else None
        self.classifier = nn.Linear(wide or before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        if self.wide is not None:
            x = self.wide(x)
        x = x.mean(dim=(2, 3))
        if self.dropout is not None:
            x = self.dropout(x)
        logits: Tensor = self.classifier(x)
        return logits


class GeneratedNetwork(nn.Module):
    """Stem, cells, the mean of those that no other reads, head."""

    def __init__(
        self, architecture: Architecture, multiplier: int, head: int, image_shape: ImageShape, classes: int
    ) -> None:
        super().__init__()
        self.sizes = Sizes(image_shape)
        self.stages = [cell.stage for cell in architecture.cells]
        self.wiring, self.output_stage = architecture.wiring, architecture.output_stage
        self.stem = _stem(self.sizes, image_shape[0], architecture.ratios[0] * multiplier)
        self.cells = nn.ModuleList(_cell(cell, multiplier) for cell in architecture.cells)
        output = architecture.output
        self.matching = nn.ModuleDict(
            {
                str(place): Conv(1, output.channels[place] * multiplier, output.after * multiplier, 1)
                for place in output.matched
            }
        )
        self.head = Head(output.after * multiplier, head, classes)

    def forward(self, images: Tensor) -> Tensor:
        """images: (n, channels, h, w) of the shape that it was made for; result: logits (n, classes)."""
        #: By the cell, -1 the stem, and the stage to whose pixels it is pooled.
        made: dict[tuple[int, int], Tensor] = {(-1, 0): self.stem(images)}

        def pooled(cell: int, stage: int) -> Tensor:
            if (cell, stage) not in made:
                own = self.stages[cell] if cell >= 0 else 0
                made[cell, stage] = F.adaptive_avg_pool2d(made[cell, own], self.sizes.stages[stage])
            return made[cell, stage]

        for number, (cell, before) in enumerate(zip(self.cells, self.wiring.predecessors, strict=True)):
            stage = self.stages[number]
            made[number, stage] = cell([pooled(source, stage) for source in before or (-1,)])
        outputs = [pooled(cell, self.output_stage) for cell in self.wiring.outputs]
        for place, matched in self.matching.items():
            outputs[int(place)] = matched(outputs[int(place)])
        logits: Tensor = self.head(mean(outputs))
        return logits


def build(
    space: Space, configuration: Configuration, image_shape: ImageShape, classes: int, architecture_seed: int
) -> nn.Module:
    """The network that the seed draws from the generator."""
    assert isinstance(space, GeneratorSpace)
    architecture = space.drawn(configuration, architecture_seed)
    multiplier = space.multiplier(configuration, image_shape, classes, architecture_seed)
    return GeneratedNetwork(architecture, multiplier, space.head, image_shape, classes)
