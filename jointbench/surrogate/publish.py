"""Publishing: a fitted benchmark's folder as a data repository takes it, and a wheel that answers on its own."""

import json
from pathlib import Path

from jointbench.data.errors import BenchmarkError
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.card import CARD
from jointbench.surrogate.checksums import CHECKSUMS, checksums
from jointbench.surrogate.croissant import CROISSANT, EVALUATIONS, SPACE, croissant
from jointbench.surrogate.golden import GOLDEN, check_golden
from jointbench.surrogate.judging.verdict import check_usable
from jointbench.surrogate.standalone import build_wheel
from jointbench.surrogate.stored import MANIFEST, MODELS, read_file
from jointbench.surrogate.whole_folder import write_folder

#: Of plots, where there is one.
PAGE = "report.html"

#: What a wheel may take at most, bytes.
LARGEST_WHEEL = 5 * 10**6


def publish(benchmark: Benchmark, out: Path, day: str, *, force: bool = False, anyway: bool = False) -> Path:
    """Write the folder `out`, whole or not at all, and return the path of the wheel in it.

    The benchmark must come from a folder with its card, evaluations and golden answers, as `jointbench fit` writes
    it; `day` is the day of publication, as in 2026-12-24; `anyway`: also what is not usable, as its card says. Raises
    BenchmarkError when it is not usable, a file is missing, a golden answer has changed or the wheel would be too
    large, WouldOverwriteError when `out` may not be written, MissingExtraError where hatchling is not installed.
    """
    check_usable(benchmark.name, benchmark.verdict, anyway=anyway)
    folder = Path(benchmark.source)
    page = (PAGE,) if (folder / PAGE).exists() else ()
    files = {name: read_file(folder, name) for name in (CARD, EVALUATIONS, MANIFEST, MODELS, GOLDEN, *page)}
    check_golden(benchmark, files[GOLDEN].decode(errors="replace"))
    files[SPACE] = (json.dumps(benchmark.configspace.to_serialized_dict(), indent=1) + "\n").encode()
    EvaluationLog.open(folder / EVALUATIONS).table()
    files[CROISSANT] = croissant(benchmark, dict(sorted(files.items())), day).encode()
    inside = {name: files[name] for name in (MANIFEST, MODELS, GOLDEN)}
    wheel, content = build_wheel(benchmark.manifest.name, benchmark.manifest.version, files[CARD], inside)
    if len(content) > LARGEST_WHEEL:
        raise BenchmarkError("size of the wheel", len(content), f"at most {LARGEST_WHEEL} bytes")
    files[wheel] = content
    write_folder(out, {**files, CHECKSUMS: checksums(files)}, force=force)
    return out / wheel
