"""Lines that lie on one another: drawn in the colours of all of them, and said in words."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.bench.drawing.palette import Style
from jointbench.data.arrays import FloatArray
from jointbench.data.quantities import listed

BoolArray = npt.NDArray[np.bool_]

#: Pixels of one colour.
_DASH = 9

#: Share of the times at which two lines are drawn below which their meeting is not worth a word.
_WORTH_SAYING = 0.1

#: Digits after which values count as equal: far below a pixel, far above the rounding of means.
_DIGITS = 12


def overlays(
    values: Mapping[str, FloatArray], x: FloatArray, look: Mapping[str, Style], *, steps: bool = True
) -> Iterator[Any]:
    """Plotly's traces to draw above lines (of equal length, NaN where there is none), the first of them on top.

    Where n lines coincide, the first shows through the gaps of the others' dashes, so that all n colours alternate.
    `steps`: a value holds until the next one, else lines are straight from point to point.
    """
    import plotly.graph_objects as go

    found = list(_stretches(values, steps=steps))
    # One with shorter dashes above those with longer ones.
    for place in range(1, len(values)):
        for names, beginning, end in found:
            if place >= len(names):
                continue
            name = names[place]
            upto = slice(beginning, end + 2)
            y = values[name][upto].copy()
            if steps and len(y) > end + 1 - beginning:
                # Up to the step, but not along it.
                y[-1] = y[-2]
            dashes = f"{_DASH * (len(names) - place)}px,{_DASH * place}px"
            yield go.Scatter(
                x=x[upto] if steps else x[beginning : end + 1],
                y=y if steps else y[: end + 1 - beginning],
                mode="lines",
                line={"color": look[name].colour, "width": 2.5, "shape": "hv" if steps else "linear", "dash": dashes},
                legendgroup=name,
                showlegend=False,
                hoverinfo="skip",
            )


def coinciding_words(values: Mapping[str, FloatArray], seconds: FloatArray) -> str:
    """Which lines coincide for how long, in a sentence; empty where none do for long."""
    until: dict[tuple[str, str], int] = {}
    sometimes = []
    for pair in combinations(values, 2):
        both = ~np.isnan(values[pair[0]]) & ~np.isnan(values[pair[1]])
        same = _same(values[pair[0]], values[pair[1]])[both]
        if not len(same) or same.mean() < _WORTH_SAYING:
            continue
        ends = int(np.argmin(np.append(same, False)))
        if ends < _WORTH_SAYING * len(same):
            sometimes.append(f"{pair[0]} and {pair[1]} for part of the time")
        else:
            until[pair] = len(seconds) if ends == len(same) else int(np.flatnonzero(both)[ends])
    parts = []
    for index in sorted(set(until.values())):
        when = "throughout" if index == len(seconds) else f"until {seconds[index]:.3g} s"
        so_long = [pair for pair, end in until.items() if end >= index]
        groups = _groups([pair for pair, end in until.items() if end == index], so_long)
        parts += [f"{listed(group)} {when}{_why(group)}" for group in groups]
    if not (parts or sometimes):
        return ""
    return f"Where lines coincide, their colours alternate: {'; '.join([*parts, *sometimes])}."


def _why(names: Sequence[str]) -> str:
    if {"bohb", "hyperband"} != set(names):
        return ""
    return " (until its model starts, BOHB proposes what Hyperband does)"


def _groups(pairs: Sequence[tuple[str, str]], allowed: Sequence[tuple[str, str]]) -> Iterator[list[str]]:
    """Names such that all `pairs` are in one of the groups, and all two of a group are an allowed pair."""
    left = list(pairs)
    while left:
        group = list(left[0])
        for name in dict.fromkeys(name for pair in allowed for name in pair):
            if name not in group and all((one, name) in allowed or (name, one) in allowed for one in group):
                group.append(name)
        yield group
        left = [pair for pair in left if not set(pair) <= set(group)]


def _same(one: FloatArray, other: FloatArray) -> BoolArray:
    """Where both are there and equal."""
    same: BoolArray = np.round(one, _DIGITS) == np.round(other, _DIGITS)
    return same


def _stretches(values: Mapping[str, FloatArray], *, steps: bool) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Names of lines, in their order, and the first and last index between which they coincide, as far as they do."""
    names = list(values)
    rounded = np.round(np.array([values[name] for name in names], dtype=np.float64), _DIGITS)
    count = rounded.shape[1] if names else 0
    beginnings: dict[tuple[str, ...], int] = {}
    for index in range(count + 1):
        now: set[tuple[str, ...]] = set()
        if index < count:
            column = rounded[:, index]
            for value in np.unique(column[~np.isnan(column)]):
                now.add(tuple(name for name, one in zip(names, column, strict=True) if one == value))
        meeting = {group for group in now if len(group) > 1}
        for group in sorted(set(beginnings) - meeting):
            beginning = beginnings.pop(group)
            # A straight line needs two points.
            if steps or index - 1 > beginning:
                yield group, beginning, index - 1
        for group in sorted(meeting):
            beginnings.setdefault(group, index)
