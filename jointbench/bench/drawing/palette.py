"""The look of each optimizer's line and of each budget: the same on every page."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from jointbench.optimizers.options import split_name

#: Okabe and Ito's colours, which colour-blind readers can tell apart; their yellow is too pale for lines on white.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)

#: Of budgets, from the smallest on.
RUNG_COLOURS = (SKY, ORANGE, GREEN, VERMILION, PURPLE, BLUE)


def rung_colour(index: int) -> str:
    return RUNG_COLOURS[index % len(RUNG_COLOURS)]


@dataclass(frozen=True)
class Style:
    """A line's colour and plotly's name of its dashes."""

    colour: str
    dash: str = "solid"

    def faded(self, opacity: float) -> str:
        """The colour as CSS, with an opacity in [0, 1]."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity:g})"


#: Relatives share a colour, but for those of several objectives that are drawn with bands beside each other.
_OWN = {
    "random": Style(BLACK),
    "hyperband": Style(GREEN),
    "asha": Style(GREEN, "dash"),
    "bohb": Style(BLUE),
    "hpbandster-bohb": Style(BLUE, "dash"),
    "smac": Style(PURPLE),
    "smac-default": Style(PURPLE, "dash"),
    "two-stage": Style(VERMILION),
    "two-stage-long": Style(VERMILION, "dash"),
    "two-stage-random": Style(VERMILION, "dot"),
    "regularized-evolution": Style(ORANGE),
    "tpe": Style(SKY),
    "cma-es": Style(SKY, "dash"),
    "nago-mobo": Style(VERMILION, "longdash"),
    "mo-bohb": Style(SKY, "longdash"),
    "smac.ParEGO": Style(PURPLE, "longdash"),
    "optuna.NSGAIISampler": Style(GREEN, "longdash"),
}

_FREE = tuple(Style(colour, dash) for dash in ("dashdot", "longdash") for colour in COLOURS)

_VARIED = ("dashdot", "longdash", "longdashdot", "dot")


def styles(optimizers: Iterable[str]) -> dict[str, Style]:
    """A line for each optimizer.

    One that does not ship gets its own from its name, so that it looks the same on every page, and one with options
    (`two-stage:share=0.3`) has the colour of what it varies; where two names meet, the later of the alphabet moves on.
    """
    found: dict[str, Style] = {}
    for name in sorted(optimizers):
        if name in _OWN:
            found[name] = _OWN[name]
            continue
        first = zlib.crc32(name.encode())
        wanted = [_FREE[(first + step) % len(_FREE)] for step in range(len(_FREE))]
        if (varied := split_name(name)[0]) in _OWN:
            dashes = [_VARIED[(first + step) % len(_VARIED)] for step in range(len(_VARIED))]
            wanted = [*(Style(_OWN[varied].colour, dash) for dash in dashes), *wanted]
        found[name] = next((style for style in wanted if style not in found.values()), wanted[0])
    return found
