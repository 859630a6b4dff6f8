"""Files appear whole or not at all, at whatever moment a write ends, and a place that cannot be written to is known."""

import ast
import errno
import multiprocessing
import os
import pickle
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.data.errors import InputError, LogError, UnwritableError
from jointbench.data.files import (
    UNFINISHED,
    check_writable,
    make_folder,
    remove_unfinished,
    unfinished,
    write_whole,
)
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.stored import MANIFEST, released
from jointbench.surrogate.whole_folder import check_replaceable, write_folder

ROOT = Path(__file__).parents[2]
FORK = multiprocessing.get_context("fork")


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def in_a_process(work: Callable[[], None]) -> int:
    """The exit code of a process that does this, so that its limits and its rights are its own."""
    process = FORK.Process(target=work)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], None]], int]:
    """Runs something as a user who may not read or write everything, as root may."""

    def run(work: Callable[[], None]) -> int:
        def without_rights() -> None:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            work()

        return in_a_process(without_rights)

    return run


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user comes to, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class TestWriting:
    @settings(max_examples=25)
    @given(st.text(st.characters(codec="utf-8")))
    def test_text_is_utf8_with_its_line_ends(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_whole(Path(folder, "x"), text)
            assert Path(folder, "x").read_bytes() == text.encode()

    def test_a_name_that_is_no_utf8_can_be_written_of(self, tmp_path: Path) -> None:
        write_whole(tmp_path / "x", "in " + os.fsdecode(b"b\xff"))
        assert (tmp_path / "x").read_bytes() == rb"in b\udcff"

    @pytest.mark.parametrize("there", [False, True])
    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), ValueError("x")])
    def test_a_write_that_breaks_off_changes_nothing(self, error: BaseException, there: bool, tmp_path: Path) -> None:
        if there:
            (tmp_path / "x").write_bytes(b"old")

        def half(file: BinaryIO) -> None:
            file.write(b"new" * 10_000)
            raise error

        with pytest.raises(UnwritableError if isinstance(error, OSError) else type(error)):
            write_whole(tmp_path / "x", half)
        assert names(tmp_path) == ["x"] * there
        assert not there or (tmp_path / "x").read_bytes() == b"old"

    def test_a_disk_that_is_full_in_the_middle_leaves_nothing(self, tmp_path: Path) -> None:
        write_folder(tmp_path / "out", {MANIFEST: b"old"})

        def work() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
            for write in (
                lambda: write_whole(tmp_path / "x", b"x" * 20_000),
                lambda: write_folder(tmp_path / "out", {MANIFEST: b"new", "x": b"x" * 20_000}, force=True),
            ):
                with pytest.raises(UnwritableError, match=r"(x|out)' given.*File too large"):
                    write()

        assert in_a_process(work) == 0
        assert names(tmp_path) == ["out", f"out/{MANIFEST}"]
        assert (tmp_path / "out" / MANIFEST).read_bytes() == b"old"

    def test_what_is_written_once_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("x", "y"):
            write_whole(tmp_path / name, "first", once=True)
            write_whole(tmp_path / name, "second", once=True)
            assert (tmp_path / name).read_bytes() == b"first"

            # Another time as on a file system that has no second names.
            def refuse(*paths: Path) -> None:
                raise OSError(errno.EPERM, "Operation not permitted")

            monkeypatch.setattr(os, "link", refuse)
        assert names(tmp_path) == ["x", "y"]

    @pytest.mark.parametrize("once", [False, True])
    def test_writers_at_the_same_moment_do_not_meet(self, once: bool, tmp_path: Path) -> None:
        together = FORK.Barrier(6)

        def work(own: bytes) -> None:
            together.wait()
            for _ in range(20):
                write_whole(tmp_path / "x", own, once=once)

        processes = [FORK.Process(target=work, args=(bytes([number]) * 50_000,)) for number in range(6)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        assert names(tmp_path) == ["x"]
        content = (tmp_path / "x").read_bytes()
        assert len(content) == 50_000
        assert len(set(content)) == 1

    def test_what_writers_of_a_file_left_that_died_is_removed_and_nothing_else(self, tmp_path: Path) -> None:
        for name in ("x", "x", "xy"):
            unfinished(tmp_path / name).touch()
        write_whole(tmp_path / "x", "")
        remove_unfinished(tmp_path / "x")
        (left,) = set(names(tmp_path)) - {"x"}
        remove_unfinished(tmp_path / "xy")
        assert left.endswith(UNFINISHED)
        assert names(tmp_path) == ["x"]
        remove_unfinished(tmp_path / "no folder" / "x")

    def test_a_name_is_as_long_as_it_may_be(self, tmp_path: Path) -> None:
        longest = "x" * os.pathconf(tmp_path, "PC_NAME_MAX")
        check_writable(tmp_path / longest)
        write_whole(tmp_path / longest, "")
        write_folder(tmp_path / "folder" / longest, {MANIFEST: b""})
        assert len(unfinished(tmp_path / longest).name) < len(longest)


class TestChecking:
    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("file/x", "Not a directory"),
            ("file/y/z/x", "Not a directory"),
            ("x" * 256, "File name too long"),
            ("new/" + "x" * 256, "File name too long"),
            ("new/" * 2000 + "x", "File name too long"),
            ("broken/x", "No such file or directory"),
            ("/proc/jointbench/x", "No such file or directory"),
            ("loop/x", "Too many levels of symbolic links"),
        ],
        ids=lambda value: value[:20],
    )
    def test_what_stands_in_the_way_is_said_and_all_stays(self, place: str, reason: str, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "broken").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to("loop")
        before = names(tmp_path)
        for check in (check_writable, lambda path: check_writable(path, folder=True)):
            with pytest.raises(UnwritableError, match=rf"out: .* given, expected a place .*\({reason}\)"):
                check(tmp_path / place)
        with pytest.raises(UnwritableError, match=reason):
            check_replaceable(tmp_path / place, force=False)
        with pytest.raises(UnwritableError, match=reason):
            write_folder(tmp_path / place, {MANIFEST: b""})
        assert names(tmp_path) == before

    def test_a_folder_is_no_place_for_a_file_nor_a_file_for_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        check_writable(tmp_path / "folder", folder=True)
        check_writable(tmp_path / "file")
        with pytest.raises(UnwritableError, match="Is a directory"):
            check_writable(tmp_path / "folder")
        with pytest.raises(UnwritableError, match="Not a directory"):
            check_writable(tmp_path / "file", folder=True)
        for broken in (lambda: write_whole(tmp_path / "folder", ""), lambda: make_folder(tmp_path / "file")):
            with pytest.raises(UnwritableError):
                broken()

    @settings(max_examples=25)
    @given(st.lists(st.sampled_from(["a", "b", "there"]), min_size=1, max_size=4))
    def test_where_it_says_yes_a_file_can_be_written(self, parts: list[str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "there", "there").mkdir(parents=True)
            place = Path(folder, *parts)
            before = names(Path(folder))
            try:
                check_writable(place)
            except UnwritableError:
                assert place.is_dir()
                return
            assert names(Path(folder)) == before
            make_folder(place.parent)
            write_whole(place, "x")

    def test_a_folder_of_somebody_else_is_no_place(
        self, open_folder: Path, as_nobody: Callable[[Callable[[], None]], int]
    ) -> None:
        write_folder(open_folder / "there", {MANIFEST: b""})
        for folder in (open_folder / "there", open_folder):
            folder.chmod(0o555)

        def work() -> None:
            for check in (
                lambda: check_writable(open_folder / "x"),
                lambda: check_writable(open_folder / "x" / "y", folder=True),
                lambda: check_writable(open_folder / "there", folder=True),
                lambda: check_replaceable(open_folder / "x", force=False),
                lambda: check_replaceable(open_folder / "there", force=True),
            ):
                with pytest.raises(UnwritableError, match="Permission denied"):
                    check()

        assert as_nobody(work) == 0

    def test_a_part_of_a_log_that_may_not_be_read_is_not_damaged(
        self, open_folder: Path, as_nobody: Callable[[Callable[[], None]], int]
    ) -> None:
        part = open_folder / "0-x.parquet"
        part.write_bytes((released()["digits-cpu"] / "evaluations.parquet").read_bytes())
        log = EvaluationLog.open(open_folder)
        # Imports all that it needs, which somebody else may not.
        assert log.table().num_rows
        part.chmod(0)
        open_folder.chmod(0o777)

        def work() -> None:
            for use in (lambda: EvaluationLog.open(open_folder), log.set_aside_damaged, log.table):
                with pytest.raises(LogError, match="Permission denied"):
                    use()

        assert as_nobody(work) == 0
        assert names(open_folder) == [part.name]


def test_the_error_crosses_process_borders_and_is_an_oserror() -> None:
    error = UnwritableError("out", "there", "No space left on device")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.reason == error.reason
    assert isinstance(again, InputError)
    assert isinstance(again, OSError)


def test_a_log_begins_where_it_can_be_written_to_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    facts = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet").task
    with pytest.raises(UnwritableError, match="log: "):
        EvaluationLog.open_or_create(tmp_path / "file" / "log", facts.space, Ladder(1, 3), facts.images)


def without_encoding(source: str) -> Iterator[str]:
    """The calls in a source that read or write text as the locale has it, which ruff does not all see."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and not any(keyword.arg == "encoding" for keyword in node.keywords):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            modes = [
                word for word in words if isinstance(word, str) and 0 < len(word) < 4 and set(word) <= set("abrtwx+")
            ]
            text_mode = isinstance(node.func, ast.Name) or modes
            opened = called == "open" and text_mode and not any("b" in mode for mode in modes)
            if called in ("read_text", "write_text") or opened:
                yield ast.unparse(node)


def test_every_text_file_is_read_and_written_as_utf8_by_name() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, encoding="utf-8").stdout
    files = [ROOT / name for name in listed.split()] or [*(ROOT / "jointbench").rglob("*.py")]
    found = {path: list(without_encoding(path.read_text(encoding="utf-8"))) for path in files}
    assert {path: calls for path, calls in found.items() if calls} == {}
    wrong = ["path.read_text()", "open(path)", "open(path, 'a')", "path.open('w')", "path.write_text('x')"]
    assert all(list(without_encoding(call)) for call in wrong)
