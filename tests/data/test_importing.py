"""Tables that others made, cell by cell and column by column: what they say, and what is wrong with them."""

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import TOY

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Status
from jointbench.data.importing.cells import ending, is_nothing, number, reader, truth
from jointbench.data.importing.columns import read_columns
from jointbench.data.importing.inferred import inferred_space
from jointbench.data.importing.named_metrics import MetricColumn, metric_cells, metric_columns, settled
from jointbench.data.importing.rows import MOST_LEVELS, Roles, ladder_of, read_rows
from jointbench.data.metrics import VALIDATION_ERROR, Metric
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Choice, Number


class TestCells:
    @given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
    def test_a_number_is_read_as_python_writes_it(self, value: float) -> None:
        assert number(str(value)) == value
        assert number(value) == value

    @pytest.mark.parametrize(
        "cell",
        [
            *("", "nan", "inf", "1e999", "1_000", "0x1", "1,5", "٣", "1e", "--1", "9" * 401, "abc"),
            None,
            True,
            math.inf,
            "1 2",
        ],
    )
    def test_what_is_no_finite_number_is_none(self, cell: object) -> None:
        assert number(cell) is None

    def test_numbers_of_frames_are_numbers(self) -> None:
        assert [number(cell) for cell in (np.float32(0.5), np.int64(3), Decimal("1.5"))] == [0.5, 3, 1.5]
        assert truth(np.bool_(True)) is True

    def test_an_empty_cell_is_nothing_whatever_wrote_it(self) -> None:
        assert all(is_nothing(cell) for cell in ("", " ", "NaN", "None", None, math.nan, pd.NA, pd.NaT))
        assert not any(is_nothing(cell) for cell in ("none", "0", 0, False))

    @pytest.mark.parametrize(
        ("choices", "cell", "value"),
        [
            (("sgd", "adam"), " sgd ", "sgd"),
            ((True, False), "true", True),
            ((True, False), False, False),
            ((1, 2, 4.5), "2", 2),
            ((1, 2, 4.5), "4.50", 4.5),
            ((1, 2), 2.0, 2),
            (("1", "2"), 2, "2"),
            (("None", "cosine"), "None", "None"),
            (("sgd", "adam"), "", None),
            (("sgd", "adam"), "rmsprop", "rmsprop"),
        ],
    )
    def test_choices_are_read_in_any_form(self, choices: tuple[str, ...], cell: object, value: object) -> None:
        found = reader(Choice("c", choices))(cell)
        assert found == value
        assert type(found) is type(value)

    def test_endings_go_by_words_or_by_a_truth(self) -> None:
        words = {
            "OK": "ok",
            "success": "ok",
            "Out of memory": "out_of_memory",
            "OOM": "out_of_memory",
            "nan": "diverged",
        }
        assert {word: ending(word, None) for word in words} == words
        assert ending("odd", None) is None
        assert [ending(cell, Status.DIVERGED) for cell in ("True", False, "1", 0)] == [
            "diverged",
            "ok",
            "diverged",
            "ok",
        ]
        assert ending("perhaps", Status.DIVERGED) is None


class TestColumns:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_csv_with_any_usual_delimiter_and_a_mark(self, tmp_path: Path, delimiter: str) -> None:
        file = tmp_path / "t.csv"
        lines = [delimiter.join(row) for row in (("", "a", "b"), ("0", "1", '"x"'), ("1", "2", "y"))]
        file.write_text("\ufeff" + "\r\n".join(lines) + "\r\n\r\n", encoding="utf-8")
        # The column without a name is pandas' index.
        assert dict(read_columns(file).cells) == {"a": ["1", "2"], "b": ["x", "y"]}

    def test_parquet_is_known_by_its_content(self, tmp_path: Path) -> None:
        file = tmp_path / "table.csv"
        pd.DataFrame({"a": [1, None], "b": ["x", "y"]}).to_parquet(file)
        columns = read_columns(file)
        assert columns.cells["a"][0] == 1
        assert is_nothing(columns.cells["a"][1])
        assert columns.cells["b"] == ["x", "y"]

    def test_frames_of_any_kind(self) -> None:
        cells = {"a": [1, 2], "b": ["x", "y"]}
        for frame in (cells, pd.DataFrame(cells), pa.table(cells)):
            assert dict(read_columns(frame).cells) == cells

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "at least one column"),
            (b"a,b\n", "at least one column"),
            (b"a,a\n1,2\n", "each name once"),
            (b"a,b\n1,\xff\n", "CSV in UTF-8"),
            (b'a,b\n1,"2\n', "CSV"),
            (b"PAR1nonsense", "Parquet that can be read"),
        ],
    )
    def test_what_is_no_table_is_refused(self, tmp_path: Path, content: bytes, said: str) -> None:
        file = tmp_path / "t.csv"
        file.write_bytes(content)
        with pytest.raises(InputError, match=said):
            read_columns(file)

    def test_what_is_not_there_or_no_frame_is_refused(self, tmp_path: Path) -> None:
        for given_table in (tmp_path / "none.csv", tmp_path, 7, {"a": [1], "b": [1, 2]}, {1: [2]}, {}):
            with pytest.raises(InputError):
                read_columns(given_table)

    def test_a_column_that_is_not_there_is_refused_with_those_like_it(self) -> None:
        columns = read_columns({f"{name}_loss": [1] for name in ("val", "test", "train")})
        with pytest.raises(
            UnknownNameError, match="budget: 'vall_loss' given, expected a column of the frame: val_loss"
        ):
            columns.column("vall_loss", "budget")


class TestInferredSpace:
    def test_types_ranges_scales_and_conditions(self) -> None:
        cells = {
            "lr": ["1e-5", "0.001", "0.01", "0.1"],
            "width": ["16", "32", "64", "17"],
            "opt": ["sgd", "adam", "sgd", "adam"],
            "momentum": ["0.9", "", "0.5", ""],
            "nesterov": ["True", "False", "False", "True"],
            "same": ["1", "1", "1", "1"],
        }
        space, constant = inferred_space("mine", cells)
        assert constant == ["same"]
        lr, width, opt, momentum, nesterov = space.hyperparameters
        assert (lr, width) == (Number("lr", 1e-5, 0.1, True), Number("width", 16, 64, False, True))
        assert (opt, nesterov) == (Choice("opt", ("adam", "sgd")), Choice("nesterov", (False, True)))
        assert momentum == Number("momentum", 0.5, 0.9)
        assert {child: str(one) for child, one in space.conditions.items()} == {"momentum": "opt is sgd"}

    def test_a_text_among_numbers_is_a_wrong_cell_and_no_choice(self) -> None:
        space, _ = inferred_space("mine", {"lr": ["0.1", "0.2", "oops"]})
        assert space.hyperparameters == (Number("lr", 0.1, 0.2),)

    @pytest.mark.parametrize(
        ("cells", "said"),
        [
            ({"a": ["1", "", "2"]}, "column a, row 2"),
            ({"name": [f"run {k}" for k in range(70)]}, "at most 64 texts"),
            ({"a": [[1], [2]]}, "numbers, texts or truth values"),
            ({"a": ["1", "1"]}, "a column whose values differ"),
        ],
    )
    def test_what_cannot_be_inferred_is_refused(self, cells: dict[str, list[object]], said: str) -> None:
        with pytest.raises(InputError, match=said):
            inferred_space("mine", cells)


class TestMetrics:
    def test_words(self) -> None:
        error, accuracy, loss, odd = metric_columns("validation_error=err, acc=top1:0..1:max ,loss=nll:0..,r=a:b")
        assert error == MetricColumn(VALIDATION_ERROR, "err")
        assert accuracy.metric == Metric("acc", maximize=True, bounds=(0, 1))
        assert accuracy.column == "top1"
        assert loss.metric.bounds == (0, math.inf)
        assert odd.column == "a:b"
        [share] = metric_columns("share=x:fraction:max")
        assert share.metric == Metric("share", "fraction", maximize=True, bounds=(0, 1))
        assert share.bounded

    @pytest.mark.parametrize(
        "words",
        [
            "",
            "loss",
            "=x",
            "loss=",
            "a=b,a=c",
            "validation_error=e:max",
            "Loss=x",
            "l=x:2..1",
            "l=x:max:min",
            "l=x:0..1:fraction",
        ],
    )
    def test_what_says_none_is_refused(self, words: str) -> None:
        with pytest.raises(InputError, match=r"metric|bounds"):
            metric_columns(words)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("loss=nll:foo", "metric loss: 'nll:foo' given, expected the name of a column, :max behind it"),
            ("loss=nll:nan..1", "metric loss: 'nll:nan..1' given, expected the name of a column, :max behind it"),
            ("loss=nll:0..1:0..2", "metric loss: 'nll:0..1:0..2' given, expected the name of a column, :max behind it"),
            ("validation_error=nll:foo", "metric validation_error: 'nll:foo' given, expected a column alone"),
            ("loss=nil:foo", "metrics: 'nil:foo' given, expected a column of the frame: nll"),
        ],
    )
    def test_what_stands_behind_a_column_that_is_there_is_what_is_wrong(self, words: str, said: str) -> None:
        columns = read_columns({"nll": [1.0]})
        with pytest.raises(InputError) as caught:
            metric_cells(metric_columns(words)[0], columns)
        assert str(caught.value).startswith(said)

    def test_a_column_with_a_colon_in_its_name_is_found(self) -> None:
        columns = read_columns({"nll": [1.0], "nll:foo": [2.0]})
        assert metric_cells(metric_columns("loss=nll:foo:max")[0], columns) == [2.0]

    def test_a_failure_counts_as_the_worst_that_ended_ok(self) -> None:
        for words, failure, low in (("l=x", 7.0, 0.0), ("l=x:max", 2.0, 0.0)):
            assert settled(metric_columns(words)[0], [2.0, 7.0]).failure == failure
            assert settled(metric_columns(words)[0], [2.0, 7.0]).bounds[0] == low
        assert settled(metric_columns("l=x")[0], [-1.0, 7.0]).bounds[0] == -math.inf
        assert settled(metric_columns("validation_error=x")[0], [0.1]) == VALIDATION_ERROR


class TestLadder:
    def test_few_budgets_are_rungs_many_are_not(self) -> None:
        assert ladder_of([9, 1, 3, 3], "epochs").as_dict() == {"minimum": 1, "maximum": 9, "eta": 3, "unit": "epochs"}
        assert ladder_of([7.0], "trees").rungs == (7.0,)
        few = ladder_of(list(range(1, MOST_LEVELS + 1)), "epochs")
        assert few.rungs == tuple(range(1, MOST_LEVELS + 1))
        assert not few.continuous
        many = ladder_of(list(range(1, 51)), "epochs")
        assert many.continuous
        assert many.rungs == (1, 3, 7, 19, 50)

    @given(st.lists(st.floats(1e-9, 1e12), min_size=1, max_size=80))
    def test_all_budgets_are_on_their_ladder(self, budgets: list[float]) -> None:
        ladder = ladder_of(budgets, "steps")
        assert ladder.has(budgets).all()
        assert {ladder.rungs[ladder.place_of(budget)] for budget in budgets} <= set(ladder.rungs)


class TestRows:
    """Of the toy space, which has everything."""

    @staticmethod
    def table() -> dict[str, list[object]]:
        configurations = TOY.sample(np.random.default_rng(0), 12)
        names = [name for name in TOY.names if name != "version"]
        cells = {name: [one.get(name) for one in configurations] for name in names}
        return {
            **cells,
            "steps": [10] * 12,
            "nll": [float(1 + k) for k in range(12)],
            "run": [k // 2 for k in range(12)],
        }

    ROLES = Roles("steps", metric_columns("loss=nll"), group="run")

    def test_every_configuration_comes_out_as_it_was(self) -> None:
        read = read_rows(read_columns(self.table()), TOY, self.ROLES, "steps", 0)
        assert [dict(e.configuration) for e in read.evaluations] == TOY.sample(np.random.default_rng(0), 12)
        assert read.task.ladder.amounts() == "10 steps"
        assert [len({e.extras["group"] for e in read.evaluations[k : k + 2]}) for k in (0, 1, 2)] == [1, 2, 1]
        assert len({e.key for e in read.evaluations}) == 12

    @pytest.mark.parametrize(
        ("column", "cell", "said"),
        [
            ("kind", "tree", "row 4 of the frame, column kind: 'tree' given, expected one of 'forest'"),
            ("steps", None, "row 4 of the frame, column steps: None given, expected a number from"),
            ("steps", -1, "expected a number from 1e-09"),
            ("nll", "abc", "row 4 of the frame, column nll: 'abc' given, expected a finite number"),
            ("nll", None, "column nll: None given, expected a finite number"),
            ("slope", 9.0, "column slope: 9.0 given, expected"),
            ("run", None, "column run: None given, expected a value"),
        ],
    )
    def test_a_wrong_row_is_named_with_column_value_and_what_was_expected(
        self, column: str, cell: object, said: str
    ) -> None:
        table = self.table()
        table["size"][3], table["slope"][3] = "small", 1.0
        table[column][3] = cell
        with pytest.raises(InputError) as caught:
            read_rows(read_columns(table), TOY, self.ROLES, "steps", 0)
        assert said in str(caught.value)
        read = read_rows(read_columns(table), TOY, self.ROLES, "steps", 1)
        assert len(read.evaluations) == 11
        assert [error.field.split(",")[0] for error in read.left_out] == ["row 4 of the frame"]

    def test_a_value_where_a_hyperparameter_is_inactive_is_wrong(self) -> None:
        space = PlainSpace("s", (Choice("opt", ("sgd", "adam")), Number("x", 0.0, 1.0)), {})
        assert read_rows(
            read_columns({"opt": ["sgd"], "x": [0.5], "b": [1], "l": [2]}),
            space,
            Roles("b", metric_columns("loss=l")),
            "b",
            0,
        )
        table = self.table()
        place = next(k for k, size in enumerate(table["size"]) if size == "large")
        table["slope"][place] = 0.5
        with pytest.raises(InputError, match="no value, since it is active where size is below large"):
            read_rows(read_columns(table), TOY, self.ROLES, "steps", 0)

    def test_rows_of_one_configuration_are_numbered_or_have_seeds_of_their_own(self) -> None:
        space = PlainSpace("s", (Number("x", 0.0, 1.0),))
        cells = {"x": [0.5, 0.5, 0.25], "b": [1, 1, 1], "l": [2, 3, 4], "seed": [7, 7, 7]}
        roles = Roles("b", metric_columns("loss=l"))
        read = read_rows(read_columns(cells), space, roles, "epochs", 0)
        assert [e.seed for e in read.evaluations] == [0, 1, 0]
        with pytest.raises(InputError, match="row 2 of the frame, seed: 7 given, expected another than row 1 has"):
            read_rows(read_columns(cells), space, Roles("b", metric_columns("loss=l"), seed="seed"), "epochs", 0)

    def test_a_failure_needs_no_value_and_counts_as_the_worst(self) -> None:
        space = PlainSpace("s", (Number("x", 0.0, 1.0),))
        cells = {"x": [0.5, 0.2, 0.3], "b": [1, 1, 1], "acc": [0.5, 0.25, None], "bad": [False, False, True]}
        roles = Roles("b", metric_columns("accuracy=acc:max"), status="bad", when_true=Status.DIVERGED)
        read = read_rows(read_columns(cells), space, roles, "epochs", 0)
        assert [e.status for e in read.evaluations] == ["ok", "ok", "diverged"]
        assert read.evaluations[2].metrics["accuracy"] == 0.25
        assert read.task.objective.maximize

    def test_a_table_without_anything_to_learn_from_is_refused(self) -> None:
        space, roles = PlainSpace("s", (Number("x", 0.0, 1.0),)), Roles("b", metric_columns("loss=l"))
        with pytest.raises(InputError, match="a row that can be used"):
            read_rows(read_columns({"x": [2.0], "b": [1], "l": [1]}), space, roles, "epochs", 5)
