"""What is printed arrives on any terminal, if need be in ASCII."""

import codecs
import io
import os
import sys
import unicodedata
from contextlib import suppress

_IN_ASCII = "jointbench.in_ascii"


def print_anywhere() -> None:
    """Let standard output and error write what their encoding lacks in ASCII, instead of raising UnicodeEncodeError."""
    codecs.register_error(_IN_ASCII, _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_IN_ASCII)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # Three dots for an ellipsis, the letter without its accent; a question mark where there is nothing like it.
    letters = (unicodedata.normalize("NFKD", letter) for letter in error.object[error.start : error.end])
    return "".join(letter.encode("ascii", "ignore").decode() or "?" for letter in letters), error.end


def hear_nothing_more() -> None:
    """Throw away what standard output still holds: whoever reads it has gone, or its disk is full."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
