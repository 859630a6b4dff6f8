"""A cell of a generator's network, layer by layer: nodes that do not wait for each other go as one.

The mid nodes of one depth, and in them the operations of one depth, have convolutions of one shape: they are one wide
convolution where all read the same tensor, a grouped one elsewhere; batch norm works by channel, so theirs are one too.
What each reads is a sum of some of the blocks of channels that were made before, and all sums of a layer are one
product with a matrix.

The same as `bench/training/networks/generator.py` computes node by node, by test. On a processor it is slower, since
most layers have one operation and grouped convolutions gain little there, so the trainer does not use it;
`generators.py` beside this one times both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.training.networks.generator import GeneratedNetwork, Graph, Joined, OperationModule
from jointbench.bench.training.networks.initialising import Conv, Scalars
from jointbench.data.spaces.architecture import Architecture, Cell

#: A block of channels: which stack of blocks it is in, and its place there.
Block = tuple[int, int]


@dataclass
class _Sums:
    """Sums of blocks, each term of which has a constant factor or, by its number, one of `scalars` that are learned."""

    #: For each sum its terms: a block, and a scalar's number or a constant factor.
    terms: list[list[tuple[Block, int | float]]] = field(default_factory=list)
    scalars: int = 0

    def add(self, blocks: Sequence[Block], *, times: int = 1) -> None:
        """So many times the same weighted sum of the blocks; one is taken as it is."""
        factors: Sequence[int | float] = [1.0]
        if len(blocks) > 1:
            factors = range(self.scalars, self.scalars + len(blocks))
            self.scalars += len(blocks)
        self.terms += [list(zip(blocks, factors, strict=True))] * times

    def add_mean(self, blocks: Sequence[Block]) -> None:
        self.terms.append([(block, 1 / len(blocks)) for block in blocks])


class Mixing(nn.Module):
    """Sums of blocks of `channels`, side by side."""

    def __init__(self, sums: _Sums, sizes: Sequence[int], channels: int) -> None:
        """sizes: the blocks of each stack."""
        super().__init__()
        self.channels = channels
        self.scalars = Scalars(sums.scalars) if sums.scalars else None
        self._sums, self._sizes = sums, sizes
        self._used = sorted({stack for terms in sums.terms for (stack, _), _ in terms})
        #: By device and type of number, since it belongs to neither weights nor buffers.
        self._constants: dict[tuple[torch.device, torch.dtype], list[tuple[Tensor, Tensor | None]]] = {}
        self._as_it_is = self._identity()

    def take_scalars(self, plain: Iterable[Scalars | None]) -> None:
        """plain: of each weighted sum in order, None where one term is taken as it is."""
        if self.scalars is not None:
            with torch.no_grad():
                self.scalars.weight.copy_(torch.cat([one.weight for one in plain if one is not None]))

    def _identity(self) -> int | None:
        """The stack that the sums are, where they are one."""
        if len(self._used) != 1:
            return None
        [stack] = self._used
        wanted = [[((stack, place), 1.0)] for place in range(self._sizes[stack])]
        return stack if self._sums.terms == wanted else None

    def forward(self, stacks: Sequence[Tensor]) -> Tensor:
        """stacks: (n, blocks * channels, h, w) each; result: (n, sums * channels, h, w)."""
        if self._as_it_is is not None:
            return stacks[self._as_it_is]
        total: Tensor | None = None
        for stack, matrix in zip(self._used, self._matrices(stacks[0]), strict=True):
            part = F.linear(stacks[stack].permute(0, 2, 3, 1), matrix)
            total = part if total is None else total + part
        assert total is not None
        return total.permute(0, 3, 1, 2)

    def _matrices(self, like: Tensor) -> Iterable[Tensor]:
        """(sums * channels, blocks * channels) of each stack that is used."""
        of = self.scalars.weight if self.scalars is not None else like
        key = (of.device, of.dtype)
        if key not in self._constants:
            self._constants[key] = [self._constant(stack, *key) for stack in self._used]
        shares = self.scalars() if self.scalars is not None else None
        for fixed, learned in self._constants[key]:
            if learned is None or shares is None:
                yield fixed
            else:
                factors = (learned @ shares)[:, None, :, None]
                yield fixed + (factors * self._eye(*key)).reshape(fixed.shape)

    def _eye(self, device: torch.device, dtype: torch.dtype) -> Tensor:
        return torch.eye(self.channels, device=device, dtype=dtype)[None, :, None, :]

    def _constant(self, stack: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """The matrix of constant factors; and what makes factors (sums, blocks) of the scalars, where there are any."""
        shape = len(self._sums.terms), self._sizes[stack]
        fixed = torch.zeros(shape, device="cpu", dtype=dtype)
        learned = torch.zeros((*shape, self._sums.scalars), device="cpu", dtype=dtype)
        for row, terms in enumerate(self._sums.terms):
            for (of, place), factor in terms:
                if of == stack and isinstance(factor, int):
                    learned[row, place, factor] = 1
                elif of == stack:
                    fixed[row, place] = factor
        fixed = torch.kron(fixed, torch.eye(self.channels, dtype=dtype, device="cpu"))
        return fixed.to(device), learned.to(device) if learned.any() else None


class Operations(nn.Module):
    """ReLU-Conv3x3-BN of several nodes, grouped by what they read."""

    def __init__(self, groups: int, count: int, before: int, after: int) -> None:
        """before: channels of each group; after: of each of `count` nodes."""
        super().__init__()
        wide = count * after
        self.convolution = Conv(count, groups * before, wide, 3, padding=1, groups=groups)
        self.norm = nn.BatchNorm2d(wide)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.convolution(F.relu(x)))
        return normed

    def take_weights(self, plain: Sequence[OperationModule]) -> None:
        """plain: of each node in order."""
        with torch.no_grad():
            self.convolution.weight.copy_(torch.cat([one.convolution.weight for one in plain]))
            for name, tensor in self.norm.state_dict().items():
                if tensor.ndim:
                    tensor.copy_(torch.cat([one.norm.state_dict()[name] for one in plain]))


class MidLayer(nn.Module):
    """The mid nodes of one depth, whose outputs are the blocks of one stack."""

    def __init__(
        self, cell: Cell, nodes: Sequence[int], made: Mapping[int, Block], sizes: Sequence[int], m: int
    ) -> None:
        """nodes: of the cell; made: blocks of the nodes of smaller depths, in stacks of these sizes."""
        super().__init__()
        after = cell.after * m
        graphs = [cell.nodes[node].wiring for node in nodes]
        entering = [len(graph.inputs) for graph in graphs]
        first = not cell.wiring.predecessors[nodes[0]]
        # Where all have as many operations that read their input, these are one group of a convolution.
        together = len(set(entering)) == 1
        self.enter: Mixing | None = None
        if not first:
            sums = _Sums()
            for node, times in zip(nodes, entering, strict=True):
                before = [made[source] for source in cell.wiring.predecessors[node]]
                sums.add(before, times=1 if together else times)
            self.enter = Mixing(sums, sizes, after)
        groups = 1 if first else len(nodes) if together else sum(entering)
        channels = cell.merge.after * m if first else after
        operations = [Operations(groups, sum(entering), channels, after)]
        mixings: list[nn.Module] = []
        #: By the mid node's place and the operation's.
        blocks: dict[tuple[int, int], Block] = {}
        own_sizes: list[int] = []
        for depth in range(1 + max(max(graph.depths) for graph in graphs)):
            here = [
                (place, node)
                for place, graph in enumerate(graphs)
                for node in range(len(graph))
                if graph.depths[node] == depth
            ]
            if depth:
                sums = _Sums()
                for place, node in here:
                    sums.add([blocks[place, source] for source in graphs[place].predecessors[node]])
                mixings.append(Mixing(sums, list(own_sizes), after))
                operations.append(Operations(len(here), len(here), after, after))
            blocks |= {one: (depth, position) for position, one in enumerate(here)}
            own_sizes.append(len(here))
        self.operations, self.mixings = nn.ModuleList(operations), nn.ModuleList(mixings)
        self.nodes, self.blocks = tuple(nodes), blocks
        sums = _Sums()
        for place, graph in enumerate(graphs):
            sums.add_mean([blocks[place, node] for node in graph.outputs])
        self.leave = Mixing(sums, own_sizes, after)

    def take_weights(self, graph: Graph) -> None:
        """Those of the plain formulation's operations and sums."""
        plain: list[Any] = [graph.nodes[node] for node in self.nodes]
        if self.enter is not None:
            self.enter.take_scalars([one.join.scalars for one in plain])
        by_depth: dict[int, list[OperationModule]] = {}
        for (place, node), (depth, _) in sorted(self.blocks.items(), key=lambda item: item[1]):
            by_depth.setdefault(depth, []).append(plain[place].graph.nodes[node])
        for depth, theirs in by_depth.items():
            own: Any = self.operations[depth]
            own.take_weights(theirs)
            if depth:
                sums: Any = self.mixings[depth - 1]
                sums.take_scalars([one.join.scalars for one in theirs])

    def forward(self, x: Tensor, made: Sequence[Tensor]) -> Tensor:
        """x: what the cell reads; made: the stacks of smaller depths."""
        read = x if self.enter is None else self.enter(made)
        stacks = [self.operations[0](read)]
        for mixing, operations in zip(self.mixings, self.operations[1:], strict=True):
            stacks.append(operations(mixing(stacks)))
        left: Tensor = self.leave(stacks)
        return left


class LayeredCell(nn.Module):
    """A cell of weighted sums and 3x3 convolutions, behind its join."""

    def __init__(self, join: nn.Module, cell: Cell, multiplier: int) -> None:
        super().__init__()
        self.join = join
        depths = cell.wiring.depths
        made: dict[int, Block] = {}
        sizes: list[int] = []
        layers = []
        for depth in range(1 + max(depths)):
            nodes = [node for node, of in enumerate(depths) if of == depth]
            layers.append(MidLayer(cell, nodes, made, list(sizes), multiplier))
            made |= {node: (depth, place) for place, node in enumerate(nodes)}
            sizes.append(len(nodes))
        self.layers = nn.ModuleList(layers)
        sums = _Sums()
        sums.add_mean([made[node] for node in cell.wiring.outputs])
        self.leave = Mixing(sums, sizes, cell.after * multiplier)

    def take_weights(self, graph: Graph) -> None:
        """Those of the plain formulation."""
        made: Any
        for made in self.layers:
            made.take_weights(graph)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """inputs: each (n, its channels, h, w); result: (n, channels, h, w)."""
        x = self.join(inputs)
        made: list[Tensor] = []
        for layer in self.layers:
            made.append(layer(x, made))
        left: Tensor = self.leave(made)
        return left


def layer(model: GeneratedNetwork, architecture: Architecture, multiplier: int) -> None:
    """Compute the network's cells layer by layer, with the weights that it has."""
    for number, (cell, plain) in enumerate(zip(architecture.cells, list(model.cells), strict=True)):
        assert isinstance(plain, Joined)
        made = LayeredCell(plain.join, cell, multiplier).to(next(model.parameters()))
        made.take_weights(plain.graph)
        model.cells[number] = made
