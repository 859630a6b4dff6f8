"""Benchmarks on disk: a folder with a manifest and the models, and nothing in it that is ever executed."""

import hashlib
import re
import stat
from pathlib import Path
from typing import Any

from jointbench.data.default_benchmark import DEFAULT_BENCHMARK
from jointbench.data.errors import BenchmarkError, UnknownNameError
from jointbench.data.json_text import read_json
from jointbench.surrogate.benchmark import Benchmark

MANIFEST = "benchmark.json"
MODELS = "models.ubj"

#: Larger files were not written by `jointbench fit`, bytes; those not named here may have `_LARGEST`.
LARGEST: dict[str, int] = {MANIFEST: 2**20, MODELS: 64 * 2**20}
_LARGEST = 2**30


def released() -> dict[str, Path]:
    """The benchmarks that ship, by name."""
    folder = Path(__file__).parent.parent / "data" / "released"
    return {path.parent.name: path.parent for path in sorted(folder.glob(f"*/{MANIFEST}"))}


def ships(given: str) -> bool:
    """Whether a benchmark that ships is called so, with or without a version."""
    return _unversioned(given) in released()


def _unversioned(given: str) -> str:
    return re.sub(r"-v\d+$", "", given)


def load_benchmark(name_or_folder: str | Path = DEFAULT_BENCHMARK) -> Benchmark:
    """A benchmark that ships, by name with or without its version, or one that `jointbench fit` wrote, by folder.

    Raises UnknownNameError when it is neither, BenchmarkError when it is damaged or of another version.
    """
    given, shipped = str(name_or_folder), released()
    name = _unversioned(given)
    folder = shipped.get(name, Path(name_or_folder))
    if not folder.is_dir():
        raise UnknownNameError.of("benchmark", given, shipped, hint=", or a folder")
    benchmark = read_benchmark(folder)
    if name in shipped and given not in (name, benchmark.name):
        raise BenchmarkError("benchmark", given, f"{benchmark.name}, the version that ships")
    return benchmark


def read_benchmark(folder: Path) -> Benchmark:
    """The benchmark in a folder. Raises BenchmarkError when it is damaged."""
    manifest, models = read_manifest(folder), read_file(folder, MODELS)
    if not isinstance(checksum := manifest.get("models"), str):
        raise BenchmarkError(
            "benchmark file",
            str(folder / MANIFEST),
            f'what `jointbench fit` wrote, whose entry "models" is the checksum of {MODELS}',
        )
    if hashlib.sha256(models).hexdigest() != checksum:
        raise BenchmarkError("benchmark file", str(folder / MODELS), "content that fits its checksum")
    return Benchmark(manifest, models, str(folder))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in a folder as it stands there, unchecked."""
    manifest = read_json(read_file(folder, MANIFEST), f"benchmark file {folder / MANIFEST}", BenchmarkError)
    if not isinstance(manifest, dict):
        raise BenchmarkError("benchmark file", str(folder / MANIFEST), "a JSON object")
    return manifest


def read_file(folder: Path, name: str) -> bytes:
    """A file's content. Raises BenchmarkError when it is missing, no plain file, or larger than makes sense."""
    path, largest = folder / name, LARGEST.get(name, _LARGEST)
    try:
        # A link could lead out of the folder, a pipe could make us wait for ever.
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise BenchmarkError("benchmark file", str(path), "a plain file")
        if status.st_size > largest:
            raise BenchmarkError("benchmark file", str(path), f"at most {largest} bytes")
        return path.read_bytes()
    except OSError as error:
        raise BenchmarkError("benchmark file", str(path), f"a file that can be read ({error.strerror})") from None
