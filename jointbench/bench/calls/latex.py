"""Tables as LaTeX, for the package booktabs."""

from collections.abc import Collection, Sequence

_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


def latex_table(headings: Sequence[str], rows: Sequence[Sequence[str]], words: Collection[str] = ()) -> str:
    """A `tabular`; columns whose heading is in `words` are flush left, all others flush right."""
    columns = "".join("l" if heading in words else "r" for heading in headings)
    lines = [" & ".join(cell.translate(_ESCAPED) for cell in row) + r" \\" for row in (headings, *rows)]
    body = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
    return "\n".join([*body, r"\end{tabular}", ""])
