"""Tables as they should not be: a small true one, and ways to damage it. `python tests/hostile_tables.py 10000` imports
so many, and says how many were refused."""

import io
import sys
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hostile import flipped

import jointbench
from jointbench.data.errors import InputError, JointBenchError
from jointbench.data.log import EvaluationLog

#: Cells at which parsing, arithmetic or storing breaks.
CELLS = (
    *(
        "",
        " ",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "1e308",
        "-1e308",
        "5e-324",
        "1_000",
        "0x10",
        "1,5",
        "٣",
        "1e",
        "--1",
        "+",
    ),
    *("9" * 400, "9" * 5000, "0.1.2", "None", "null", "True", "false", "ok", "diverged", "sgd", "adam ", "no such"),
    *('"', '""', "a\nb", "a\x00b", "\ud800", "💥", "=1+1", "../../etc/passwd", "x" * 200_000, "-0", "2.5", "1e400"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**62, -(2**63), 0.5, float("nan"), float("inf"), -1e308, 5e-324),
    *("", "abc", "9" * 5000, b"\xff\xfe", Decimal("1.5"), [1], {"a": 1}),
)
NAMES = ("lr", "epoch", "loss", "", " ", "seed", "x" * 300, "configuration", "budget", "a,b", "\x00", "key")
HOW: dict[str, Any] = {
    "budget": "epoch",
    "metrics": "loss=loss,accuracy=acc:max:0..1,training_seconds=time",
    "seed_column": "seed",
    "status_column": "status",
}


def small() -> dict[str, list[Any]]:
    """Columns of 24 rows, by name."""
    rows = range(24)
    return {
        "lr": [10.0 ** -(1 + row % 5) for row in rows],
        "layers": [1 + row % 4 for row in rows],
        "optimizer": ["sgd" if row % 2 else "adam" for row in rows],
        "momentum": [0.5 + row / 100 if row % 2 else None for row in rows],
        "epoch": [(1, 3, 9)[row % 3] for row in rows],
        "seed": [row // 3 for row in rows],
        "loss": [2.5 + row / 7 for row in rows],
        "acc": [row / 30 for row in rows],
        "time": [1.5 * (row + 1) for row in rows],
        "status": ["diverged" if row == 7 else "ok" for row in rows],
    }


def as_csv(table: list[list[str]], delimiter: str = ",") -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in table).encode("utf-8", "surrogatepass")


def hostile_csv(random: Random) -> bytes:
    columns = small()
    table = [list(columns)] + [
        ["" if cell is None else str(cell) for cell in row] for row in zip(*columns.values(), strict=True)
    ]
    for _ in range(random.choice((1, 1, 2, 4))):
        row = random.choice(table)
        match random.randrange(8):
            case 0 | 1 | 2:
                row[random.randrange(len(row))] = random.choice(CELLS)
            case 3:
                row.insert(random.randrange(len(row)), random.choice(CELLS))
            case 4 if len(row) > 1:
                del row[random.randrange(len(row))]
            case 5:
                table[0][random.randrange(len(table[0]))] = random.choice(NAMES)
            case 6:
                table.insert(random.randrange(len(table)), list(random.choice(table)))
            case _ if len(table) > 2:
                del table[random.randrange(len(table)) :]
                table = table or [[""]]
        if not all(table):
            table = [row or [""] for row in table]
    content = as_csv(table, random.choice((",", ",", ",", ";", "\t", "|")))
    kind = random.random()
    if kind < 0.2 and content:
        content = flipped(random, content)
    elif kind < 0.25:
        content = content.decode("utf-8", "replace").encode(
            random.choice(("utf-16", "latin-1", "utf-8-sig")), "replace"
        )
    return content


def hostile_parquet(random: Random) -> bytes:
    columns: dict[str, Any] = small()
    for _ in range(random.choice((1, 1, 2))):
        name = random.choice(list(columns))
        match random.randrange(5):
            case 0 | 1:
                columns[name][random.randrange(24)] = random.choice(VALUES)
            case 2:
                columns[name] = [random.choice(VALUES)] * 24
            case 3:
                columns[random.choice(NAMES)] = columns.pop(name)
            case _:
                del columns[name]
        if not columns:
            columns = {"a": [1] * 24}
    arrays = {}
    for name, cells in columns.items():
        try:
            arrays[name] = pa.array(cells)
        except (pa.ArrowException, OverflowError, TypeError):
            # Of cells of several kinds Arrow makes no column.
            arrays[name] = pa.array([repr(cell)[:50] for cell in cells])
    kept = random.choice((24, 24, 24, 1, 0))
    table = pa.table(arrays).slice(0, kept)
    if random.random() < 0.1:
        table = pa.Table.from_arrays([*table.columns, table.column(0)], names=[*table.column_names, "lr"])
    made = io.BytesIO()
    pq.write_table(table, made)
    return flipped(random, made.getvalue()) if random.random() < 0.4 else made.getvalue()


def survives(number: int, folder: Path) -> JointBenchError | None:
    """Import the hostile table of this number: it is refused by one sentence, and nothing is written, or it is a log
    whose every evaluation can be read. Returns what refused it."""
    random = Random(number)
    content = hostile_parquet(random) if number % 3 == 0 else hostile_csv(random)
    table, out = folder / "table.csv", folder / f"log-{number}"
    table.write_bytes(content)
    before = sorted(path.name for path in folder.iterdir())
    refused = None
    try:
        made = jointbench.import_table(table, out, **HOW, skip_bad_rows=random.choice((0, 0, 3, 30)))
    except JointBenchError as error:
        refused = error
    if refused is not None:
        said = str(refused)
        assert isinstance(refused, InputError), said
        assert len(said.splitlines()) == 1, said
        assert "expected" in said, said
        assert len(said) < 1200, said
        assert sorted(path.name for path in folder.iterdir()) == before, "something was left"
        return refused
    log = EvaluationLog.open(out)
    evaluations = list(log.evaluations())
    assert 0 < len(evaluations) == len(made.log)
    # No row is made up: damage may repeat a stretch of the file, and with it rows.
    there = 24 if number % 3 == 0 else len(content.splitlines()) - 1
    assert len(evaluations) + len(made.left_out) <= there
    for evaluation in evaluations:
        assert log.space.check(evaluation.configuration) == dict(evaluation.configuration)
        log.ladder.place_of(evaluation.budget)
    return None


def main(count: int) -> None:
    found: Counter[str] = Counter()
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            refused = survives(number, Path(folder))
        found["imported" if refused is None else "refused"] += 1
    print(f"{count:,} hostile tables: {found['refused']:,} refused by one sentence, {found['imported']:,} harmless")


if __name__ == "__main__":
    main(int(sys.argv[1]))
