"""A benchmark's folder is written whole or not at all, and force replaces benchmarks alone."""

from pathlib import Path

import pytest

from jointbench.data.errors import WouldOverwriteError
from jointbench.surrogate.stored import MANIFEST
from jointbench.surrogate.whole_folder import write_folder

FILES = {MANIFEST: b"{}", "card.md": b"new"}


def test_force_replaces_a_benchmark_with_all_that_is_in_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", {**FILES, "left.whl": b"old"})
    write_folder(tmp_path / "out", FILES, force=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_may_be_filled_by_force_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(WouldOverwriteError):
        write_folder(tmp_path / "out", FILES)
    write_folder(tmp_path / "out", FILES, force=True)
    assert (tmp_path / "out" / MANIFEST).exists()


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["a person's folder", "a file", "a link"])
def test_what_is_no_benchmark_stays(kind: str, force: bool, tmp_path: Path) -> None:
    out, letters = tmp_path / "out", tmp_path / "home" / "letters.txt"
    letters.parent.mkdir()
    letters.write_text("dear", encoding="utf-8")
    if kind == "a file":
        out.write_text("dear", encoding="utf-8")
    elif kind == "a link":
        (letters.parent / MANIFEST).write_text("{}", encoding="utf-8")
        out.symlink_to(letters.parent)
    else:
        letters.parent.rename(out)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    with pytest.raises(WouldOverwriteError, match="folder"):
        write_folder(out, FILES, force=force)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_nothing_is_left_of_what_cannot_be_written(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", FILES)
    with pytest.raises(OSError, match="name too long"):
        write_folder(tmp_path / "out", {"card.md": b"newer", "a" * 300: b""}, force=True)
    assert (tmp_path / "out" / "card.md").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
