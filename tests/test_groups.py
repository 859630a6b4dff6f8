"""Tests that kill processes or fill disks run on one worker, whatever pytest-xdist makes of marks; so does a file."""

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import ROUGH, SLOW, turn

TESTS = Path(__file__).parent


def test_rough_tests_share_a_worker_and_so_do_those_of_a_file(tmp_path: Path) -> None:
    for name in ("faults", "reality", "other", "another"):
        text = "import time\nimport pytest\n@pytest.mark.parametrize('n', range(6))\ndef test(n): time.sleep(0.1)\n"
        (tmp_path / f"test_{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "-p", "conftest", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = re.findall(r"\[(gw\d)\].* PASSED test_(\w+)\.py", done.stdout)
    assert len(workers) == 24
    assert len({worker for worker, name in workers if name in ("faults", "reality")}) == 1
    for file in ("other", "another"):
        assert len({worker for worker, name in workers if name == file}) == 1
    assert len({worker for worker, _ in workers}) == 2


def test_what_takes_long_begins_first() -> None:
    items = ["data/test_log.py::test_b", "surrogate/test_rungs.py::test_a", "cli/test_stopping.py::test_c"]
    assert sorted([*items, "data/test_log.py::test_a"], key=turn) == [*items[::-1], "data/test_log.py::test_a"]
    there = {path.stem for path in TESTS.rglob("test_*.py")}
    assert {*ROUGH, *SLOW} <= there
