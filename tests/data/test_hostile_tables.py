"""Hostile CSV and Parquet files are refused by one sentence or harmless, and leave nothing behind."""

from pathlib import Path

import pytest
from hostile_tables import survives

#: `python tests/hostile_tables.py 10000` tries more.
TABLES = 90


@pytest.mark.parametrize("first", range(0, TABLES, 30))
def test_a_hostile_table_is_refused_or_harmless(first: int, tmp_path: Path) -> None:
    outcomes = [survives(number, tmp_path) for number in range(first, first + 30)]
    # Both happen, or the tables would not be near enough to good ones.
    assert {outcome is None for outcome in outcomes} == {True, False}
