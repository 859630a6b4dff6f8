"""One seed is one run on every machine: proposals by their hashes, whatever a processor does to the last bits.

What differs between processors is the last bit of the exponential, the logarithm and the normal distribution (NumPy's
have other code where there is AVX512, the C library's where there is FMA), how OpenBLAS sums, and how many threads
there are. A processor that differs cannot be had here, so that the functions themselves are disturbed too.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jointbench.data.ladder import Ladder
from jointbench.data.metrics import VALIDATION_ERROR, Metric
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Optimizer, make_optimizer
from jointbench.optimizers.contract import digest
from jointbench.optimizers.kde import GoodAndBad, KernelDensity
from jointbench.optimizers.kde_bounds import counted

#: Of the first proposals of seed 0. They change when an optimizer does, and on nothing else.
GOLDEN = {
    "asha": "ca79ebc8ab4b240f",
    "bohb": "b812c3b7f4049276",
    "hyperband": "155da3419e2707d9",
    "mo-bohb": "a300c3b0301eacd7",
    "nago-mobo": "91944d1b42a4b1f7",
    "random": "6947b59c77641af5",
    "regularized-evolution": "b8547edbdce4e153",
    "smac": "924e81d8d3536dde",
    "smac.ParEGO": "b7466bead2dc4c90",
    "two-stage": "3d0322709f92f1e9",
    "two-stage-long": "f4a2ee1150e01a28",
    "two-stage-random": "f21987f28a52b9d2",
}
#: Enough for each to use its model for a while.
TRIALS = dict.fromkeys(GOLDEN, 150) | {"smac": 40, "smac.ParEGO": 40, "two-stage": 300}
#: Those that are told two objectives, of which the second is modelled by its logarithm.
OF_TWO = ("mo-bohb", "nago-mobo", "smac.ParEGO")
#: Shorter chains, of as many steps as blow the last bit of a product up to a proposal.
OPTIONS = {"nago-mobo": ":first=8:burn_in=500:samples=20:candidates=100"}


def hashed(name: str, trials: int) -> str:
    ladder = Ladder(9.0, 27.0) if name.startswith("smac") else Ladder(1.0, 27.0)
    full_budgets = 2.0 if name == "smac" else 20.0
    objectives = (VALIDATION_ERROR, Metric("size", bounds=(0.0, math.inf))) if name in OF_TWO else (VALIDATION_ERROR,)

    def made(seed: int) -> Optimizer:
        named = name + OPTIONS.get(name, "")
        return make_optimizer(named, JOINT, ladder, seed=seed, full_budgets=full_budgets, objectives=objectives)

    return digest(made, trials=trials)


def hashes() -> dict[str, str]:
    return {name: hashed(name, TRIALS[name])[:16] for name in GOLDEN}


def disturbed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, wrong in the last bit for about two arguments of three, always the same ones."""

    def off(*arguments: Any, **keywords: Any) -> Any:
        result = np.asarray(function(*arguments, **keywords))
        if result.dtype not in (np.float64, np.float32):
            return result[()]
        bits = result.view(np.int64 if result.dtype == np.float64 else np.int32).astype(np.int64)
        by = (bits * 2654435761 >> 7) % 3 - 1
        ends = np.where(by > 0, np.inf, -np.inf).astype(result.dtype)
        result[...] = np.where(by == 0, result, np.nextafter(result, ends))
        return result[()]

    return off


def disturb(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, names in (("numpy", ("exp", "log")), ("jointbench.optimizers.kde", ("ndtr", "ndtri"))):
        for name in names:
            monkeypatch.setattr(f"{module}.{name}", disturbed(getattr(sys.modules[module], name)))


def test_proposals_are_the_known_ones() -> None:
    assert hashes() == GOLDEN


def test_proposals_do_not_hang_on_last_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = np.linspace(0.1, 3.0, 100)
    plain = np.exp(arguments)
    disturb(monkeypatch)
    off = np.exp(arguments) != plain
    assert 0.4 < off.mean() < 0.9
    assert hashes() == GOLDEN


def test_proposals_do_not_hang_on_what_the_processor_can_do() -> None:
    from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
        __cpu_dispatch__,
        __cpu_features__,
    )

    features = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    variables = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(features),
        "OPENBLAS_CORETYPE": "Prescott",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX2_Usable,-FMA_Usable,-FMA4_Usable",
        "OMP_NUM_THREADS": "3",
        "PYTHONHASHSEED": "7",
    }
    script = "import json; from test_processors import hashes; print(json.dumps(hashes()))"
    answer = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(["", *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(answer) == GOLDEN


@pytest.mark.parametrize("dimensions", [1, 7, 10, 17])
@pytest.mark.parametrize("kind", ["spread", "close", "constant"])
def test_the_bounds_of_a_density_hold(dimensions: int, kind: str) -> None:
    rng = np.random.default_rng(dimensions)
    points = rng.random((300, dimensions))
    if kind == "close":
        points = 0.4 + 1e-3 * points
    elif kind == "constant":
        points[:, ::2] = 0.25
    density = KernelDensity(points)
    at = np.concatenate([density.scatter(rng, 40), rng.random((40, dimensions))])
    bounds = density.bounds(at)
    low, high = bounds.between()
    exact = counted(density.log_density(at))
    assert ((low <= exact) & (exact <= high)).all()
    assert (bounds.floor() <= exact).all()
    some = np.array([3, 50])
    for bound, of_all in zip(bounds.between(some), (low, high), strict=True):
        # A product of fewer rows may round otherwise.
        np.testing.assert_allclose(bound, of_all[some], atol=1e-4)


@pytest.mark.parametrize("dimensions", [2, 7, 17])
def test_the_candidate_that_bounds_leave_is_the_best(dimensions: int) -> None:
    rng = np.random.default_rng(dimensions)
    points = rng.random((400, dimensions)).round(1)
    points[:, 0] = 0.5
    model = GoodAndBad(points, ((points - 0.3) ** 2).sum(axis=1).round(1))
    for _ in range(50):
        candidates = np.concatenate([model.good.scatter(rng, 40), rng.random((20, dimensions))])
        # Some twice: of equal ones it is the first.
        candidates = np.concatenate([candidates, candidates[::-1]])
        good, bad = (counted(one.log_density(candidates)) for one in (model.good, model.bad))
        assert model._best(candidates) == np.argmin(bad - good)
