"""The one reader of JSON that a person may have written."""

import json
from typing import Any

from jointbench.data.errors import InputError


def read_json(content: bytes, field: str, error: type[InputError] = InputError) -> Any:
    """What JSON says, in UTF-8, UTF-16 or UTF-32, with a byte-order mark or without.

    Raises `error`, with what was found and where, for what is no JSON and for a name that is given twice in one
    object: of two values Python's own reader takes the last without a word.
    """

    def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) != len(members):
            names = [name for name, _ in members]
            twice = next(name for name in names if names.count(name) > 1)
            raise error(field, twice, "JSON that gives each name once")
        return found

    # It follows from the first bytes (RFC 4627, section 3), a byte-order mark among them.
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as wrong:
        raise error(field, content[wrong.start : wrong.end], f"JSON in UTF-8 ({wrong.reason})") from None
    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as wrong:
        found: str | bytes = _until(text, wrong.lineno)
        if not encoding.startswith("utf-8") and not (found and text.isascii()):
            # The first bytes of what is no text say any encoding; what they decode to nobody has written.
            found = content
        raise error(field, found, f"JSON (line {wrong.lineno}, column {wrong.colno}: {wrong.msg})") from None
    except RecursionError:
        raise error(field, text, "JSON that is not nested so deeply") from None
    except ValueError as wrong:
        # Integers of thousands of digits.
        raise error(field, text, f"JSON ({wrong})") from None


def _until(text: str, number: int) -> str:
    """The line of a number, from 1 on, or the last before it that is not empty: JSON that breaks off is missed at its
    end."""
    lines = (line.strip() for line in reversed(text.split("\n")[:number]))
    return next(filter(None, lines), "")
