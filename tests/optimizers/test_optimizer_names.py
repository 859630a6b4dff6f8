"""Optimizers by name: with options, and those of the libraries by their libraries' names."""

import re
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from comparing import small

from jointbench.bench.comparing.comparison_folder import labels, run_file, run_files
from jointbench.bench.comparing.summary import summary
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.rank_diagram import rank_diagram
from jointbench.bench.running.run_code import optimizer_code
from jointbench.data.errors import BudgetError, InputError, UnknownNameError
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import Optimizer, check_optimizer, make_optimizer
from jointbench.optimizers.contract import CHECKS, Check, drive, proposals
from jointbench.optimizers.options import split_name
from jointbench.optimizers.two_stage import TwoStage

LADDER = Ladder(1.0, 27.0)

OWN = """
from jointbench.optimizers import Optimizer, Trial

class Mine(Optimizer):
    name = "mine"

    def __init__(self, *always, rung: int, greedy: bool = False, how="fast", callback: dict | None = None, **keywords):
        super().__init__(*always, **keywords)
        self.rung, self.greedy, self.how = rung, greedy, how

    def ask(self):
        return Trial(self.space.sample(self.rng)[0], self.ladder.rungs[self.rung])

    def tell(self, trial, evaluation):
        pass
"""


def made(name: str) -> Any:
    return make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=8)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("bohb", ("bohb", [])),
        ("two-stage:share=0.3:finalists=2", ("two-stage", ["share=0.3", "finalists=2"])),
        ("a/b=c/mine.py:Mine", ("a/b=c/mine.py:Mine", [])),
        ("mine.py:Mine:rung=1", ("mine.py:Mine", ["rung=1"])),
        ("C:/mine.py:Mine:how=a=b", ("C:/mine.py:Mine", ["how=a=b"])),
        ("two-stage:share", ("two-stage:share", [])),
    ],
)
def test_options_are_what_follows_the_name_and_has_an_equals_sign(name: str, parts: tuple[str, list[str]]) -> None:
    assert split_name(name) == parts


def test_every_option_of_two_stage_has_its_effect() -> None:
    by_name = made("two-stage:first-budget=3:share=0.25:finalists=2:sampler=random")
    by_hand = TwoStage(
        JOINT, LADDER, seed=0, full_budgets=8, first_budget=3.0, share=0.25, finalists=2, sampler="random"
    )
    course = proposals(drive(by_name, 22))
    assert course == proposals(drive(by_hand, 22))
    assert Counter(budget for budget, _ in course) == {3.0: 18, 27.0: 4}
    assert by_name.name == "two-stage:first-budget=3:share=0.25:finalists=2:sampler=random"


@pytest.mark.parametrize("name", ["two-stage-long:finalists=3:share=0.2", "two-stage-random:share=0.3:first_budget=9"])
def test_the_variants_take_the_options_that_they_do_not_fix(name: str) -> None:
    assert made(name)._finalists == (3 if "finalists" in name else 1)
    with pytest.raises(UnknownNameError, match=r"option of two-stage-"):
        made(name + (":first_budget=3" if "long" in name else ":sampler=model"))


@pytest.mark.skipif(not find_spec("optuna"), reason="optuna is not installed")
def test_a_samplers_keywords_are_its_options() -> None:
    assert made("optuna.NSGAIISampler:population_size=7")._study.sampler._population_size == 7
    # What `tpe` sets of its own stays.
    tpe = made("tpe:n_startup_trials=3")._study.sampler
    assert (tpe._n_startup_trials, tpe._multivariate) == (3, True)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("two-stage:shar=0.3", UnknownNameError, "'shar' given, expected one of finalists, first_budget"),
        ("two-stage:share=half", InputError, "share of two-stage: 'half' given, expected a finite number"),
        ("two-stage:share=nan", InputError, "expected a finite number"),
        ("two-stage:share=2", InputError, "share: 2.0 given"),
        ("two-stage:share=0.3:share=0.3", InputError, "expected share once"),
        ("two-stage:first_budget=2", BudgetError, "expected one of 1, 3, 9, 27"),
        ("two-stage:hyperparameters=none", UnknownNameError, "option of two-stage"),
        ("two-stage:sampler=grid", UnknownNameError, "one of model, random"),
        ("random:share=0.3", InputError, "no options, since random has none"),
        ("bohb:seed=3", InputError, "no options, since bohb has none"),
        ("optuna.NoSampler", UnknownNameError, "one of optuna.CmaEsSampler"),
        ("optuna.BruteForceSampler", UnknownNameError, "one of optuna.CmaEsSampler"),
        ("optuna.NSGAIISampler:population_size=1", InputError, "settings that Optuna takes"),
        ("optuna.NSGAIISampler:seed=1", UnknownNameError, "option of optuna.NSGAIISampler"),
        ("smac.NoFacade", UnknownNameError, "one of smac.AlgorithmConfigurationFacade"),
        ("numpy.random", UnknownNameError, "optuna.SAMPLER, smac.FACADE, or FILE.py:CLASS"),
    ],
)
def test_a_wrong_name_is_one_clear_sentence(name: str, error: type[InputError], words: str) -> None:
    if name.startswith("optuna") and not find_spec("optuna"):
        pytest.skip("optuna is not installed")
    with pytest.raises(error, match=words) as caught:
        check_optimizer(name, JOINT, LADDER, full_budgets=8)
    assert "\n" not in str(caught.value)


def test_a_class_in_a_file_takes_its_own_options(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OWN, encoding="utf-8")
    one = made(f"{file}:Mine:rung=2:greedy=true:how=3")
    assert (one.name, one.rung, one.greedy, one.how) == ("mine:rung=2:greedy=true:how=3", 2, True, 3)
    for name, words in (
        (f"{file}:Mine", "rung has no default"),
        (f"{file}:Mine:rung=1:greedy=maybe", "true or false"),
        (f"{file}:Mine:rung=1:callback=none", "one of greedy, how, rung"),
    ):
        with pytest.raises(InputError, match=words):
            check_optimizer(name, JOINT, LADDER, full_budgets=8)
    code = optimizer_code(f"{file}:Mine:rung=2")
    assert code == optimizer_code(f"{file}:Mine:rung=1") != ""
    file.write_text("# A comment.\n" + OWN, encoding="utf-8")
    assert optimizer_code(f"{file}:Mine:rung=2") == code
    file.write_text(OWN + "LAST = 1\n", encoding="utf-8")
    assert optimizer_code(f"{file}:Mine:rung=2") != code


def test_names_with_options_have_files_labels_and_lines_of_their_own(tmp_path: Path) -> None:
    names = (
        "two-stage:share=0.3",
        "two-stage:share=0.25",
        "optuna.QMCSampler",
        "mine/opt.py:Mine:step=1/2",
        "two-stage",
    )
    folder = tmp_path / "runs"
    folder.mkdir()
    for name in names:
        run_file(tmp_path, name, 3).touch()
    assert {(name, seed) for name, seed, _ in run_files(tmp_path)} == {(name, 3) for name in names}
    assert labels(names)["mine/opt.py:Mine:step=1/2"] == "opt.py:Mine:step=1/2"
    look = styles(names)
    assert len(set(look.values())) == len(names)
    assert {look[name].colour for name in names if name.startswith("two-stage")} == {look["two-stage"].colour}
    # The same on every page.
    assert styles(names[:1]) == {names[0]: look[names[0]]} or styles(names[1:2]) == {names[1]: look[names[1]]}
    assert optimizer_code("optuna.QMCSampler") == optimizer_code("two-stage:share=0.3") == ""


def test_the_rank_diagram_has_room_for_long_names() -> None:
    names = ["optuna.NSGAIISampler:population_size=20:mutation_prob=0.1", "random"]
    diagram = rank_diagram({name: 1.0 + place for place, name in enumerate(names)}, [], styles(names), "ranks")
    width = int(re.search(r'width="(\d+)"', diagram)[1])  # type: ignore[index]
    left, right = (
        float(place) for place in re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="(?:end|start)', diagram)
    )
    # 14 pixels high letters are 8 wide at most on average.
    assert left > 8 * len(names[0])
    assert width - right > 8 * len(names[1])


def test_a_comparison_of_variants_keeps_them_apart(tmp_path: Path) -> None:
    names = ("two-stage:share=0.25", "two-stage:share=0.75")
    small(tmp_path / "out", names, seeds=1)
    evaluations = {row.optimizer: row.evaluations for row in summary(tmp_path / "out")}
    # 2 of 8 full budgets at a 27th each, and 6 whole; or the other way round.
    assert evaluations == {names[0]: 2 * 27 + 6, names[1]: 6 * 27 + 2}


def test_nothing_is_written_for_a_name_that_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        small(tmp_path / "out", ("two-stage:share=3",), seeds=1)
    assert not (tmp_path / "out").exists()


#: smac's facades take seconds for a trial once they model, the two others soonest: tests/test_smac.py holds all of
#: them against plain smac.
BY_NAME = {
    **dict.fromkeys(("CmaEsSampler", "NSGAIIISampler", "NSGAIISampler", "QMCSampler", "RandomSampler"), 25),
    "TPESampler": 15,
    "HyperbandFacade": 12,
    "RandomFacade": 12,
    "HyperparameterOptimizationFacade": 2,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_library_names_keeps_the_contract(name: str, check: Check) -> None:
    library = "optuna" if name.endswith("Sampler") else "smac"
    if library == "optuna" and not all(map(find_spec, ("optuna", "cmaes"))):
        pytest.skip("optuna or cmaes is not installed")

    def make(seed: int) -> Optimizer:
        return make_optimizer(f"{library}.{name}", JOINT, Ladder(9.0, 27.0), seed=seed, full_budgets=8)

    check(make, trials=BY_NAME[name])


DISTRIBUTION = """\
Metadata-Version: 2.1
Name: their-package
Version: {version}
"""


def test_a_package_brings_its_own_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_module.py").write_text(OWN.replace("rung: int", "rung: int = 0"), encoding="utf-8")
    information = tmp_path / "their_package-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(DISTRIBUTION.format(version="1.0"), encoding="utf-8")
    (information / "entry_points.txt").write_text(
        "[jointbench.optimizers]\n"
        "theirs = their_module:Mine\nbroken = their_module:Absent\nnone = their_module:Trial\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "their_module", raising=False)
    for check in CHECKS:
        check(lambda seed: make_optimizer("theirs", JOINT, LADDER, seed=seed, full_budgets=8), trials=20)
    assert {budget for budget, _ in proposals(drive(made("theirs:rung=3"), 5))} == {27.0}
    assert optimizer_code("theirs:rung=3") == "their-package 1.0"
    with pytest.raises(InputError, match="an entry point that can be loaded"):
        made("broken")
    with pytest.raises(InputError, match="a subclass of"):
        made("none")
    with pytest.raises(UnknownNameError, match="theirs"):
        made("their")
