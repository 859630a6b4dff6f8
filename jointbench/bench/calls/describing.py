"""`jointbench.describe`: the spaces, or one configuration and what follows from it by arithmetic."""

import inspect
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointbench.bench.calls.aligned import aligned
from jointbench.bench.calls.describing_benchmarks import DescribedBenchmark
from jointbench.bench.calls.given import seed_of_a_draw, the_configuration, the_path, whole
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.drawing.network_drawing import draw_network
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import write_whole
from jointbench.data.frames import frame
from jointbench.data.numbers import readable
from jointbench.data.quantities import counted, large, size
from jointbench.data.spaces.architecture import CONVOLUTION
from jointbench.data.spaces.facts import Facts, ImageShape
from jointbench.data.spaces.generators import GeneratorSpace
from jointbench.data.spaces.registry import SPACES
from jointbench.data.spaces.space import Space
from jointbench.surrogate.stored import MANIFEST, load_benchmark, released, ships

if TYPE_CHECKING:
    from pandas import DataFrame


class DescribedSpaces(Result):
    """Spaces: their hyperparameters, and the configurations that they know by name."""

    def __init__(self, spaces: Mapping[str, Space]) -> None:
        self.spaces = spaces

    def tables(self) -> dict[str, ResultTable]:
        headings = ("hyperparameter", "range", "scale", "part")
        return {
            name: ResultTable(f"space '{name}'", headings, _hyperparameters(space), headings)
            for name, space in self.spaces.items()
        }

    def drawings(self) -> dict[str, Drawing]:
        return {}

    def to_pandas(self) -> "DataFrame":
        """A row a hyperparameter: its `space`, `name`, `range` in words, `scale` (log or linear), and the `part` of the
        network's architecture or its training."""
        rows = [(name, *row) for name, space in self.spaces.items() for row in _hyperparameters(space)]
        headings = ("space", "name", "range", "scale", "part")
        return frame({heading: [row[index] for row in rows] for index, heading in enumerate(headings)})

    def __str__(self) -> str:
        lines: list[str] = []
        shown: dict[tuple[str, ...], Space] = {}
        for space in self.spaces.values():
            like = shown.setdefault(space.names, space)
            if like is space:
                head = f"space '{space.name}', {counted(len(space.names), 'hyperparameter')}: {_words(space)}"
                lines += [*textwrap.wrap(head, 100), ""]
                lines += aligned(_hyperparameters(space), (16, 28, 7))
            else:
                both = zip(space.hyperparameters, like.hyperparameters, strict=True)
                differing = [(one.name, one.range) for one, other in both if one != other]
                if differing:
                    lines += [f"space '{space.name}': as '{like.name}' but for", "", *aligned(differing, (16,))]
                else:
                    lines += [f"space '{space.name}': hyperparameters and ranges as '{like.name}' has them"]
            lines.append("")
            named = {
                name: f"{large(space.facts(configuration).parameters)} parameters"
                for name, configuration in space.named.items()
                if like is space or configuration not in like.named.values()
            }
            if named:
                rows = aligned(list(named.items()), (24,))
                lines += ["  named configurations:", *(f"  {row}" for row in rows), ""]
        return "\n".join(lines).rstrip()

    __repr__ = __str__


def _words(space: Space) -> str:
    """What its class says of itself, in a paragraph."""
    return " ".join((inspect.getdoc(type(space)) or "").partition("\n\n")[0].split())


def _hyperparameters(space: Space) -> list[tuple[str, str, str, str]]:
    return [
        (
            one.name,
            one.range,
            "log" if one.log else "linear",
            "architecture" if one.name in space.architecture else "training",
        )
        for one in space.hyperparameters
    ]


class DescribedConfiguration(Result):
    """A configuration of a space, and the `facts` of its network for images of one shape; of a generator those of the
    network that a seed draws. `inert`: hyperparameters without an effect of their own, and why."""

    def __init__(
        self, space: Space, configuration: Configuration, image_shape: ImageShape, classes: int, seed: int = 0
    ) -> None:
        self.space, self.configuration = space, configuration
        self.image_shape, self.classes, self.seed = image_shape, classes, seed
        self.facts: Facts = space.facts(configuration, image_shape, classes, seed)
        self.inert = space.inert(configuration)

    def draw(self, out: str | Path) -> Path:
        """Write a picture of the network, as SVG. Raises InputError for a space that draws no networks, and for a name
        that does not end in .svg."""
        path = the_path("out", out)
        if not isinstance(self.space, GeneratorSpace):
            raise InputError("space", self.space.name, "one whose networks are drawn, such as hnag, for a picture")
        if path.suffix != ".svg":
            raise InputError("out", str(out), "a name that ends in .svg")
        architecture = self.space.drawn(self.configuration, self.seed)
        differ = any(
            one.operation != CONVOLUTION
            for cell in architecture.cells
            for node in cell.nodes
            for one in node.operations
        )
        values = ", ".join(readable(value) for value in self.configuration.values())
        title = f"{self.space.name}: {values}; architecture seed {self.seed}"
        picture = draw_network(architecture, self.facts, self.image_shape, title=title, operations_differ=differ)
        write_whole(path, picture)
        return path

    def _of_facts(self) -> list[tuple[str, str]]:
        facts = self.facts
        return [
            ("widths", ", ".join(str(width) for width in facts.widths)),
            ("parameters", large(facts.parameters)),
            ("FLOPs an image", f"{large(facts.flops)}, forward, two a multiply-add"),
            *([("memory an image", size(facts.memory))] if facts.memory is not None else []),
        ]

    def tables(self) -> dict[str, ResultTable]:
        values = [(name, readable(value)) for name, value in self.configuration.items()]
        words = ("fact", "value")
        return {
            "facts": ResultTable(self._images(), words, self._of_facts(), words),
            "configuration": ResultTable(f"in the space '{self.space.name}'", ("name", "value"), values, ("name",)),
        }

    def drawings(self) -> dict[str, Drawing]:
        return {}

    def to_pandas(self) -> "DataFrame":
        """One row: a column a hyperparameter, then `parameters`, `flops` of an image's forward pass, and
        `activations`, the numbers that convolutions put out for an image."""
        facts = self.facts
        counts: dict[str, Any] = {
            "parameters": facts.parameters,
            "flops": facts.flops,
            "activations": facts.activations,
        }
        return frame({name: [value] for name, value in (dict(self.configuration) | counts).items()})

    def _images(self) -> str:
        channels, height, width = self.image_shape
        return f"for {height}x{width} images with {counted(channels, 'channel')} and {self.classes} classes"

    def __str__(self) -> str:
        lines = aligned(
            [
                (name, readable(value) + (f"  (inert: {self.inert[name]})" if name in self.inert else ""))
                for name, value in self.configuration.items()
            ],
            (16,),
        )
        drawn = f", the network of architecture seed {self.seed}" if self.space.draws else ""
        lines += ["", f"  {self._images()}{drawn}:"]
        return "\n".join([*lines, *aligned(self._of_facts(), (16,))])

    __repr__ = __str__


def describe(
    what: str | Path | Mapping[str, Any] | Space | None = None,
    *,
    space: str | Space | None = None,
    image_shape: ImageShape = (3, 32, 32),
    classes: int = 10,
    seed: int = 0,
) -> DescribedSpaces | DescribedConfiguration | DescribedBenchmark:
    """What `jointbench describe` does: show the spaces (all, or one by name), a benchmark, or one configuration's
    widths, parameters and FLOPs for images of a shape.

    `what`: a configuration, a named one or a JSON file (`space`: whose, by default joint), a Space or its name, a
    benchmark that ships, or the folder of one; by default all spaces. `image_shape`: channels, height, width. `seed`:
    with which the network of a generator is drawn; what is returned of a configuration can `draw` it. Raises
    UnknownNameError, ConfigurationError, BenchmarkError for a damaged one, InputError for a shape or a number of
    classes that there cannot be, and for a seed of a space that draws no networks.
    """
    if what is None:
        return DescribedSpaces(SPACES)
    if isinstance(what, Space):
        return DescribedSpaces({what.name: what})
    if (
        isinstance(what, str)
        and what in SPACES
        and space is None
        and not any(what in one.named for one in SPACES.values())
    ):
        return DescribedSpaces({what: SPACES[what]})
    if isinstance(what, (str, Path)) and (ships(str(what)) or (Path(what) / MANIFEST).is_file()):
        return DescribedBenchmark(load_benchmark(what))
    try:
        at, configuration = the_configuration(what, space)
    except UnknownNameError as error:
        if space is not None or str(what).partition(":")[0] in SPACES:
            raise
        known = {*(name for one in SPACES.values() for name in one.named), *SPACES, *released()}
        hint = ", a JSON file of a configuration, or the folder of a benchmark"
        raise UnknownNameError.of(error.field, what, known, hint) from None
    if len(image_shape) != 3 or any(whole("image shape", side, 1) < 1 for side in image_shape):
        raise InputError("image shape", image_shape, "channels, height and width, such as (3, 32, 32)")
    counted_classes, drawn = whole("classes", classes, 2), seed_of_a_draw("seed", seed, at)
    return DescribedConfiguration(at, configuration, image_shape, counted_classes, drawn)
