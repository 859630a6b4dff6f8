"""The house from outside: the owner's links, and what is in the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jointbench"


@pytest.mark.parametrize("folder", ["bench", "data", "optimizers", "surrogate"])
def test_the_owners_links_lead_to_the_package(folder: str) -> None:
    link = ROOT / folder
    assert link.is_symlink()
    assert link.readlink() == Path("jointbench") / folder
    assert link.resolve() == PACKAGE.resolve() / folder


def test_the_wheel_holds_the_package_whole_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert names == {path.relative_to(ROOT).as_posix() for path in files}
    assert {name.split("/")[0] for name in names} == {"jointbench"}
    # The released log and model are small enough to ship.
    assert wheel.stat().st_size < 10 * 2**20
