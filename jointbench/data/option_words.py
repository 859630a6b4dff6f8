"""An option of a call in a sentence, as whoever called it writes it: `--skip-bad-rows 2`, or `skip_bad_rows=2`."""

from collections.abc import Iterator
from contextlib import contextmanager

_on_command_line = False


@contextmanager
def on_command_line() -> Iterator[None]:
    """Sentences that are made inside are for a person at a terminal; all others for one who writes Python."""
    global _on_command_line
    before, _on_command_line = _on_command_line, True
    try:
        yield
    finally:
        _on_command_line = before


def option(name: str, value: str | int | bool | None = None) -> str:
    """The option of a parameter's `name`, with a `value` if there is one.

    >>> option("skip_bad_rows", 2), option("lock", False), option("out")
    ('skip_bad_rows=2', 'lock=False', 'out')
    >>> with on_command_line():
    ...     option("skip_bad_rows", 2), option("lock", False), option("force", True), option("out")
    ('--skip-bad-rows 2', '--no-lock', '--force', '--out')
    """
    if not _on_command_line:
        return name if value is None else f"{name}={value!r}"
    words = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{words}" if value else f"--no-{words}"
    return f"--{words}" if value is None else f"--{words} {value}"
