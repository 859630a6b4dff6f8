"""Random generators of networks (Ru et al. 2020, NAGO): a configuration is a law, a seed draws a network from it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.metrics import SAMPLE_MEMORY, TRAINED, Metric
from jointbench.data.spaces.architecture import (
    CONVOLUTION,
    STAGES,
    Architecture,
    Choices,
    Operation,
    Sizes,
    assemble,
    convolutions_of,
    facts_of,
)
from jointbench.data.spaces.facts import Convolution, Facts, ImageShape, Work
from jointbench.data.spaces.hyperparameters import Hyperparameter, Number
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.spaces.space import Space
from jointbench.data.spaces.wiring import (
    SINGLE,
    Stream,
    Wiring,
    chain,
    erdos_renyi,
    half_degree,
    stream,
    watts_strogatz,
)

#: Networks that are kept, and facts of networks.
_KEPT, _KEPT_FACTS = 256, 8192

#: The limits of the paper for small and for large images, and of the small spaces.
_SMALL_IMAGES, _LARGE_IMAGES, _PROCESSOR = 4_000_000, 6_000_000, 100_000


class GeneratorSpace(Space):
    """What all spaces of generators have: networks that are drawn, their exact facts, and how they are trained."""

    network = "generator"
    draws = True
    metrics: tuple[Metric, ...] = (*TRAINED, SAMPLE_MEMORY)
    #: Parameters of a network at most, for images of up to 39 pixels and for larger ones.
    limit: ClassVar[int] = _SMALL_IMAGES
    large_limit: ClassVar[int] = _LARGE_IMAGES
    #: Channels of the convolution before the classifier; 0 for none, where it would take too much of the limit.
    head: ClassVar[int] = 1280
    #: What the paper does not say is that of the group's code for the same budgets (Yang et al. 2020): momentum, decay,
    #: schedule and clipping. CutOut is 112 pixels of 224, too.
    training: ClassVar[Recipe] = Recipe(
        batch_size=96,
        learning_rate=0.025,
        momentum=0.9,
        weight_decay=3e-4,
        schedule="cosine",
        cutout_length=16,
        clipping=5.0,
        nesterov=False,
    )

    def recipe(self, configuration: Configuration) -> Recipe:
        """One for all: nothing but the generator is chosen."""
        return self.training

    def drawn(self, configuration: Configuration, architecture_seed: int) -> Architecture:
        """The network that a seed draws; the same on every machine."""
        return _drawn(self, tuple(configuration[name] for name in self.names), architecture_seed)

    def _draw(self, at: Mapping[str, Any], seed: int) -> Architecture:
        raise NotImplementedError

    def limit_for(self, image_shape: ImageShape) -> int:
        return self.limit if Sizes(image_shape).small else self.large_limit

    def facts(
        self,
        configuration: Configuration | FloatArray,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> Facts:
        """Of the network that the seed draws; in a batch of each the one of the same seed."""
        if isinstance(configuration, np.ndarray):
            each = [
                self.facts(self.configuration(row), image_shape, classes, architecture_seed) for row in configuration
            ]
            return _together(each)
        values = tuple(configuration[name] for name in self.names)
        return _facts(self, values, image_shape, classes, architecture_seed)

    def convolutions(
        self,
        configuration: Configuration,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> tuple[Convolution, ...]:
        multiplier = self.multiplier(configuration, image_shape, classes, architecture_seed)
        return convolutions_of(self.drawn(configuration, architecture_seed), multiplier, self.head, image_shape)

    def multiplier(
        self, configuration: Configuration, image_shape: ImageShape, classes: int, architecture_seed: int
    ) -> int:
        """What the ratios of channels are multiplied by."""
        facts = self.facts(configuration, image_shape, classes, architecture_seed)
        ratio = self.drawn(configuration, architecture_seed).ratios[0]
        return int(facts.widths[0]) // ratio

    def features(self, at: Mapping[str, Any], budget: Any, work: Work | None) -> Mapping[str, Any]:
        """Operations and edges, which are the same whatever is drawn, and facts of the network that seed 0 draws."""
        found = dict(self._sizes(at))
        if work is not None:
            facts = work.facts
            found |= {
                "width": facts.widths[0],
                "parameters": facts.parameters,
                "flops": facts.flops,
                "sample_memory": facts.memory,
                "layers": facts.layers,
                "epochs": work.images / work.training,
            }
        return found

    def _sizes(self, at: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}


@lru_cache(maxsize=_KEPT)
def _drawn(space: GeneratorSpace, values: tuple[Any, ...], seed: int) -> Architecture:
    return space._draw(dict(zip(space.names, values, strict=True)), seed)


@lru_cache(maxsize=_KEPT_FACTS)
def _facts(space: GeneratorSpace, values: tuple[Any, ...], image_shape: ImageShape, classes: int, seed: int) -> Facts:
    return facts_of(_drawn(space, values, seed), space.limit_for(image_shape), space.head, image_shape, classes)


def _together(each: Sequence[Facts]) -> Facts:
    def of(name: str) -> Any:
        return np.array([getattr(facts, name) for facts in each], dtype=np.int64)

    widths = np.array([facts.widths for facts in each], dtype=np.int64).reshape(-1, STAGES).T
    counts = {name: of(name) for name in ("parameters", "flops", "activations", "layers", "memory")}
    return Facts(tuple(widths), **counts)


def _graph(
    level: str, nodes: tuple[int, int], neighbours: tuple[int, int]
) -> tuple[Hyperparameter, Hyperparameter, Hyperparameter]:
    return (
        Number(f"{level}_nodes", *nodes, integer=True),
        Number(f"{level}_neighbours", *neighbours, integer=True),
        Number(f"{level}_rewiring", 0.1, 0.9),
    )


def _edges(nodes: Any, neighbours: Any) -> Any:
    """Of a graph of Watts and Strogatz; numbers or arrays."""
    return nodes * np.floor(np.minimum(neighbours, nodes - 1) / 2)


def _inert_of(level: str, at: Mapping[str, Any]) -> dict[str, str]:
    nodes, neighbours = at[f"{level}_nodes"], at[f"{level}_neighbours"]
    half = half_degree(nodes, neighbours)
    found = {}
    if 2 * half >= nodes - 1:
        found[f"{level}_rewiring"] = f"{nodes} nodes with {2 * half} neighbours are all joined"
    if half == 1 and nodes <= 4:
        found[f"{level}_neighbours"] = f"{nodes} nodes have room for 2 neighbours"
    elif 2 * half != neighbours:
        found[f"{level}_neighbours"] = f"{neighbours} acts as {2 * half}"
    return found


class HnagSpace(GeneratorSpace):
    """Hierarchical generators of Ru et al. 2020, 8 numbers: a graph of cells (Watts-Strogatz), in each a graph of nodes
    (Erdős-Rényi), in each a graph of operations (Watts-Strogatz).

    Ranges are the paper's, not those of the example file of the authors' code.
    """

    name = "hnag"
    hyperparameters: tuple[Hyperparameter, ...] = (
        *_graph("top", (3, 10), (2, 5)),
        Number("mid_nodes", 1, 10, integer=True),
        Number("mid_edges", 0.1, 0.9),
        *_graph("bottom", (3, 10), (2, 5)),
    )
    architecture = tuple(h.name for h in hyperparameters)
    source = "Ru, Esperança and Carlucci 2020, HNAG"
    remarks: tuple[str, ...] = (
        "A configuration is a generator: each evaluation trains one network that a seed of its own draws from it.",
        "An odd number of neighbours acts as the even one below, and on up to 4 nodes all of them act as 2: "
        "top_neighbours and bottom_neighbours are in effect binary.",
        "Rewiring has no effect on 3 nodes, nor on 5 with 4 or 5 neighbours, whose graph is complete; mid_edges has "
        "none where mid_nodes is 1.",
    )

    def _draw(self, at: Mapping[str, Any], seed: int) -> Architecture:
        cells, nodes = at["top_nodes"], at["mid_nodes"]
        top = watts_strogatz(cells, at["top_neighbours"], at["top_rewiring"], stream(seed, "top"))
        mid = [erdos_renyi(nodes, at["mid_edges"], stream(seed, "mid", cell)) for cell in range(cells)]
        bottom = [
            [
                watts_strogatz(
                    at["bottom_nodes"],
                    at["bottom_neighbours"],
                    at["bottom_rewiring"],
                    stream(seed, "bottom", cell, node),
                )
                for node in range(nodes)
            ]
            for cell in range(cells)
        ]
        return assemble(top, self._stages(at), self._ratios(at), mid, bottom, self._choices(at, seed))

    def _stages(self, at: Mapping[str, Any]) -> Sequence[int]:
        """Of each cell: thirds, the first ones larger."""
        count = at["top_nodes"]
        return [STAGES * cell // count for cell in range(count)]

    def _ratios(self, at: Mapping[str, Any]) -> tuple[int, int, int]:
        return (1, 2, 4)

    def _choices(self, at: Mapping[str, Any], seed: int) -> Choices:
        return Choices()

    def inert(self, configuration: Configuration) -> Mapping[str, str]:
        found = _inert_of("top", configuration) | _inert_of("bottom", configuration)
        if configuration["mid_nodes"] == 1:
            found["mid_edges"] = "1 node has no edges"
        return {name: found[name] for name in self.names if name in found}

    def _sizes(self, at: Mapping[str, Any]) -> Mapping[str, Any]:
        nodes = at["top_nodes"] * at["mid_nodes"]
        return {
            "operations": nodes * at["bottom_nodes"],
            "top_edges": _edges(at["top_nodes"], at["top_neighbours"]),
            "bottom_edges": nodes * _edges(at["bottom_nodes"], at["bottom_neighbours"]),
        }


class HnagForImageNet(HnagSpace):
    """The same generators with the paper's training on ImageNet: Xie et al. 2019, the small regime."""

    name = "hnag-imagenet"
    training = Recipe(
        batch_size=256,
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=5e-5,
        schedule="cosine",
        label_smoothing=0.1,
        nesterov=False,
    )


class SmallHnagSpace(HnagSpace):
    """The same laws with ranges for a processor: 9 to 90 operations, 100,000 parameters, no wide head."""

    name = "hnag-small"
    hyperparameters = (
        *_graph("top", (3, 6), (2, 5)),
        Number("mid_nodes", 1, 3, integer=True),
        Number("mid_edges", 0.1, 0.9),
        *_graph("bottom", (3, 5), (2, 5)),
    )
    limit = large_limit = _PROCESSOR
    head = 0


#: The weights of AugV1, how nodes join and what operations do.
_JOINS = ("merge_sum", "merge_concatenation")
_OPERATIONS: Mapping[str, Operation] = {
    "conv_1": Operation(1),
    "conv_3": CONVOLUTION,
    "conv_5": Operation(5),
    "pool_3": Operation(3, pools=True),
    "pool_5": Operation(5, pools=True),
}


class DrawnChoices(Choices):
    """One draw a node: how it joins what it reads, and what it does, by weights."""

    def __init__(self, at: Mapping[str, Any], seed: int) -> None:
        self.at, self.seed = at, seed

    def concatenated(self, level: str, cell: int, node: int, wiring: Wiring) -> Sequence[bool]:
        draw = stream(self.seed, "join", level, cell, node)
        return [self._chosen(_JOINS, draw) == "merge_concatenation" for _ in range(len(wiring))]

    def operations(self, cell: int, node: int, wiring: Wiring) -> Sequence[Operation]:
        """At output nodes convolutions alone, since an average keeps the channels of what it reads (authors' code)."""
        draw = stream(self.seed, "operation", cell, node)
        convolutions = tuple(name for name, one in _OPERATIONS.items() if not one.pools)
        outputs = set(wiring.outputs)
        return [
            _OPERATIONS[self._chosen(convolutions if place in outputs else tuple(_OPERATIONS), draw)]
            for place in range(len(wiring))
        ]

    def _chosen(self, names: Sequence[str], draw: Stream) -> str:
        left = draw() * sum(self.at[name] for name in names)
        for name in names:
            left -= self.at[name]
            if left < 0:
                return name
        return names[-1]


class HnagAug1Space(HnagSpace):
    """HNAG with 7 weights more, 15 numbers: of sums and concatenations, and of five operations, drawn a node (AugV1).

    How the paper's weights become probabilities is not known: here as shares of their sum.
    """

    name = "hnag-aug1"
    hyperparameters = (
        *HnagSpace.hyperparameters,
        *(Number(name, 0.01, 1.0) for name in (*_JOINS, *_OPERATIONS)),
    )
    architecture = tuple(h.name for h in hyperparameters)
    source = "Ru, Esperança and Carlucci 2020, HNAG-AugV1"
    remarks = (*HnagSpace.remarks, "Weights are shares of their sum: of two, and of five, one is superfluous.")

    def _choices(self, at: Mapping[str, Any], seed: int) -> Choices:
        return DrawnChoices(at, seed)


class HnagAug2Space(HnagSpace):
    """HNAG with 6 numbers more, 14: the shares of the cells that stages have, and the ratios of their channels (AugV2).

    Their ranges are not known: weights of 0.1 to 1, shares of their sum, and ratios of 1 to 4 are ours. Every stage has
    a cell at least, since otherwise no pixels are pooled, which explains the paper's slowest trainings.
    """

    name = "hnag-aug2"
    hyperparameters = (
        *HnagSpace.hyperparameters,
        *(Number(f"stage_{stage}", 0.1, 1.0) for stage in (1, 2, 3)),
        *(Number(f"channels_{stage}", 1, 4, integer=True) for stage in (1, 2, 3)),
    )
    architecture = tuple(h.name for h in hyperparameters)
    source = "Ru, Esperança and Carlucci 2020, HNAG-AugV2"
    remarks = (*HnagSpace.remarks, "On 3 cells the shares of the stages have no effect: each has one.")

    def _stages(self, at: Mapping[str, Any]) -> Sequence[int]:
        weights = [at[f"stage_{stage}"] for stage in (1, 2, 3)]
        return staged(at["top_nodes"], weights)

    def _ratios(self, at: Mapping[str, Any]) -> tuple[int, int, int]:
        return at["channels_1"], at["channels_2"], at["channels_3"]

    def inert(self, configuration: Configuration) -> Mapping[str, str]:
        found = dict(super().inert(configuration))
        if configuration["top_nodes"] == STAGES:
            found |= {f"stage_{stage}": "each of 3 stages has one of 3 cells" for stage in (1, 2, 3)}
        return found


def staged(cells: int, weights: Sequence[float]) -> list[int]:
    """The stage of each cell, of at least 3: the next one from where the shares of those before it end, at most one
    step a cell (authors' code), and no stage is empty."""
    total = sum(weights)
    stage, found = 0, []
    threshold = weights[0] / total * cells
    for cell in range(cells):
        if cell and stage < STAGES - 1 and (cell >= threshold or cells - cell < STAGES - stage):
            stage += 1
            threshold += weights[stage] / total * cells
        found.append(stage)
    return found


class RnagSpace(GeneratorSpace):
    """Generators of randomly wired networks (Xie et al. 2019) as Ru et al. 2020 search them, 9 numbers: a graph of
    operations (Watts-Strogatz) for each of three stages in a row.

    Of the ranges the paper's text has lost all but the total of nodes, 30 to 120: neighbours and rewiring are
    unconfirmed.
    """

    name = "rnag"
    hyperparameters: tuple[Hyperparameter, ...] = tuple(
        h for stage in (1, 2, 3) for h in _graph(f"stage_{stage}", (10, 40), (2, 9))
    )
    architecture = tuple(h.name for h in hyperparameters)
    source = "Ru, Esperança and Carlucci 2020, RNAG, after Xie et al. 2019"
    remarks = (
        "A configuration is a generator: each evaluation trains one network that a seed of its own draws from it.",
        "An odd number of neighbours acts as the even one below.",
    )

    def _draw(self, at: Mapping[str, Any], seed: int) -> Architecture:
        bottom = []
        for stage in range(STAGES):
            nodes, neighbours, rewiring = (
                at[f"stage_{stage + 1}_{what}"] for what in ("nodes", "neighbours", "rewiring")
            )
            bottom.append([watts_strogatz(nodes, neighbours, rewiring, stream(seed, "bottom", stage, 0))])
        return assemble(chain(STAGES), range(STAGES), (1, 2, 4), [SINGLE] * STAGES, bottom, Choices())

    def inert(self, configuration: Configuration) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for stage in (1, 2, 3):
            found |= _inert_of(f"stage_{stage}", configuration)
        return {name: found[name] for name in self.names if name in found}

    def _sizes(self, at: Mapping[str, Any]) -> Mapping[str, Any]:
        nodes = [at[f"stage_{stage}_nodes"] for stage in (1, 2, 3)]
        edges = [_edges(many, at[f"stage_{stage}_neighbours"]) for stage, many in enumerate(nodes, 1)]
        return {"operations": nodes[0] + nodes[1] + nodes[2], "edges": edges[0] + edges[1] + edges[2]}


class SmallRnagSpace(RnagSpace):
    """The same laws with ranges for a processor: 12 to 39 operations, 100,000 parameters, no wide head."""

    name = "rnag-small"
    hyperparameters = tuple(h for stage in (1, 2, 3) for h in _graph(f"stage_{stage}", (4, 13), (2, 5)))
    limit = large_limit = _PROCESSOR
    head = 0


GENERATORS: tuple[GeneratorSpace, ...] = (
    HnagSpace(),
    SmallHnagSpace(),
    HnagForImageNet(),
    HnagAug1Space(),
    HnagAug2Space(),
    RnagSpace(),
    SmallRnagSpace(),
)
