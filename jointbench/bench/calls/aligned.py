"""Rows of words below each other, as plain lines of a terminal."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], least: Sequence[int]) -> list[str]:
    """A line a row, indented by two; every column but the last is as wide as its longest words, and at least so wide
    as `least` says."""
    widths = [max(wide, *(len(row[place]) for row in rows)) for place, wide in enumerate(least)] if rows else []
    lines = []
    for row in rows:
        *cells, last = row
        lines.append("  " + " ".join([*(f"{cell:<{wide}}" for cell, wide in zip(cells, widths, strict=True)), last]))
    return lines
