"""The notebook in docs/examples goes the whole way from Python, from nothing to a wheel."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "whole_path.py"


def test_the_whole_path_is_gone_from_python(tmp_path: Path) -> None:
    for library in ("torch", "torchvision", "hatchling"):
        pytest.importorskip(library)
    text = EXAMPLE.read_text(encoding="utf-8")
    calls = [
        "describe",
        "plan",
        "collect",
        "doctor",
        "fit",
        "compare",
        "retrain",
        "report",
        "train",
        "merge",
        "publish",
    ]
    assert [call for call in calls if f"jointbench.{call}(" not in text] == []
    done = subprocess.run([sys.executable, EXAMPLE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "runs" / "published").glob("*.whl"))) == 1
    assert "healthy" in done.stdout
    assert (tmp_path / "runs" / "compare" / "report.html").exists()
    assert list((tmp_path / "runs" / "merged").glob("*.parquet"))
