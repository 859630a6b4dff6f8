"""The critical-difference diagram: mean ranks on a line, bars under optimizers that cannot be told apart."""

from collections.abc import Mapping, Sequence

from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.templates import fill

#: Pixels; a character of a name takes so much at most.
AXIS, MARGIN, ROW, BAR, CHARACTER = 440, 160, 24, 12, 8


def rank_diagram(
    ranks: Mapping[str, float], groups: Sequence[Sequence[str]], styles: Mapping[str, Style], caption: str
) -> str:
    """An SVG after Demsar 2006 (Figure 1): the better half is named on the left, the other on the right.

    `ranks`: mean rank by optimizer, best first; `groups`: optimizers joined by a bar, as `statistics.groups` gives.
    """
    best, worst = 1, max(len(ranks), 2)
    # Beside a name stand its rank and a leader.
    margin = max(MARGIN, CHARACTER * (max(map(len, ranks)) + len(" 1.00")) + 26)
    width = AXIS + 2 * margin

    def x(rank: float) -> float:
        return margin + AXIS * (rank - best) / (worst - best)

    axis = 26
    below = axis + 12 + BAR * len(groups)
    names = list(ranks)
    half = (len(names) + 1) // 2
    height = below + ROW * half + 10
    lines = [
        fill(
            '<svg class="ranks" viewBox="0 0 {{ width }} {{ height }}" width="{{ width }}" role="img" '
            'aria-label="{{ caption }}">',
            width=width,
            height=height,
            caption=caption,
        ),
        f'<line x1="{x(best)}" y1="{axis}" x2="{x(worst)}" y2="{axis}" stroke="currentColor"/>',
    ]
    for rank in range(best, worst + 1):
        lines.append(f'<line x1="{x(rank)}" y1="{axis - 6}" x2="{x(rank)}" y2="{axis}" stroke="currentColor"/>')
        lines.append(f'<text x="{x(rank)}" y="{axis - 10}" text-anchor="middle" class="tick">{rank}</text>')
    for index, name in enumerate(names):
        left = index < half
        # The outermost ranks hang lowest, so that no leader crosses another.
        y = below + ROW * (index + 0.5 if left else len(names) - index - 0.5)
        end, anchor, gap = (margin - 20, "end", -6) if left else (width - margin + 20, "start", 6)
        lines.append(
            f'<polyline points="{x(ranks[name]):.1f},{axis} {x(ranks[name]):.1f},{y} {end},{y}" fill="none" '
            f'stroke="{styles[name].colour}" stroke-width="1.5"/>'
        )
        lines.append(
            fill(
                '<text x="{{ x }}" y="{{ y }}" text-anchor="{{ anchor }}">{{ name }} '
                '<tspan class="tick">{{ rank }}</tspan></text>',
                x=end + gap,
                y=y + 4.5,
                anchor=anchor,
                name=name,
                rank=f"{ranks[name]:.2f}",
            )
        )
    for index, group in enumerate(groups):
        y = axis + 10 + BAR * index
        ends = x(ranks[group[0]]) - 4, x(ranks[group[-1]]) + 4
        lines.append(
            f'<line x1="{ends[0]:.1f}" y1="{y}" x2="{ends[1]:.1f}" y2="{y}" stroke="currentColor" stroke-width="4" '
            'stroke-linecap="round" opacity="0.55"/>'
        )
    return "\n".join([*lines, "</svg>"])
