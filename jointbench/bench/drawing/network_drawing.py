"""A generator's network as a picture of its three levels: the cells, in each its nodes, in each of these operations."""

from collections import Counter
from collections.abc import Sequence
from html import escape

from jointbench.bench.drawing.palette import BLACK, BLUE, GREEN, ORANGE, SKY
from jointbench.data.spaces.architecture import Architecture, Merge, OperationNode, Sizes
from jointbench.data.spaces.facts import Facts, ImageShape
from jointbench.data.spaces.wiring import Wiring

#: Of the three stages.
STAGE_COLOURS = (SKY, ORANGE, GREEN)

_MARGIN, _TITLE, _GAP = 24, 64, 28
_TEXT = 'font-family="sans-serif"'


def draw_network(
    architecture: Architecture, facts: Facts, image_shape: ImageShape, *, title: str, operations_differ: bool
) -> str:
    """The picture as SVG. `operations_differ`: write in each operation what it does."""
    sizes = Sizes(image_shape)
    picture = _Picture()
    picture.text(_MARGIN, 30, title, size=17)
    words = (
        f"{facts.parameters:,} parameters; what a node reads is on its left; of what is ringed black the mean goes on"
    )
    if operations_differ:
        words += "; the side of a convolution, or in a square of an average; dashed: inputs are concatenated"
    picture.text(_MARGIN, 52, words, size=12)
    cells = architecture.cells
    top = _Layout(architecture.wiring, across=110, down=64)
    y = _TITLE + _GAP
    picture.text(_MARGIN, y, "cells", size=13)
    labels = [str(number + 1) for number in range(len(cells))]
    colours = [STAGE_COLOURS[cell.stage] for cell in cells]
    stem = _MARGIN + 16
    picture.graph(
        top, stem + 70, y + 14, 17, colours, labels, joins=[cell.merge for cell in cells], source=(stem, "stem")
    )
    y += round(top.height) + 40
    for stage, width in enumerate(facts.widths):
        height, across = sizes.stages[stage]
        x = _MARGIN + 12 + 230 * stage
        picture.circle(x, y, 8, STAGE_COLOURS[stage], BLUE)
        picture.text(x + 16, y + 4, f"stage {stage + 1}: {width} channels, {height}x{across} pixels", size=12)
    y += 30
    for number, cell in enumerate(cells):
        mid = _Layout(cell.wiring, across=44, down=34)
        bottoms = [_Layout(node.wiring, across=30, down=24) for node in cell.nodes]
        height = round(max(mid.height, *(one.height for one in bottoms))) + 34
        picture.line(_MARGIN, y, 10_000, y)
        picture.text(_MARGIN, y + 18, f"cell {number + 1}", size=13)
        colour = [STAGE_COLOURS[cell.stage]] * len(cell.nodes)
        names = [_letters(place) for place in range(len(cell.nodes))]
        picture.graph(mid, _MARGIN, y + 26, 11, colour, names, joins=[node.merge for node in cell.nodes])
        x = _MARGIN + mid.width + 40
        for name, node, layout in zip(names, cell.nodes, bottoms, strict=True):
            picture.text(x, y + 18, name, size=12)
            says = [_says(one) if operations_differ else "" for one in node.operations]
            pools = [one.operation.pools for one in node.operations]
            picture.graph(
                *(layout, x, y + 26, 8, [STAGE_COLOURS[cell.stage]] * len(says), says),
                joins=[one.merge for one in node.operations],
                squares=pools,
            )
            x += layout.width + 30
        picture.widen(x)
        y += height
    return picture.svg(y + _MARGIN)


def _says(one: OperationNode) -> str:
    return str(one.operation.side)


def _letters(place: int) -> str:
    return chr(ord("a") + place)


class _Layout:
    """Where the nodes of a graph are: to the right by the longest way to them, those of one depth below each other."""

    def __init__(self, wiring: Wiring, *, across: int, down: int) -> None:
        self.wiring = wiring
        rows = Counter(wiring.depths)
        most = max(rows.values())
        placed: Counter[int] = Counter()
        self.places: list[tuple[float, float]] = []
        #: Ways that pass others bend upwards, into this room.
        self.bend = down * 0.5 if max(wiring.depths) > 1 else 0
        for depth in wiring.depths:
            row = placed[depth] + (most - rows[depth]) / 2
            placed[depth] += 1
            self.places.append((across * (depth + 0.5), down * (row + 0.5) + self.bend))
        self.width, self.height = across * (1 + max(wiring.depths)), down * most + 2 * self.bend

    def path(self, source: int, node: int) -> str:
        """From one node to the other, bent away from those between them."""
        (x, y), (to_x, to_y) = self.places[source], self.places[node]
        span = self.wiring.depths[node] - self.wiring.depths[source]
        if span == 1:
            return f"M{x:g} {y:g}L{to_x:g} {to_y:g}"
        side = 1 if (source + node) % 2 else -1
        away = side * (self.bend + 5 * span) * 1.3
        return f"M{x:g} {y:g}Q{(x + to_x) / 2:g} {(y + to_y) / 2 + away:g} {to_x:g} {to_y:g}"


class _Picture:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._width = 720.0

    def widen(self, right: float) -> None:
        self._width = max(self._width, right)

    def text(self, x: float, y: float, words: str, *, size: int, middle: bool = False) -> None:
        anchor = ' text-anchor="middle"' if middle else ""
        self._parts.append(f'<text x="{x:g}" y="{y:g}" {_TEXT} font-size="{size}"{anchor}>{escape(words)}</text>')
        if not middle:
            self.widen(x + 0.62 * size * len(words))

    def line(self, x: float, y: float, to_x: float, to_y: float) -> None:
        self._parts.append(f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" stroke="#ccc"/>')

    def circle(self, x: float, y: float, radius: float, colour: str, ring: str) -> None:
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius}" fill="{colour}" stroke="{ring}"/>')

    def graph(
        self,
        layout: _Layout,
        x: float,
        y: float,
        radius: int,
        colours: Sequence[str],
        labels: Sequence[str],
        *,
        joins: Sequence[Merge],
        squares: Sequence[bool] | None = None,
        source: tuple[float, str] | None = None,
    ) -> None:
        """`source`: where on the left the input nodes' tensor comes from, and its name. Dashed: what concatenates."""
        wiring, edges = layout.wiring, []
        if source is not None:
            left, name = source[0] - x, source[1]
            height = layout.height / 2
            edges += [f"M{left:g} {height:g}L{layout.places[n][0]:g} {layout.places[n][1]:g}" for n in wiring.inputs]
        edges += [layout.path(before, node) for node, many in enumerate(wiring.predecessors) for before in many]
        self._parts.append(f'<g transform="translate({x:g} {y:g})">')
        self._parts.append(f'<path d="{"".join(edges)}" fill="none" stroke="#555" stroke-width="1.2"/>')
        if source is not None:
            self.circle(left, height, radius, "white", BLUE)
            self.text(left, height + 4, name, size=11, middle=True)
        for node, (across, down) in enumerate(layout.places):
            ring = BLACK if node in wiring.outputs else BLUE
            style = f'fill="{colours[node]}" stroke="{ring}" stroke-width="{2.5 if node in wiring.outputs else 1.2}"'
            if joins[node].concatenated:
                style += ' stroke-dasharray="3 2"'
            if squares is not None and squares[node]:
                edge = 1.8 * radius
                corner = f'x="{across - edge / 2:g}" y="{down - edge / 2:g}" width="{edge:g}" height="{edge:g}"'
                self._parts.append(f"<rect {corner} {style}/>")
            else:
                self._parts.append(f'<circle cx="{across:g}" cy="{down:g}" r="{radius}" {style}/>')
            if labels[node]:
                self.text(across, down + 0.36 * radius, labels[node], size=max(9, radius), middle=True)
        self._parts.append("</g>")
        self.widen(x + layout.width + _MARGIN)

    def svg(self, height: float) -> str:
        size = f'width="{self._width:g}" height="{height:g}" viewBox="0 0 {self._width:g} {height:g}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
                '<rect width="100%" height="100%" fill="white"/>',
                *self._parts,
                "</svg>\n",
            ]
        )
