"""`jointbench query`: what Python answers, as JSON that says what was asked; and one sentence to what cannot be."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from jointbench.cli import main
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.stored import load_benchmark

CONFIGURATION = JOINT.named["zela-2018"]


@pytest.mark.parametrize(("words", "budget", "seed"), [("", 27.0, None), ("--budget 5 --seed 3", 5.0, 3)])
def test_the_answer_is_pythons_with_the_benchmarks_version_the_budget_and_the_seed(
    words: str, budget: float, seed: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "configuration.json"
    file.write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    answer = asdict(load_benchmark("digits-cpu").query(CONFIGURATION, budget, seed))
    for given in ("zela-2018", str(file)):
        main(["query", "digits-cpu", given, *words.split()])
        said = json.loads(capsys.readouterr().out)
        assert said == {"benchmark": "digits-cpu-v2", "budget": budget, "seed": seed, **answer}


@pytest.mark.parametrize(
    ("configuration", "words", "sentence"),
    [
        ("", "", "JSON"),
        ("[" * 10**5, "", "JSON"),
        ("\udcff", "", "JSON"),
        ("[1]", "", "a JSON object"),
        ("{}", "", "learning_rate: None given, expected a number in [0.001, 1]"),
        (json.dumps({**CONFIGURATION, "layers": 3}), "", "layers: 3 given, expected only hyperparameters of 'joint'"),
        (json.dumps({**CONFIGURATION, "filters": 10**4000}), "", "filters: 1000"),
        (json.dumps({**CONFIGURATION, "filters": "9" * 10**6}), "", "filters: '999"),
        (json.dumps({**CONFIGURATION, "momentum": float("nan")}), "", "momentum: nan given"),
        (json.dumps(CONFIGURATION), "--budget 28", "budget: 28.0 given, expected 1 to 27 seconds"),
        (json.dumps(CONFIGURATION), "--budget -1", "budget: '-1' given"),
        (json.dumps(CONFIGURATION), "--seed 18446744073709551616", "an integer of 64 bits"),
    ],
    ids=lambda value: value[:30].replace("\udcff", "no UTF-8"),
)
def test_what_cannot_be_answered_is_refused_by_one_sentence(
    configuration: str, words: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "configuration.json"
    file.write_text(configuration, errors="surrogateescape", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["query", "digits-cpu", str(file), *words.split()])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert len(said.err) < 700
    assert sentence in said.err
