"""Every optimizer of the registry keeps the contract, in every process, and stops where the run stops it."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import OPTIMIZERS, Optimizer, Trial, check_optimizer, make_optimizer
from jointbench.optimizers.contract import CHECKS, Check, Maker, outcome

LADDER = Ladder(1.0, 27.0)
FULL_BUDGETS = 10.0
#: What an optimizer needs that a person may not have, by the extra that brings it.
EXTRAS = {"tpe": "optuna", "cma-es": "optuna", "hpbandster-bohb": "reference"}
LIBRARIES = {"optuna": ("optuna", "cmaes"), "reference": ("hpbandster",)}
MISSING = [name for name, extra in EXTRAS.items() if not all(map(find_spec, LIBRARIES[extra]))]
SHIPPED = [name for name in sorted(OPTIMIZERS) if name not in MISSING]
#: Enough for each to use its model; some think longer. SMAC draws its first bracket before it has a model.
TRIALS = dict.fromkeys(SHIPPED, 120) | {"smac": 12, "smac-default": 6, "nago-mobo": 40} | dict.fromkeys(EXTRAS, 25)
#: Plain smac's search takes a second: its course without the model is enough for all but one test.
QUICK = TRIALS | {"smac-default": 3}
SHORT = Ladder(9.0, 27.0)


def maker(name: str) -> Maker:
    if name.startswith("smac"):
        return lambda seed: make_optimizer(name, JOINT, SHORT, seed=seed, full_budgets=2.0)
    return lambda seed: make_optimizer(name, JOINT, LADDER, seed=seed, full_budgets=FULL_BUDGETS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_optimizer_keeps_the_contract(name: str, check: Check) -> None:
    check(maker(name), trials=QUICK[name])


def test_one_seed_is_one_run_in_processes_that_hash_strings_differently() -> None:
    script = (
        "from test_optimizers import SHIPPED, TRIALS, maker\n"
        "from jointbench.optimizers.contract import digest\n"
        "print([digest(maker(name), trials=TRIALS[name]) for name in SHIPPED])"
    )
    # Side by side.
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(["", *sys.path])},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("1", "2")
    ]
    answers = [process.communicate()[0] for process in processes]
    assert all(process.returncode == 0 for process in processes)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", EXTRAS)
def test_without_its_extra_an_optimizer_says_what_to_install(name: str) -> None:
    code = """
import sys
from jointbench.data.errors import MissingExtraError
name, *modules = sys.argv[1:]
sys.modules.update(dict.fromkeys(modules))
from test_optimizers import maker
try:
    maker(name)(0)
except MissingExtraError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    words = [sys.executable, "-c", code, name, *LIBRARIES[EXTRAS[name]]]
    said = subprocess.check_output(words, env=environment, text=True)
    assert f"install jointbench[{EXTRAS[name]}]" in said


@pytest.mark.parametrize("workers", [1, 16, 200])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_run_spends_what_it_may_and_no_more(name: str, workers: int) -> None:
    optimizer = maker(name)(0)
    ladder = optimizer.ladder

    def evaluate(configuration: Configuration, budget: float, seed: int) -> Evaluation:
        return outcome(optimizer, Trial(configuration, budget), failed=seed % 7 == 0)

    finished = list(
        run(optimizer, SimulatedCluster(evaluate, workers), ladder, full_budgets=optimizer.full_budgets, seed=0)
    )
    spent = sum(end.started.trial.budget for end in finished)
    limit = optimizer.full_budgets * ladder.maximum
    assert limit - ladder.maximum < spent <= limit


OWN = """
from jointbench.optimizers import Optimizer, Trial

class Mine(Optimizer):
    def ask(self):
        return Trial(self.space.sample(self.rng)[0], self.ladder.minimum)

    def tell(self, trial, evaluation):
        pass

class NotOne:
    pass
"""


def test_an_optimizer_in_a_file_of_ones_own_keeps_the_contract(tmp_path: os.PathLike[str]) -> None:
    file = os.path.join(tmp_path, "mine.py")
    with open(file, "w", encoding="utf-8") as handle:
        handle.write(OWN)
    assert maker(f"{file}:Mine")(0).name == "Mine"
    for check in CHECKS:
        check(maker(f"{file}:Mine"), trials=20)


def test_names_that_lead_to_no_optimizer_are_told_apart(tmp_path: os.PathLike[str]) -> None:
    file = os.path.join(tmp_path, "mine.py")
    with open(file, "w", encoding="utf-8") as handle:
        handle.write(OWN)
    broken = os.path.join(tmp_path, "broken.py")
    with open(broken, "w", encoding="utf-8") as handle:
        handle.write("1 / 0")

    def check(name: str) -> None:
        check_optimizer(name, JOINT, LADDER, full_budgets=FULL_BUDGETS)

    with pytest.raises(UnknownNameError, match="'bohbb' given, expected one of asha, bohb"):
        check("bohbb")
    with pytest.raises(InputError, match="a file that exists"):
        check("absent.py:Mine")
    with pytest.raises(InputError, match=r"a class that .* defines"):
        check(f"{file}:Yours")
    with pytest.raises(InputError, match="a subclass of"):
        check(f"{file}:NotOne")
    with pytest.raises(InputError, match="ZeroDivisionError: division by zero"):
        check(f"{broken}:Mine")


def test_the_contract_catches_an_optimizer_that_breaks_it() -> None:
    class Careless(Optimizer):
        """Draws from the process's own entropy, at half the smallest budget, and outside the ranges."""

        def ask(self) -> Trial:
            configuration = {**JOINT.sample(self.rng)[0], "momentum": int.from_bytes(os.urandom(4)) / 1e9}
            return Trial(configuration, LADDER.minimum / 2)

        def tell(self, trial: Trial, evaluation: Evaluation) -> None:
            pass

    caught = set()
    for check in CHECKS:
        try:
            check(lambda seed: Careless(JOINT, LADDER, seed=seed, full_budgets=1), trials=10)
        except AssertionError:
            caught.add(check.__name__)
    assert {"check_legal", "check_deterministic", "check_replay"} <= caught
