"""What objects show of themselves in a notebook: small HTML tables, without any library."""

import html
from collections.abc import Iterable, Sequence

#: Rows that a notebook shows of many; the rest is counted.
SHOWN = 10


def html_table(title: str, rows: Iterable[Sequence[object]], headings: Sequence[str] = ()) -> str:
    """A titled table whose cells are escaped; without headings its first column names the second."""
    head = f"<tr>{''.join(f'<th>{html.escape(heading)}</th>' for heading in headings)}</tr>" if headings else ""
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    caption = f'<caption style="text-align: left; caption-side: top"><b>{html.escape(title)}</b></caption>'
    return f"<table>{caption}{f'<thead>{head}</thead>' if head else ''}<tbody>{body}</tbody></table>"
