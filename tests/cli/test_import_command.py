"""`jointbench import`, as a person calls it, and what can be done with the log that it writes."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jointbench
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.noise import replicates
from jointbench.bench.calls.describing_benchmarks import DescribedBenchmark
from jointbench.bench.pages.report import write_report
from jointbench.cli import main
from jointbench.data.errors import InputError, LogError, WouldOverwriteError
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.contract import CHECKS
from jointbench.surrogate.models import DEFAULT
from jointbench.surrogate.surrogate import Surrogate

#: Learning curves: several rows a configuration, at 20 epochs, 4 of which are rungs.
EPOCHS = range(1, 21)
METRICS = "loss=val_loss,accuracy=acc:max:0..1,training_seconds=time"
HOW = ["--budget", "epoch", "--metrics", METRICS, "--status-column", "outcome"]
CHOSEN = ["--hyperparameters", "lr,layers,optimizer,momentum", "--group", "id"]


def curves(count: int = 30) -> pd.DataFrame:
    rng, rows = np.random.default_rng(0), []
    for number in range(count):
        lr, layers, optimizer = 10 ** rng.uniform(-5, -1), int(rng.integers(1, 9)), rng.choice(["sgd", "adam"])
        momentum = rng.uniform(0.5, 0.99) if optimizer == "sgd" else None
        for epoch in EPOCHS:
            loss = 2 + abs(np.log10(lr) + 3) + 3 / epoch + 0.1 * layers + rng.normal(0, 0.02)
            failed = lr > 0.05
            measured = (None, None) if failed else (loss, 1 / loss)
            rows.append(
                (
                    f"run {number}",
                    lr,
                    layers,
                    optimizer,
                    momentum,
                    epoch,
                    *measured,
                    2.0 * epoch * layers,
                    "diverged" if failed else "ok",
                )
            )
    names = ("id", "lr", "layers", "optimizer", "momentum", "epoch", "val_loss", "acc", "time", "outcome")
    return pd.DataFrame(rows, columns=names)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("table") / "mine.csv"
    curves().to_csv(file)
    return file


@pytest.fixture(scope="module")
def log(table: Path) -> EvaluationLog:
    out = table.parent / "log"
    main(["import", str(table), *HOW, *CHOSEN, "--out", str(out), "--quiet"])
    return EvaluationLog.open(out)


@pytest.fixture(scope="module")
def surrogate(log: EvaluationLog) -> Surrogate:
    return Surrogate.fit(log, "mine", settings=DEFAULT, partitions=1)


def test_it_says_what_it_inferred_and_asks_to_check_it(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["import", str(table), *HOW, *CHOSEN, "--out", str(tmp_path / "log")])
    said = capsys.readouterr().out
    for words in (
        "a number in [",
        "one of 'adam', 'sgd'",
        "optimizer is sgd",
        "inferred from the columns: check",
        "600 evaluations of 30 configurations",
        "loss is minimised",
        "budgets: 1, 3, 7, 20 epochs, and anywhere between",
    ):
        assert words in said, words
    described = json.loads((tmp_path / "log" / "space.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in described["hyperparameters"]] == ["lr", "layers", "optimizer", "momentum"]


def test_its_space_can_be_given_again(table: Path, log: EvaluationLog, tmp_path: Path) -> None:
    space = str(log.path / "space.json")
    main(["import", str(table), *HOW, "--space", space, "--group", "id", "--out", str(tmp_path / "again"), "-q"])
    again = EvaluationLog.open(tmp_path / "again")
    assert again.task.says_the_same(log.task)
    assert list(again.evaluations()) == list(log.evaluations())


def test_a_column_that_sounds_like_a_seed_is_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({"lr": [0.1, 0.1, 0.2, 0.2], "Seed": [0, 1, 0, 1], "epoch": 9, "loss": [1.0, 1.1, 0.9, 1.2]})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    words = f"import {tmp_path}/mine.csv --budget epoch --metrics loss=loss --force --out {tmp_path}/log"
    main(words.split())
    assert "Seed is taken for a hyperparameter; --seed-column Seed if it is none" in capsys.readouterr().out
    for known in ("--seed-column Seed", "--hyperparameters lr,Seed"):
        main([*words.split(), *known.split()])
        assert "taken for a hyperparameter" not in capsys.readouterr().out
    made = jointbench.import_table(frame, tmp_path / "call", budget="epoch", metrics={"loss": "loss"})
    assert made.notes == ["Seed is taken for a hyperparameter; seed_column='Seed' if it is none"]


def test_a_column_that_sounds_like_a_number_of_rows_is_asked_about(tmp_path: Path) -> None:
    frame = pd.DataFrame({"lr": [0.1, 0.1, 0.2, 0.2], "ID": [0, 0, 1, 1], "epoch": [1, 3, 1, 3], "loss": 4 * [1.0]})
    made = jointbench.import_table(frame, tmp_path / "log", budget="epoch", metrics={"loss": "loss"})
    assert made.notes == ["ID is taken for a hyperparameter; group='ID' if it is none"]


def test_a_table_without_seconds_is_compared_by_full_budgets(tmp_path: Path) -> None:
    frame = pd.DataFrame({"lr": [0.1, 0.2, 0.3, 0.4], "epoch": 9, "loss": [1.0, 0.8, 0.9, 1.2]})
    made = jointbench.import_table(frame, tmp_path / "log", budget="epoch", metrics={"loss": "loss"})
    with pytest.raises(jointbench.JointBenchError, match="expected full_budgets=256 or so, since no time is known"):
        jointbench.compare(made.log, ["random"], seeds=1, out=tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_parquet_and_frames_give_the_same(log: EvaluationLog, tmp_path: Path) -> None:
    frame = curves()
    frame.to_parquet(tmp_path / "mine.parquet")
    how = {"budget": "epoch", "metrics": {"loss": "val_loss"}, "status_column": "outcome", "space": log.space}
    one = jointbench.import_table(tmp_path / "mine.parquet", tmp_path / "one", **how)
    other = jointbench.import_table(frame, tmp_path / "other", **how)
    for made in (one, other):
        assert made.to_pandas()["loss"].tolist() == log.to_pandas()["loss"].tolist()
        assert not made.inferred
    assert "space" in one.tables()


class TestRefused:
    def test_a_wrong_row_by_one_sentence_and_nothing_is_written(
        self, log: EvaluationLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        frame = curves(2).astype(object)
        frame.loc[4, "lr"] = "fast"
        frame.loc[7, "layers"] = 99
        frame.to_csv(tmp_path / "bad.csv")
        words = ["import", str(tmp_path / "bad.csv"), *HOW, "--space", str(log.path / "space.json")]
        words += ["--out", str(tmp_path / "out")]
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "bad.csv, column lr: 'fast' given, expected a number in [" in said.err
        assert "row 5 of" in said.err
        assert "(1 more row is wrong; --skip-bad-rows 2 leaves them out)" in said.err
        assert len(said.err.splitlines()) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]
        main([*words, "--skip-bad-rows", "2"])
        said = capsys.readouterr()
        assert "left out: row 5" in said.out
        assert "left out: row 8" in said.out
        assert "38 evaluations" in said.out

    def test_what_is_there_stays_unless_it_is_a_log_and_shall_be_replaced(self, table: Path, tmp_path: Path) -> None:
        words = ["import", str(table), *HOW, *CHOSEN, "-q", "--out"]
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.parquet").write_text("years of work", encoding="utf-8")
        for force in ([], ["--force"]):
            with pytest.raises(SystemExit):
                main([*words, str(tmp_path / "mine"), *force])
        assert (tmp_path / "mine" / "thesis.parquet").read_text(encoding="utf-8") == "years of work"
        main([*words, str(tmp_path / "log")])
        with pytest.raises(WouldOverwriteError):
            jointbench.import_table(curves(2), tmp_path / "log", budget="epoch", metrics="loss=val_loss")
        assert len(EvaluationLog.open(tmp_path / "log")) == 600
        main([*words, str(tmp_path / "log"), "--force"])
        assert len(EvaluationLog.open(tmp_path / "log")) == 600

    @pytest.mark.parametrize(
        "changed",
        [
            {"budget": "epochs"},
            {"metrics": "loss=val_lss"},
            {"metrics": {"loss": 3}},
            {"metrics": "validation_error=val_loss"},
            {"seed_column": "seed"},
            {"status_column": "outcome=odd"},
            {"status_column": "epoch"},
            {"group": "team"},
            {"unit": "Furlongs!"},
            {"hyperparameters": []},
            {"hyperparameters": ["lr", "no such"]},
            {"space": "no such space"},
            {"space": {"hyperparameters": []}},
            {"skip_bad_rows": -1},
            {"metrics": "seed=val_loss"},
            # A column is one thing.
            {"metrics": "loss=epoch"},
            {"hyperparameters": ["lr", "epoch"]},
            {"hyperparameters": ["lr", "val_loss"]},
            {"hyperparameters": ["lr", "outcome"]},
            {"hyperparameters": ["lr", "lr"]},
        ],
    )
    def test_what_cannot_be_is_refused(self, changed: dict[str, object], tmp_path: Path) -> None:
        how = {"budget": "epoch", "metrics": "loss=val_loss", "hyperparameters": ["lr"], "status_column": "outcome"}
        how = {name: value for name, value in how.items() if not ("space" in changed and name == "hyperparameters")}
        with pytest.raises(InputError) as caught:
            jointbench.import_table(curves(2), tmp_path / "out", **{**how, **changed})
        assert len(str(caught.value).splitlines()) == 1
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("content", "changed", "said"),
        [
            ("lr,epoch,loss\n1,2,3,4\n2,2,3\n", {}, "row 1 of {file}: '4 cells' given, expected 3, one a column"),
            (
                "lr,epoch,loss\n1,2\n2,2,3\n1\n",
                {},
                "row 1 of {file}: '2 cells' given, expected 3, one a column (1 more",
            ),
            ("lr,epoch,loss\n1,2,3\n1,2,3\n", {"seed_column": "no"}, "seed column: 'no' given, expected a column of"),
            ("lr,epoch,loss\n1,2,3\n1,2,3\n", {"group": "no"}, "group: 'no' given, expected a column of"),
            ("lr,epoch,loss\n1,2,3\n1,2,3\n", {"budget": "no"}, "budget: 'no' given, expected a column of"),
            ("lr,epoch,loss\n1,2,3,4\n2,2,3\n", {"skip_bad_rows": 1}, "hyperparameters: ['lr'] given"),
        ],
    )
    def test_what_is_wrong_with_a_row_or_a_name_is_said_before_what_cannot_be_inferred(
        self, content: str, changed: dict[str, object], said: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "mine.csv"
        file.write_text(content, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            jointbench.import_table(file, tmp_path / "out", **{"budget": "epoch", "metrics": "loss=loss", **changed})
        assert str(caught.value).startswith(said.format(file=file))

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"budget": None}, "budget: None given, expected the name of a column"),
            ({"budget": ["epoch"]}, "budget: ['epoch'] given, expected the name of a column"),
            ({"seed_column": 3}, "seed column: 3 given, expected the name of a column"),
            ({"status_column": 3}, "status column: 3 given, expected the name of a column"),
            ({"group": ["id"]}, "group: ['id'] given, expected the name of a column"),
            ({"hyperparameters": 3}, "hyperparameters: 3 given, expected some columns"),
            ({"hyperparameters": [["lr"]]}, "hyperparameters: ['lr'] given, expected the name of a column"),
            ({"out": 3}, "out: 3 given, expected the name of a file or a folder"),
            ({"out": None}, "out: None given, expected the name of a file or a folder"),
            ({"out": "a\0b"}, "out: 'a\\x00b' given, expected the name of a file or a folder"),
            ({"table": "a\0b"}, "table: 'a\\x00b' given, expected the name of a file or a folder"),
            ({"space": "a\0b"}, "space: 'a\\x00b' given, expected the name of a file or a folder"),
            ({"table": {"lr": 1, "epoch": [1, 2]}}, "column lr of the table: 1 given, expected a list of cells"),
            ({"table": {"lr": "ab", "epoch": [1, 2]}}, "column lr of the table: 'ab' given, expected a list of cells"),
            ({"table": 3}, "table: 'int' given, expected a CSV or Parquet file, or a frame"),
        ],
    )
    def test_what_is_of_another_type_is_refused_by_the_name_of_the_argument(
        self, given: dict[str, object], said: str, tmp_path: Path
    ) -> None:
        how = {"table": curves(2), "out": tmp_path / "out", "budget": "epoch", "metrics": "loss=val_loss"}
        with pytest.raises(InputError) as caught:
            jointbench.import_table(**{**how, **given})
        assert str(caught.value).startswith(said)
        assert not list(tmp_path.iterdir())


class TestUsed:
    """A log with evaluations anywhere between its rungs is fitted, judged, answered from and drawn."""

    def test_no_fold_parts_a_group(self, surrogate: Surrogate) -> None:
        table, fold = surrogate.held_out.table, surrogate.held_out.fold
        assert table.together is not None
        assert len(np.unique(table.together)) == 30
        assert all(len(np.unique(fold[table.together == group])) == 1 for group in range(30))

    def test_each_evaluation_counts_at_its_nearest_rung(self, surrogate: Surrogate) -> None:
        rows = {row["budget"]: row for row in surrogate.held_out.scores() if row["error"] == "loss"}
        assert sum(row["n"] for budget, row in rows.items() if budget is not None) == rows[None]["n"]
        assert rows[None]["r2"] > 0.5

    def test_it_is_described_as_collected_by_hand(self, surrogate: Surrogate) -> None:
        assert re.search(r"collected by\s+hand \(600\)", str(DescribedBenchmark(surrogate.benchmark)))

    def test_it_keeps_the_contract_of_benchmarks(self, surrogate: Surrogate) -> None:
        for check in CHECKS:
            check(surrogate.benchmark)

    def test_it_answers_between_rungs_as_it_was_taught_there(self, surrogate: Surrogate) -> None:
        benchmark = surrogate.benchmark
        [configuration] = benchmark.sample(1, 0)
        losses = [benchmark.query(configuration, epoch).metrics["loss"] for epoch in EPOCHS]
        assert not benchmark.query(configuration, 5).interpolated
        # What is at 2 epochs is no mean of what is at 1 and at 3.
        assert losses[0] > losses[4] > losses[19]
        seconds = [benchmark.query(configuration, epoch).metrics["training_seconds"] for epoch in (5, 10)]
        assert seconds[1] / seconds[0] == pytest.approx(2, rel=0.2)

    def test_it_is_drawn_and_cannot_be_replayed(self, log: EvaluationLog) -> None:
        assert write_report(log.path).exists()
        evidence = Evidence("mine", log.task, log.to_pandas())
        assert sum(len(found) for _, _, found in evidence.by_rung()) == len(evidence.ok) > 500
        assert replicates(evidence).empty
        with pytest.raises(LogError, match="nowhere between, to replay"):
            jointbench.compare(log, ["random"], seeds=1, full_budgets=2, out=log.path / "c")


def test_a_hyperparameter_called_as_a_column_of_every_log_is_kept_apart(tmp_path: Path) -> None:
    """In frames, in CSV files and in what is drawn of them."""
    cells = curves(12).query("outcome == 'ok'").drop(columns=["outcome", "momentum"])
    cells = cells.rename(columns={"lr": "budget", "layers": "loss", "optimizer": "status"})
    imported = jointbench.import_table(
        cells, tmp_path / "log", budget="epoch", metrics="loss=val_loss", hyperparameters=["budget", "loss", "status"]
    )
    frame = imported.log.to_pandas()
    assert set(frame["budget"]) == set(cells["epoch"].astype(float))
    assert frame["hyperparameter_budget"].tolist() == pytest.approx(cells["budget"].tolist())
    assert set(frame["hyperparameter_status"]) == set(cells["status"])
    assert set(frame["status"]) == {"ok"}
    evidence = Evidence("log", imported.log.task, frame)
    assert evidence.ok["value"].tolist() == frame["loss"].tolist() == pytest.approx(cells["val_loss"].tolist())
    first = next(iter(imported.log.evaluations()))
    assert evidence.configuration(evidence.ok.iloc[0]) == dict(first.configuration)
    assert evidence.unit_rows(evidence.ok).shape == (len(frame), 3)
