"""The examples of libraries on a published wheel, each in an environment of its own: that of the one whose versions
clash with ours always, all of them by `make houses`."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from jointbench.cli import main

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
#: What the examples were written for; `docs/published.md` says the same.
HOUSES = {
    "ax_bayesian": "ax-platform==1.3.1",
    "carps_task": "carps==1.1.0",
    "dehb_multi_fidelity": "dehb==0.1.1",
    "neps_hyperband": "neural-pipeline-search==0.17.0",
    "nevergrad_ngopt": "nevergrad==1.0.12",
    "optunahub_constrained": "optunahub==0.5.0",
    "pymoo_two_objectives": "pymoo==0.6.2",
    "ray_tune_asha": "ray[tune]==2.60.0",
}

#: Those that want other versions than ours, so that their examples run here alone.
CLASHING = ("neps_hyperband",)

asked = pytest.mark.skipif(not os.environ.get("JOINTBENCH_HOUSES"), reason="JOINTBENCH_HOUSES is not set")


def test_the_docs_say_which_versions_these_are() -> None:
    said = (EXAMPLES.parent / "published.md").read_text(encoding="utf-8")
    for example, requirement in HOUSES.items():
        assert f"examples/{example}.py" in said
        assert f"| {requirement.rpartition('==')[2]} |" in said


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "digits-cpu"
    main(["publish", "digits-cpu", "--out", str(out)])
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.parametrize("example", [pytest.param(name, marks=() if name in CLASHING else asked) for name in HOUSES])
def test_an_example_runs_where_its_library_is_installed(example: str, wheel: Path, tmp_path: Path) -> None:
    """Behind what is installed there stands what is here, so that torch and others are not installed again."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "house"], check=True)
    python = tmp_path / "house" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    behind = tmp_path / "house" / "lib" / version / "site-packages" / "behind.pth"
    behind.write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for what in (str(wheel), HOUSES[example]):
        done = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", what], capture_output=True, text=True, env=environment
        )
        if "No matching distribution found" in done.stderr:
            pytest.skip(f"pip finds no {HOUSES[example]}: there is no package index")
        assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [python, EXAMPLES / f"{example}.py"], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = [float(number) for number in re.findall(r"([\d.]+)%", done.stdout)]
    # A few random configurations are below 30, and guessing is wrong in 90 of 100 cases.
    assert 0 < min(found) < 30
