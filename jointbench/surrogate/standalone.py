"""A wheel of one benchmark that needs NumPy alone, made of this package's own modules.

The modules are copied as they are; only the package's name in their imports is another. Which are copied follows from
the imports, so that a wheel cannot drift from what answers here.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from tempfile import TemporaryDirectory

from jointbench.data.errors import BenchmarkError, MissingExtraError
from jointbench.data.source_code import closure_of_imports

_OURS, _PACKAGE = "jointbench", Path(__file__).parent.parent

#: What a wheel's user calls; the rest follows from the imports.
_OFFERED = ("surrogate/wheel_entry.py", "surrogate/adapters.py")

_IMPORT = re.compile(rf"^(\s*(?:from|import) ){_OURS}(?=\.)", re.MULTILINE)

_INIT = '''"""{title}, a published benchmark of joint architecture and hyperparameter search.

>>> import {package}
>>> benchmark = {package}.load()
>>> configuration = benchmark.sample(1, seed=0)[0]
>>> answer = benchmark.query(configuration, benchmark.ladder.maximum, seed=3)

`python -m {package}` checks that it still answers as when it was published.
"""

from {package}.surrogate import adapters
from {package}.surrogate.answer import Answer, Answers
from {package}.surrogate.benchmark import Benchmark
from {package}.surrogate.metric_answer import MetricAnswer, MetricAnswers
from {package}.surrogate.wheel_entry import load

__all__ = ["Answer", "Answers", "Benchmark", "MetricAnswer", "MetricAnswers", "adapters", "load"]
__version__ = "{version}"
'''

_MAIN = '''"""Checks that all golden answers are given to the last bit."""

import sys

from {package}.surrogate.wheel_entry import check

check(sys.argv[1:])
'''

_PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{distribution}"
version = "{version}"
description = "{title}: a benchmark of joint architecture and hyperparameter search"
readme = "card.md"
license = "Apache-2.0"
requires-python = ">=3.11"
dependencies = ["numpy>=2.0"]

[project.optional-dependencies]
fast = ["llvmlite>=0.45"]
space = ["ConfigSpace>=1.2"]

[tool.hatch.build.targets.wheel]
packages = ["{package}"]
"""


def package_name(name: str) -> str:
    """The import name of a benchmark's wheel: digits-cpu's is jointbench_digits_cpu."""
    return f"{_OURS}_{name.replace('-', '_')}"


def sources(package: str) -> dict[str, str]:
    """All modules that answering takes, under the name of `package`; by path inside it."""
    ours = closure_of_imports(_PACKAGE, _OFFERED)
    return {path: _IMPORT.sub(rf"\g<1>{package}", source) for path, source in ours.items()}


def build_wheel(name: str, version: int, card: bytes, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """The wheel of a benchmark, as file name and content: the same bytes whenever its input is the same.

    `files` are those that the benchmark's folder inside the wheel will have. Raises MissingExtraError where hatchling
    is not installed, BenchmarkError when it fails.
    """
    if util.find_spec("hatchling") is None:
        raise MissingExtraError("building a wheel needs hatchling: pip install 'jointbench[publish]'")
    package = package_name(name)
    said = {
        "package": package,
        "title": f"{name}-v{version}",
        "version": version,
        "distribution": f"{_OURS}-{name}",
    }
    configurations = (_PACKAGE / "data" / "spaces" / "configurations").rglob("*.json")
    with TemporaryDirectory() as folder:
        contents: dict[str, bytes] = {
            "pyproject.toml": _PROJECT.format(**said).encode(),
            "card.md": card,
            f"{package}/__init__.py": _INIT.format(**said).encode(),
            f"{package}/__main__.py": _MAIN.format(**said).encode(),
            **{f"{package}/{path}": source.encode() for path, source in sources(package).items()},
            **{f"{package}/{path.relative_to(_PACKAGE).as_posix()}": path.read_bytes() for path in configurations},
            **{f"{package}/data/released/{name}/{file}": content for file, content in files.items()},
        }
        for file, content in contents.items():
            path = Path(folder) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "built"]
        done = subprocess.run(build, cwd=folder, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            *_, last = ["", *done.stderr.strip().splitlines()]
            raise BenchmarkError("wheel", name, f"files of which hatchling can build it ({last})")
        (wheel,) = (Path(folder) / "built").glob("*.whl")
        return wheel.name, wheel.read_bytes()
