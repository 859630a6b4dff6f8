"""Leaderboards: what stands on one was made again, and came out to the bit."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jointbench
from jointbench.bench.calls import leaderboard
from jointbench.bench.calls.leaderboard import FILES, Leaderboard
from jointbench.bench.comparing.leaderboard_folder import Rules, checked_name, entry_folder
from jointbench.bench.comparing.leaderboard_runs import SPENT
from jointbench.bench.comparing.made_again import check_same, first_difference, picked
from jointbench.bench.pages.leaderboard_page import commands_of
from jointbench.cli import main, parser
from jointbench.data.errors import InputError, LogError, UnknownNameError, WouldOverwriteError

OWN = """from jointbench import Optimizer, Trial


class Greedy(Optimizer):
    name, asked, best = "greedy", 0, (1.0, None)

    def ask(self):
        self.asked += 1
        if self.asked % 10 == 0 and self.best[1]:
            return Trial(self.best[1], self.ladder.maximum)
        return Trial(self.space.sample(self.rng)[0], self.ladder.minimum)

    def tell(self, trial, evaluation):
        if evaluation.ok:
            self.best = min(self.best, (evaluation.validation_error, trial.configuration), key=lambda pair: pair[0])
"""
HOW: dict[str, Any] = {"seeds": 2, "full_budgets": 8, "jobs": 1, "quiet": True}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of random search and of a person's own optimizer, whose file lies beside its runs."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "mine.py").write_text(OWN, encoding="utf-8")
    jointbench.compare("digits-cpu", ["random", f"{folder}/mine.py:Greedy"], out=folder / "c", **HOW)
    shutil.move(folder / "mine.py", folder / "c" / "mine.py")
    return folder / "c"


@pytest.fixture(scope="module")
def board(compared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board") / "board"
    said = leaderboard.add(folder, compared, jobs=1, quiet=True).sentences
    assert said == [f"{name} on digits-cpu: 2 of 2 runs made again, to the bit; added" for name in ("greedy", "random")]
    leaderboard.build(folder)
    return folder


@pytest.fixture
def copy(compared: Path, tmp_path: Path) -> Path:
    return shutil.copytree(compared, tmp_path / "copy")


def change(comparison: Path, **settings: Any) -> None:
    path = comparison / "comparison.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["settings"] |= settings
    path.write_text(json.dumps(content), encoding="utf-8")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def doctored(path: Path, column: str, row: int, change: Callable[[float], float]) -> None:
    table = pq.read_table(path)
    values = table[column].to_numpy().copy()
    values[row] = change(values[row])
    made = table.set_column(table.column_names.index(column), table.schema.field(column), pa.array(values))
    pq.write_table(made.replace_schema_metadata(table.schema.metadata), path)


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(words.split())
    assert stopped.value.code == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1, said
    return said


class TestBoard:
    def test_it_ranks_by_normalised_regret(self, board: Path) -> None:
        made = jointbench.leaderboard.build(board)
        runs = made.to_pandas()
        assert len(runs) == 2 * 2
        means = runs.groupby("optimizer")["regret"].mean()
        standings = made.table("standings").to_pandas()
        assert standings["optimizer"].tolist() == means.sort_values().index.tolist()
        assert standings["place"].tolist() == [1, 2]
        for row in standings.itertuples():
            assert row.regret == pytest.approx(means[row.optimizer])
            assert row.regret_low <= row.regret <= row.regret_high
            assert row.rank_low <= row.rank <= row.rank_high
        assert standings["rank"].sum() == pytest.approx(3)

    def test_versions_stand_beside_every_entry(self, board: Path) -> None:
        for name in ("standings", "tasks", "entries"):
            table = pd.read_csv(board / f"{name}.csv")
            assert set(table["version"]) == {jointbench.__version__}
            assert table["code"].str.len().eq(64).all()
        assert set(pd.read_csv(board / "tasks.csv")["benchmark"]) == {jointbench.load_benchmark("digits-cpu").name}
        page = (board / "index.html").read_text(encoding="utf-8")
        assert page.count("digits-cpu-v") >= 2
        for name in FILES:
            assert f'<a href="{name}">' in page
        # What a person wrote can be read there.
        assert '<a href="entries/greedy/mine.py">mine.py</a>' in page
        assert (board / "entries" / "greedy" / "mine.py").read_text(encoding="utf-8") == OWN

    def test_the_share_that_was_spent_ends_where_the_standings_are(self, board: Path) -> None:
        budgets = pd.read_csv(board / "budgets.csv")
        assert sorted(set(budgets["spent"])) == [*SPENT]
        last = budgets[(budgets["task"] == "*") & (budgets["spent"] == 1)].set_index("optimizer")["regret"]
        standings = pd.read_csv(board / "standings.csv").set_index("optimizer")["regret"]
        assert last.to_dict() == pytest.approx(standings.to_dict())
        # A quarter of eight full budgets is what two of random search's evaluations take.
        [task] = Leaderboard(board).board.tasks.values()
        run = task.runs["random"][0]
        assert run.spent(np.array([2.0 * 27]))[0] == run.values[1]
        assert np.isnan(run.spent(np.array([26.9])))[0]

    def test_the_same_entries_give_the_same_bytes(self, board: Path, tmp_path: Path) -> None:
        there = shutil.copytree(board, tmp_path / "there")
        for name in (*FILES, "index.html"):
            (there / name).unlink()
        jointbench.leaderboard.build(there)
        assert files(there) == files(board)

    def test_a_board_is_checked_by_making_another_of_its_entries(self, board: Path, tmp_path: Path) -> None:
        entries = sorted((board / "entries").iterdir())
        leaderboard.add(tmp_path / "again", entries, jobs=1, quiet=True)
        leaderboard.build(tmp_path / "again")
        assert files(tmp_path / "again") == files(board)

    def test_the_command_of_an_entry_is_that_of_its_runs(self, board: Path, compared: Path) -> None:
        of = Leaderboard(board).board
        [mine], [random] = (commands_of(of, entry) for entry in of.entries)
        assert "entries/greedy/mine.py:Greedy" in mine
        parsed = parser().parse_args(shlex.split(random)[1:])
        assert (parsed.seeds, parsed.workers, parsed.full_budgets, parsed.time) == (2, [10], 8.0, None)
        # What is kept of an entry is a comparison, whose page can be drawn.
        assert jointbench.report(board / "entries" / "greedy" / "digits-cpu").path.exists()
        (board / "entries" / "greedy" / "digits-cpu" / "report.html").unlink()

    def test_what_is_there_is_not_made_again(self, board: Path, compared: Path) -> None:
        before = files(board)
        said = leaderboard.add(board, compared, jobs=1).sentences
        assert said == [f"{name} on digits-cpu: there already, the same runs" for name in ("greedy", "random")]
        assert files(board) == before

    def test_without_a_board_nothing_is_built(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "a board with entries" in refused(f"leaderboard build {tmp_path}", capsys)
        assert not list(tmp_path.iterdir())

    def test_the_command_has_commands_of_its_own(self, board: Path, capsys: pytest.CaptureFixture[str]) -> None:
        main(["leaderboard", "build", str(board)])
        assert "greedy" in capsys.readouterr().out
        with pytest.raises(SystemExit) as stopped:
            main(["leaderboard"])
        assert stopped.value.code == 2


class TestDoctored:
    def test_a_run_that_comes_out_otherwise_is_refused(
        self, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # The last incumbent of one run, better by the least that a number can be.
        column = "incumbent_validation_error"
        doctored(copy / "runs" / "random-1.parquet", column, -1, lambda value: float(np.nextafter(value, 0)))
        said = refused(f"leaderboard add {tmp_path}/new {copy} --optimizers random --jobs 1", capsys)
        assert said.startswith("jointbench: random on digits-cpu, seed 1, evaluation 8, incumbent_validation_error: ")
        assert said.endswith(", as the run made again has")
        assert not (tmp_path / "new").exists()

    def test_a_board_stays_as_it_was(self, board: Path, copy: Path) -> None:
        before = files(board)
        (copy / "runs" / "random-0.parquet").write_bytes((copy / "runs" / "random-1.parquet").read_bytes())
        with pytest.raises(WouldOverwriteError, match="random on digits-cpu"):
            leaderboard.add(board, copy, quiet=True)
        with pytest.raises(LogError, match="lucky on digits-cpu, seed 0"):
            leaderboard.add(board, copy, optimizers=["random"], name="lucky", jobs=1, quiet=True)
        assert files(board) == before

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"code": "f" * 64}, "boards of different versions do not mix"),
            ({"checksum": "0" * 64, "name": "digits-cpu-v1"}, "name of random|checksum|name of greedy"),
            ({"full_budgets": 16}, "as the board has it"),
            ({"workers": 100}, "workers of greedy on digits-cpu: 100 given, expected 10, as the board has it"),
            ({"optimum": 0.0}, "optimum of greedy on digits-cpu: 0.0 given, expected None, as the task here has it"),
            ({"overhead": "measured"}, "overhead of greedy on digits-cpu"),
            ({"objective": "training"}, "no training can be made again"),
            (
                {"box": [[0.0, 1.0], [0.0, 2.0]]},
                "objectives of greedy on digits-cpu: 'validation_error, test_error' given",
            ),
            ({"incumbent": "largest-budget"}, "incumbent of greedy"),
            ({"name": "../../else"}, "task: '../../else' given"),
        ],
    )
    def test_settings_are_not_believed(self, board: Path, copy: Path, settings: dict[str, Any], said: str) -> None:
        change(copy, **settings)
        before = files(board)
        with pytest.raises(InputError, match=said):
            leaderboard.add(board, copy, quiet=True)
        assert files(board) == before

    def test_the_time_and_what_random_search_spends_in_it_belong_together(self, copy: Path, tmp_path: Path) -> None:
        change(copy, time=100.0)
        with pytest.raises(InputError, match="full budgets of greedy on digits-cpu: 8"):
            leaderboard.add(tmp_path / "new", copy, quiet=True)

    def test_no_seed_is_picked(self, board: Path, copy: Path, tmp_path: Path) -> None:
        (copy / "runs" / "random-0.parquet").unlink()
        with pytest.raises(InputError, match="seeds of random on digits-cpu: '1' given, expected 0 to 1"):
            leaderboard.add(board, copy, optimizers=["random"], quiet=True)
        with pytest.raises(InputError, match="seeds of random on digits-cpu: '1' given, expected 0 to 0"):
            leaderboard.add(tmp_path / "new", copy, optimizers=["random"], quiet=True)
        assert not (tmp_path / "new").exists()

    def test_a_file_that_made_no_run_is_refused(self, board: Path, copy: Path) -> None:
        (copy / "mine.py").write_text(OWN.replace("% 10", "% 5"), encoding="utf-8")
        with pytest.raises(InputError, match=r"file of .*mine\.py:Greedy: .*expected the one that made its run"):
            leaderboard.add(board, copy, quiet=True)
        (copy / "mine.py").unlink()
        with pytest.raises(InputError, match=r"expected mine\.py beside its runs"):
            leaderboard.add(board, copy, quiet=True)

    @pytest.mark.parametrize("content", [b"", b"PAR1", b"no table at all"])
    def test_a_run_that_is_none_is_refused(self, board: Path, copy: Path, content: bytes) -> None:
        (copy / "runs" / "random-1.parquet").write_bytes(content)
        with pytest.raises(LogError, match="readable Parquet"):
            leaderboard.add(board, copy, optimizers=["random"], name="other", quiet=True)

    def test_a_run_without_what_pages_need_is_refused(self, board: Path, copy: Path) -> None:
        path = copy / "runs" / "random-1.parquet"
        pq.write_table(pq.read_table(path).drop_columns(["end"]), path)
        with pytest.raises(LogError, match="other on digits-cpu, seed 1, column end"):
            leaderboard.add(board, copy, optimizers=["random"], name="other", quiet=True)


class TestRules:
    def test_another_task_is_asked_for(self, board: Path, tmp_path: Path) -> None:
        jointbench.compare("mfh3-good", ["random"], out=tmp_path / "c", **HOW)
        with pytest.raises(InputError, match="task: 'mfh3-good' given, expected one of the board's"):
            leaderboard.add(board, tmp_path / "c", quiet=True)
        grown = shutil.copytree(board, tmp_path / "grown")
        leaderboard.add(grown, tmp_path / "c", new_tasks=True, fifth=True, jobs=1, quiet=True)
        made = leaderboard.build(grown)
        # Over all tasks stand those that have run on all; the others by task.
        assert [row[0] for row in made.table("standings").rows] == ["random"]
        tasks = pd.read_csv(grown / "tasks.csv")
        assert set(tasks[tasks["task"] == "digits-cpu"]["optimizer"]) == {"greedy", "random"}
        assert "greedy has no runs on mfh3-good" in made.page.read_text(encoding="utf-8")
        entries = pd.read_csv(grown / "entries.csv", dtype=str).set_index("task")
        assert len(entries.loc["mfh3-good", "made_again"].split()) == 1
        assert set(Rules.read(grown).tasks) == {"digits-cpu", "mfh3-good"}  # type: ignore[union-attr]

    def test_boards_of_different_versions_do_not_mix(self, board: Path, compared: Path, tmp_path: Path) -> None:
        old = shutil.copytree(board, tmp_path / "old")
        rules = json.loads((old / "leaderboard.json").read_text(encoding="utf-8"))
        (old / "leaderboard.json").write_text(
            json.dumps(rules | {"version": "0.1", "code": "e" * 64}), encoding="utf-8"
        )
        with pytest.raises(InputError, match=r"do not mix; this one is of JointBench 0\.1, code eeeeeeeeeeee"):
            leaderboard.add(old, compared, name="other", optimizers=["random"], quiet=True)
        # What it says can still be read.
        assert "0.1 (eeeeeee)" in leaderboard.build(old).table("standings").rows[0]

    def test_other_code_needs_another_name(self, board: Path, compared: Path) -> None:
        with pytest.raises(InputError, match="entry: 'random' given, expected name and another name"):
            leaderboard.add(board, compared, optimizers=["greedy"], name="random", quiet=True)

    def test_optimizers_are_chosen_by_their_names(self, board: Path, compared: Path) -> None:
        with pytest.raises(UnknownNameError, match="one of greedy, random"):
            leaderboard.add(board, compared, optimizers=["bohb"], quiet=True)
        with pytest.raises(InputError, match="one optimizer to be called so"):
            leaderboard.add(board, compared, name="both", quiet=True)

    def test_what_is_no_comparison_is_refused(self, board: Path, tmp_path: Path) -> None:
        with pytest.raises(LogError, match="the folder of a comparison"):
            leaderboard.add(board, tmp_path, quiet=True)
        (tmp_path / "notes.txt").touch()
        with pytest.raises(WouldOverwriteError, match="a leaderboard, or a folder that is empty or new"):
            leaderboard.add(tmp_path, board / "entries" / "random", quiet=True)

    @given(st.text(max_size=90))
    def test_a_name_is_the_name_of_one_folder(self, name: str) -> None:
        board = Path("board")
        try:
            checked_name("name", name)
        except InputError:
            return
        *above, last = entry_folder(board, name).parts
        assert above == ["board", "entries"]
        assert last not in (".", "..")

    @pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/../..<b>", "\x00", "x" * 81, "=1+1", "runs"])
    def test_what_is_no_name_is_refused(self, name: str) -> None:
        with pytest.raises(InputError, match="letter or a digit first"):
            checked_name("name", name)

    @given(st.integers(1, 60))
    def test_a_fifth_is_at_least_one_and_drawn_anew(self, seeds: int) -> None:
        some = picked(seeds, fifth=True)
        assert len(some) == -(-seeds // 5)
        assert set(some) <= set(picked(seeds, fifth=False)) == set(range(seeds))


TABLE = pa.table(
    {
        "number": pa.array([0, 1, 2]),
        "end": pa.array([1.0, float("nan"), -0.0]),
        "validation_error": pa.array([0.5, None, 0.25]),
        "status": ["ok", "diverged", "ok"],
        "incumbent": [True, False, True],
        "configuration": pa.array([{"lr": 0.1, "layers": 1}, {"lr": 0.2, "layers": 2}, {"lr": 0.3, "layers": None}]),
    }
)


class TestDifferences:
    def test_a_table_is_the_same_as_itself(self) -> None:
        read = pa.ipc.open_stream(_written(TABLE)).read_all()
        assert first_difference(TABLE, read) is None
        check_same("run", TABLE, read)

    @pytest.mark.parametrize(
        ("column", "row", "value"),
        [
            ("number", 2, 3),
            ("end", 2, 0.0),
            ("end", 1, 1.0),
            ("validation_error", 1, 0.0),
            ("validation_error", 0, float(np.nextafter(0.5, 1))),
            ("status", 1, "ok"),
            ("incumbent", 0, False),
            ("configuration", 2, {"lr": 0.3, "layers": 3}),
            ("configuration", 0, {"lr": float(np.nextafter(0.1, 1)), "layers": 1}),
        ],
    )
    def test_every_bit_counts(self, column: str, row: int, value: object) -> None:
        cells = TABLE[column].to_pylist()
        cells[row] = value
        made = TABLE.set_column(
            TABLE.column_names.index(column), column, pa.array(cells, TABLE.schema.field(column).type)
        )
        found = first_difference(made, TABLE)
        assert found is not None
        assert (found[0], found[1].partition(".")[0]) == (row, column)
        with pytest.raises(LogError, match=f"run, evaluation {row + 1}, {column}"):
            check_same("run", made, TABLE)

    @pytest.mark.parametrize(
        ("made", "said"),
        [
            (TABLE.slice(0, 2), "run, evaluations: 2 given, expected 3"),
            (TABLE.drop_columns(["status"]), "run, columns"),
            (TABLE.set_column(0, "number", pa.array([0.0, 1.0, 2.0])), "run, column number: 'double' given"),
            (TABLE.replace_schema_metadata({"optimizer name": "smac"}), "run, name and code"),
        ],
    )
    def test_so_does_what_a_table_is(self, made: pa.Table, said: str) -> None:
        with pytest.raises(LogError, match=said):
            check_same("run", made, TABLE)


def _written(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
