"""What is put into pages: all of it is escaped, whatever it is, unless it is HTML already."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from jointbench.bench.pages.page import page_html, table_html
from jointbench.bench.pages.templates import fill, with_code

HOSTILE = "<script>alert('a & b')</script>"


def test_values_are_escaped_and_html_is_not() -> None:
    shown = fill("<p>{{ words }}{{ more }}</p>", words=HOSTILE, more=fill("<b>{{ words }}</b>", words="&"))
    assert shown == "<p>&lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;<b>&amp;</b></p>"
    assert fill("{{ words }}", words=Markup("<i>")) == "<i>"


def test_what_stands_between_backticks_is_code_and_is_escaped_too() -> None:
    assert with_code("a `<b>` and 1 ` more") == "a <code>&lt;b&gt;</code> and 1 ` more"


def test_what_is_missing_is_noticed() -> None:
    with pytest.raises(UndefinedError, match="words"):
        fill("<p>{{ words }}</p>")


def test_titles_headings_and_cells_are_escaped() -> None:
    assert "<script>alert" not in page_html(HOSTILE, [table_html([HOSTILE, "b"], [[HOSTILE, HOSTILE]])])


def test_pages_leave_escaping_to_templates() -> None:
    bench = Path(fill.__code__.co_filename).parent.parent
    assert [path.name for path in bench.rglob("*.py") if "html.escape" in path.read_text(encoding="utf-8")] == []
