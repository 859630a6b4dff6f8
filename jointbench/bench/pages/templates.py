"""What is put into a page: everything is escaped that is not HTML already."""

import re
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

#: A name that a template has and nobody gives is a mistake of ours.
_ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)


def fill(template: str, **values: object) -> Markup:
    """HTML of a template in Jinja2's words, whose `{{ values }}` are escaped, unless they are `Markup`."""
    return Markup(_template(template).render(values))


def with_code(words: str) -> Markup:
    """HTML of plain words, in which what stands between backticks is code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(words))))


def fill_file(name: str, **values: object) -> Markup:
    """The same of a file of this folder."""
    return fill(file_text(name), **values)


@cache
def file_text(name: str) -> str:
    return resources.files("jointbench.bench.pages").joinpath(name).read_text(encoding="utf-8")


@cache
def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)
