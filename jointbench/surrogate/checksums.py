"""The checksums of a published folder: one line a file, as `sha256sum` writes and checks them."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from jointbench.data.errors import BenchmarkError
from jointbench.data.visible import visible
from jointbench.surrogate.stored import read_file

CHECKSUMS = "SHA256SUMS"

#: A sum, and the name of a file in the folder itself.
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\0]+)")


def checksums(files: Mapping[str, bytes]) -> bytes:
    """The content of `CHECKSUMS` for files by name."""
    lines = (f"{_checksum(content)}  {name}\n" for name, content in sorted(files.items()))
    return "".join(lines).encode()


def listed_checksums(folder: Path) -> dict[str, str]:
    """The checksums in a folder's `CHECKSUMS`, by the names of files. Raises BenchmarkError where it cannot be read, or
    a line of it says something else."""
    found: dict[str, str] = {}
    for number, line in enumerate(read_file(folder, CHECKSUMS).decode(errors="replace").splitlines(), start=1):
        if (parts := _LINE.fullmatch(line)) is None or parts[2] in found:
            expected = "a SHA-256 checksum, two spaces and the name of a file, each name once"
            raise BenchmarkError(f"line {number} of {folder / CHECKSUMS}", line, expected)
        found[parts[2]] = parts[1]
    return found


def differing_files(folder: Path, listed: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each file that differs from its checksum, is missing, or is not listed."""
    there = {path.name for path in visible(folder)} - {CHECKSUMS}
    for name, expected in listed.items():
        if name not in there:
            yield f"{name} is missing, which {CHECKSUMS} lists"
            continue
        try:
            differs = _checksum(read_file(folder, name)) != expected
        except BenchmarkError as error:
            yield str(error)
        else:
            if differs:
                yield f"{name} is not what was published: its content differs from its checksum in {CHECKSUMS}"
    for name in sorted(there - listed.keys()):
        yield f"{name} is not listed in {CHECKSUMS}: it was not published with the others"


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
