"""The example of a training function of one's own goes the whole way, in a smaller form, to a wheel."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "own_training.py"

#: What makes it small: fewer trainings of smaller models.
SMALLER = {
    "train_size=400, ": "train_size=100, test_size=150, ",
    "full_budgets=64": "full_budgets=24",
    "seeds=3": "seeds=2",
    "full_budgets=16": "full_budgets=6",
}


def test_the_example_goes_from_a_function_to_a_wheel(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    text = EXAMPLE.read_text(encoding="utf-8")
    for usual, small in SMALLER.items():
        assert text.count(usual) == 1
        text = text.replace(usual, small)
    (tmp_path / "example.py").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "how the trainings ended" in done.stdout
    assert "final validation error" in done.stdout
    assert len(list((tmp_path / "runs" / "published").glob("*.whl"))) == 1
