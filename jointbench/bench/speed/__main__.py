"""`python -m jointbench.bench.speed` lists the programs."""

import ast
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    if doc.startswith("Speed of "):
        print(f"python -m jointbench.bench.speed.{path.stem:<12} {doc.splitlines()[0]}")  # noqa: T201
