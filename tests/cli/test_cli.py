"""The command line, as a person runs it: what it prints, and one clear sentence for what it cannot use."""

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest

import jointbench
from jointbench.cli import main
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT, JOINT_SMALL
from jointbench.data.spaces.registry import SPACES, get_space
from jointbench.surrogate.golden import check_golden, read_golden
from jointbench.surrogate.stored import load_benchmark, released

COMMANDS = (
    *("list", "describe", "plan", "doctor", "merge", "train", "collect"),
    *("fit", "query", "check", "compare", "retrain", "report", "export", "publish"),
)
TRAIN = "train zela-2018 --images digits --budget 0.3 --device cpu --log {tmp}/log"
COLLECT = "collect {tmp}/log --images digits --ladder 1,3 --full-budgets 1 --device cpu"


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Standard error of a command that must end with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    shown = capsys.readouterr()
    lines = shown.err.strip().splitlines()
    assert len(lines) == 1, shown.err
    return lines[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"example:\n  jointbench {command}" in capsys.readouterr().out


def test_describe_gives_the_papers_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    main(["describe", "zela-2018"])
    out = capsys.readouterr().out
    assert "27,590,854 (27.59M)" in out
    assert "100, 139, 465" in out
    main(["describe"])
    out = capsys.readouterr().out
    assert all(name in out for name in (*JOINT.names, *SPACES, *JOINT.named))
    main(["describe", "wideresnet-28-10"])
    assert "36,479,194 (36.48M)" in capsys.readouterr().out


def test_describe_draws_a_network_of_a_generator(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "net.svg"
    main(["describe", "hnag:cifar10-bohb", "--seed", "3", "--out", str(picture)])
    told = capsys.readouterr().out
    assert "3,916,365" in told
    assert "inert: 5 acts as 4" in told
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    shapes = [one.tag.rpartition("}")[2] for one in root.iter()]
    # 8 cells, 8 mid nodes and 40 operations, the stem, and the legend's three stages.
    assert shapes.count("circle") == 8 + 8 + 40 + 1 + 3
    before = picture.read_bytes()
    main(["describe", "hnag:cifar10-bohb", "--seed", "4", "--out", str(picture)])
    assert picture.read_bytes() != before
    wide = jointbench.describe({**get_space("hnag-aug1").usual}, space="hnag-aug1", seed=2)
    wide.draw(picture)
    assert "<rect x=" in picture.read_text(encoding="utf-8")
    for wrong in (["zela-2018", "--out", str(picture)], ["hnag:cifar10-bohb", "--out", str(tmp_path / "net.png")]):
        with pytest.raises(SystemExit, match="2"):
            main(["describe", *wrong])
    assert not (tmp_path / "net.png").exists()


def test_describe_says_what_a_benchmark_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    main(["describe", "digits-cpu"])
    out = capsys.readouterr().out
    assert all(words in out for words in ("joint, 17 hyperparameters", "1, 3, 9, 27 seconds", "1,006 evaluations"))
    assert "usable with care" in out or "usable." in out
    carried = load_benchmark("digits-cpu").query(JOINT.named["zela-2018"], 9).metrics
    frame = jointbench.describe("digits-cpu").to_pandas()
    assert frame["name"].tolist()[0] == "validation_error"
    assert set(frame["name"]) <= carried.keys()
    assert frame.set_index("name")["exact"]["parameters"]


def test_describe_aligns_long_names_and_leaves_no_section_empty(capsys: pytest.CaptureFixture[str]) -> None:
    main(["describe"])
    out = capsys.readouterr().out
    for section in out.split("space '")[1:]:
        rows = [found for line in section.splitlines() if (found := re.search(r"(?<=^  )\w+ +(?=an? \w+ in )", line))]
        assert len({row.end() for row in rows}) <= 1, section
        if "but for" in section:
            assert rows, section
    assert "space 'wideresnet-28-10': hyperparameters and ranges as 'preact-resnet-18' has them" in out


def small_network(path: Path) -> Path:
    """A file with a network of the joint space that takes a hundred steps a second."""
    small = {name: JOINT.by_name[name].low for name in JOINT.architecture}
    path.write_text(json.dumps({**JOINT.named["zela-2018"], **small}), encoding="utf-8")
    return path


@pytest.mark.parametrize("command", ["list", "describe", "plan", "query"])
def test_an_example_that_takes_nothing_of_a_persons_own_runs(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    [example] = re.findall(r"example:\n  jointbench (.*)", capsys.readouterr().out)
    main(example.split())
    assert capsys.readouterr().out


def test_where_no_configuration_has_a_name_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["query", "fashion-small", "zela-2018"])
    assert ended.value.code == 2
    said = (
        "jointbench: configuration: 'zela-2018' given, expected a JSON file, since the space joint-small has no named"
    )
    assert capsys.readouterr().err == f"{said} configurations\n"


def test_train_shows_and_logs_one_evaluation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, log = small_network(tmp_path / "mine.json"), tmp_path / "log"
    command = f"train {network} --images digits --device cpu --ladder 0.3,0.9 --log {log}"
    main(f"{command} --budget 0.3".split())
    shown = capsys.readouterr().out
    (first,) = EvaluationLog.open(log).evaluations()
    assert f"{first.validation_error:.2%}" in shown
    assert f"{first.parameters:,}" in shown
    main(f"{command} --budget 0.9s --seed 5 --json".split())
    printed = json.loads(capsys.readouterr().out)
    second = next(e for e in EvaluationLog.open(log).evaluations() if e.key != first.key)
    assert (second.budget, second.seed) == (0.9, 5)
    assert (printed["key"], printed["test_error"]) == (second.key, second.test_error)


def test_of_joined_images_it_is_said_what_their_errors_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "note: of joined:digits the validation error is the test error, too: nothing may be chosen by it"
    network, on = small_network(tmp_path / "mine.json"), "--images joined:digits --device cpu"
    main(f"train {network} {on} --budget 1epochs --log {tmp_path}/one".split())
    assert said in capsys.readouterr().out
    main(f"collect {tmp_path}/several {on} --space joint-small --ladder 1,3epochs --full-budgets 1".split())
    assert said in capsys.readouterr().out
    main(f"report {tmp_path}/several".split())
    assert said.removeprefix("note: of") in (tmp_path / "several" / "report.html").read_text(encoding="utf-8")
    main(f"train {network} --images digits --device cpu --budget 1epochs --log {tmp_path}/other".split())
    assert "note" not in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"]])
def test_a_training_that_does_not_end_ok_is_an_exit_code_of_1_and_is_logged(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, log = small_network(tmp_path / "mine.json"), tmp_path / "log"
    # By arithmetic, on any machine: not ten of its steps fit into the smallest budget.
    of = "--images digits --device cpu --clock reference:epyc-thread-v1 --budget 0.01"
    with pytest.raises(SystemExit) as ended:
        main([*f"train {network} {of} --log {log}".split(), *options])
    assert ended.value.code == 1
    (evaluation,) = EvaluationLog.open(log).evaluations()
    assert evaluation.status == "too_slow"
    said = f"jointbench: the training did not end ok (too_slow: {evaluation.reason})"
    assert capsys.readouterr().err.splitlines()[-1] == said


def test_train_takes_a_reference_network_and_epochs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["train", "preact-resnet-18", "--images", "digits", "--device", "cpu", "--budget", "0.05epochs"])
    assert "11,171,018 (11.17M)" in capsys.readouterr().out
    log = EvaluationLog.open("runs/train-preact-resnet-18-digits-0.05-epochs")
    (evaluation,) = log.evaluations()
    # One batch of 128 is more than the budget.
    assert (evaluation.status, evaluation.epochs) == ("ok", 128 / log.images.training)
    # As the paper's 10,800 s are the largest of four.
    assert (len(log.ladder.rungs), log.ladder.maximum, log.ladder.unit) == (4, 0.05, "epochs")


def test_train_takes_a_configuration_of_another_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = dict(JOINT_SMALL.sample(np.random.default_rng(0), 1)[0], filters=4)
    Path("small.json").write_text(json.dumps(small), encoding="utf-8")
    of = ["--images", "digits", "--device", "cpu", "--budget", "0.05epochs"]
    main(["train", "small.json", "--space", "joint-small", *of])
    (evaluation,) = EvaluationLog.open("runs/train-joint-small-digits-0.05-epochs").evaluations()
    assert (evaluation.space, evaluation.configuration["filters"]) == ("joint-small", 4)


def test_train_takes_the_seed_of_a_generator_s_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    generator = SPACES["hnag-small"].usual
    Path("generator.json").write_text(json.dumps(generator), encoding="utf-8")
    of = ["--images", "digits", "--device", "cpu", "--budget", "0.05epochs", "--architecture-seed", "3"]
    main(["train", "generator.json", "--space", "hnag-small", *of])
    (evaluation,) = EvaluationLog.open("runs/train-hnag-small-digits-0.05-epochs").evaluations()
    assert (evaluation.status, evaluation.architecture_seed) == ("ok", 3)


def test_query_prints_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(dict(JOINT.named["zela-2018"])), encoding="utf-8")
    main(["query", "digits-cpu", str(path), "--budget", "9", "--seed", "3"])
    first = json.loads(capsys.readouterr().out)
    main(["query", "digits-cpu", "zela-2018", "--budget", "9", "--seed", "3"])
    assert json.loads(capsys.readouterr().out) == first
    assert 0 <= first["validation_error"] <= 1
    assert first["status"] == "ok"


def test_fit_writes_a_benchmark_that_can_be_queried(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = released()["digits-cpu"] / "evaluations.parquet"
    out = tmp_path / "mine"
    main(["fit", str(log), "--out", str(out), "--quick"])
    assert "Kendall" in capsys.readouterr().out
    assert "# mine-v1" in (out / "card.md").read_text(encoding="utf-8")
    assert check_golden(load_benchmark(out), read_golden(out)) > 100
    assert len(list(EvaluationLog.open(out / "evaluations.parquet").evaluations())) == 1006
    main(["query", str(out), "zela-2018"])
    assert "validation_error" in capsys.readouterr().out
    assert "--force" in refused(f"fit {log} --out {out}", capsys)
    # Of a few, in a moment.
    pq.write_table(pq.read_table(log, filters=[("budget", "==", 27.0)]).slice(0, 60), tmp_path / "few.parquet")
    few = str(tmp_path / "few.parquet")
    main(["fit", few, "--out", str(out), "--version", "2", "--force", "--quick"])
    assert load_benchmark(out).name == "mine-v2"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("explore", "explore"),
        ("describe no-such", "zela-2018"),
        ("describe no-such", "digits-cpu, fashion-joint, fashion-small,"),
        ("describe no-such", "joint, joint-small,"),
        ("describe no-such", "a JSON file of a configuration, or the folder of a benchmark"),
        ("describe hnag:no-such", "cifar10-bohb"),
        ("describe zela-2018 --image-shape 3x32", "3x32"),
        ("describe zela-2018 --image-shape 0x32x32", "0x32x32"),
        ("describe zela-2018 --classes 1", "classes: '1'"),
        ("describe {tmp}/empty.json", "empty.json"),
        ("describe {tmp}/list.json", "JSON object"),
        ("describe {tmp}/outside.json", "learning_rate: 7"),
        ("describe {tmp}/missing.json", "filters: None"),
        ("describe {tmp}/foreign.json", "dropout"),
        ("train", "NAME"),
        ("train zela-2018 --images digits", "--budget"),
        ("train no-such --images digits --budget 1", "wideresnet-28-10, zela-2018, or a JSON file"),
        ("train {tmp}/outside.json --images digits --budget 1", "learning_rate: 7"),
        (TRAIN + " --images mnist", "fashion-mnist"),
        (TRAIN + " --budget 0", "budget: '0'"),
        (TRAIN + " --budget 3minutes", "budget: '3minutes'"),
        (TRAIN + " --budget inf", "budget: 'inf'"),
        (TRAIN + " --ladder 0.1,1", "one of 0.1, 1 (seconds)"),
        (TRAIN + " --ladder 0.1,0.3 --budget 0.3epochs", "'0.3 epochs' given, expected seconds"),
        (TRAIN + " --seed 1.5", "seed: '1.5'"),
        (TRAIN + " --device tpu", "device"),
        (TRAIN + " --log {tmp}/empty.json", "a folder"),
        (TRAIN + " --log {tmp}", "empty or does not exist"),
        ("query no-such zela-2018", "digits-cpu"),
        ("query digits-cpu no-such", "zela-2018"),
        ("query digits-cpu zela-2018 --budget 28", "1 to 27 seconds"),
        ("query digits-cpu zela-2018 --budget 0.5", "1 to 27 seconds"),
        ("query digits-cpu zela-2018 --budget -1", "budget"),
        ("query digits-cpu zela-2018 --budget nan", "budget"),
        ("query digits-cpu zela-2018 --seed x", "seed: 'x'"),
        ("query {tmp} zela-2018", "benchmark.json"),
        ("query digits-cpu {tmp}/outside.json", "[0.001, 1]"),
        ("query digits-cpu-v7 zela-2018", "digits-cpu-v2, the version that ships"),
        ("publish digits-cpu", "--out"),
        ("publish no-such --out {tmp}/out", "digits-cpu"),
        ("publish {tmp} --out {tmp}/out", "benchmark.json"),
        ("publish digits-cpu --out {tmp}", "one that does not exist"),
        ("publish digits-cpu --out {tmp}/out --date 24.12.2026", "2026-12-24"),
        ("fit {tmp}/nowhere --out {tmp}/out", "nowhere"),
        ("fit {tmp}/nowhere --out {tmp}/out --version 0", "version: '0'"),
        ("fit {tmp}/nowhere --out {tmp}/out --tune -1", "tune: '-1'"),
        ("fit {tmp} --out {tmp}/out", "Parquet"),
        ("fit {tmp}/empty.json --out {tmp}/out", "readable Parquet"),
        ("compare no-such --out {tmp}/out", "digits-cpu"),
        ("compare --optimizers sgd --out {tmp}/out", "hyperband"),
        ("compare --optimizers bohb,bohb --out {tmp}/out", "different names"),
        ("compare --optimizers , --out {tmp}/out", "optimizers: ',' given, expected different names"),
        ("compare --objectives flops, --out {tmp}/out", "objectives: 'flops,' given, expected different names"),
        ("compare --objectives flops,flops --out {tmp}/out", "objectives: 'flops,flops' given, expected different"),
        ("compare --seeds 0 --out {tmp}/out", "seeds: '0'"),
        ("compare --seeds many --out {tmp}/out", "seeds: 'many'"),
        ("compare --workers 0 --out {tmp}/out", "workers: '0'"),
        ("compare --full-budgets 0 --out {tmp}/out", "full budgets: '0'"),
        ("compare --full-budgets inf --out {tmp}/out", "full budgets: 'inf'"),
        ("compare --jobs -1 --out {tmp}/out", "jobs: '-1'"),
        ("compare digits-cpu --objective {tmp}/nowhere --out {tmp}/out", "expected surrogate, train, or a log"),
        ("compare --tasks mfh3-good --objectives flops --out {tmp}/out", "objectives: 'flops' given"),
        ("compare --tasks mfh3-good --workers 2,3 --out {tmp}/out", "workers: '2,3' given, expected one number"),
        ("compare --out {tmp}", "empty or new"),
        ("compare --out {tmp}/empty.json", "empty or new"),
        ("compare --what", "--what"),
        ("report {tmp}/nowhere", "nowhere"),
        ("report {tmp}", "Parquet"),
        ("retrain {tmp} --images digits", "jointbench compare"),
        ("retrain {tmp}/nowhere --images digits", "jointbench compare"),
        ("retrain {tmp} --references zela-2018,", "references: 'zela-2018,' given, expected different names"),
        ("leaderboard add {tmp} {tmp} --optimizers a,a", "optimizers: 'a,a' given, expected different names"),
        ("collect", "LOG"),
        ("collect {tmp}/log --images digits --ladder 1,3", "--full-budgets"),
        (COLLECT + " --images mnist", "fashion-mnist"),
        (COLLECT + " --ladder 3,1", "ladder: '3,1' given, expected budgets from the smallest to the largest"),
        (COLLECT + " --ladder 1,2,9", "ladder"),
        (COLLECT + " --ladder one,three", "'one,three'"),
        (COLLECT + " --optimizer sgd", "hyperband"),
        (COLLECT + " --workers 0", "workers: '0'"),
        (COLLECT + " --workers 1.5", "workers: '1.5'"),
        (COLLECT + " --seed -1", "seed: '-1'"),
        (COLLECT + " --full-budgets -3", "full budgets: '-3'"),
        (COLLECT + " --device tpu", "device"),
        (COLLECT + " --precision fp8", "fp8"),
        (COLLECT + " --memory 0", "memory: '0'"),
        (COLLECT + " --memory much", "memory: 'much'"),
        (COLLECT + " --images fashion-mnist --data {tmp}/nowhere", "data folder"),
        (COLLECT + " --repeat 0", "repeat: '0'"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = dict(JOINT.named["zela-2018"])
    (tmp_path / "empty.json").write_text("", encoding="utf-8")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "outside.json").write_text(json.dumps({**good, "learning_rate": 7}), encoding="utf-8")
    (tmp_path / "missing.json").write_text(
        json.dumps({k: v for k, v in good.items() if k != "filters"}), encoding="utf-8"
    )
    (tmp_path / "foreign.json").write_text(json.dumps({**good, "dropout": 0.5}), encoding="utf-8")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert said in refused(words.format(tmp=tmp_path), capsys)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_compare_prints_the_table_and_where_the_page_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = f"compare digits-cpu --optimizers random,hyperband --seeds 1 --full-budgets 4 --jobs 1 --out {out}"
    main(command.split())
    shown = capsys.readouterr().out
    assert "hyperband" in shown
    assert str(out / "report.html") in shown.replace("\n", "")
    assert command in json.loads((out / "comparison.json").read_text(encoding="utf-8"))["commands"][0]


def test_report_of_a_released_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copy(released()["digits-cpu"] / "evaluations.parquet", tmp_path / "log.parquet")
    main(["report", str(copy)])
    assert (tmp_path / "log-report.html").exists()
