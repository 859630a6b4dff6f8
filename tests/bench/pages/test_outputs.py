"""Commands whose output cannot be written, by whatever fault of the place, the disk or the terminal."""

import errno
import fcntl
import io
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from jointbench.bench.comparing.comparison_folder import RUNS, SETTINGS, Settings
from jointbench.bench.comparing.comparison_start import start
from jointbench.bench.comparing.simulated_objective import simulated_settings
from jointbench.bench.pages.page import figure_html
from jointbench.bench.running.journal import Journal
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.cli import main
from jointbench.cli.terminal import print_anywhere
from jointbench.data.errors import LogError, UnwritableError, WouldOverwriteError
from jointbench.surrogate.stored import load_benchmark, released

RELEASED = released()["digits-cpu"] / "evaluations.parquet"
COMPARE = "compare digits-cpu --optimizers random --seeds 1 --full-budgets 2 --jobs 1 --out"

#: Every command with an output, and who does its work.
WRITING = {
    f"{COMPARE} {{place}}": "jointbench.bench.comparing.comparison._run_all",
    f"fit {RELEASED} --out {{place}}": "jointbench.surrogate.surrogate.Surrogate.fit",
    "publish digits-cpu --out {place}": "jointbench.surrogate.publish.check_golden",
    f"analyse {RELEASED} --out {{place}}": "jointbench.bench.calls.analysing._analysis",
    f"merge {RELEASED} --out {{place}}": "jointbench.data.log.EvaluationLog.table",
    f"report {RELEASED} --out {{place}}": "jointbench.bench.pages.report.log_page",
    "train zela-2018 --images digits --budget 0.3 --device cpu --log {place}": (
        "jointbench.bench.running.training_objective.TrainingObjective.__call__"
    ),
    "collect {place} --images digits --ladder 1,3 --full-budgets 1 --device cpu": (
        "jointbench.bench.running.dask_cluster.DaskCluster.__enter__"
    ),
}


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    shown = capsys.readouterr()
    assert ended.value.code == 2, shown.err
    (line,) = shown.err.strip().splitlines()
    assert shown.out == ""
    return line


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("words", WRITING, ids=lambda words: words.split()[0])
@pytest.mark.parametrize(
    ("place", "reason"), [("file/x", "Not a directory"), ("x" * 256, "File name too long")], ids=["file", "name"]
)
def test_a_place_is_checked_before_the_work(
    words: str, place: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def work(*arguments: object, **named: object) -> NoReturn:
        raise AssertionError("it works before it has checked")

    monkeypatch.setattr(WRITING[words], work)
    (tmp_path / "file").touch()
    said = refused(words.format(place=tmp_path / place), capsys)
    assert f"expected a place that can be written to ({reason})" in said
    assert names(tmp_path) == ["file"]


def settings() -> Settings:
    objective = SurrogateObjective(load_benchmark("digits-cpu"))
    return simulated_settings(objective, workers=1, full_budgets=2.0, overhead=0.0, death_rate=0.0)


def test_what_is_in_the_way_of_any_part_of_a_comparison_is_found_first(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    start(out, settings(), ["random"], "first", force=False)
    for part in ("workers-4", "report.html/x"):
        (out / part).parent.mkdir(exist_ok=True)
        (out / part).touch()
        before = names(tmp_path)
        refused(f"{COMPARE} {out} --workers 1,4", capsys)
        assert names(tmp_path) == before
        (out / part).unlink()
    with pytest.raises(UnwritableError, match=r"run file: .*File name too long"):
        start(tmp_path / "other", settings(), [f"{'/folder' * 30}/mine.py:Mine"], "x", force=False)
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs") / "comparison"
    main([*COMPARE.split(), str(folder)])
    return folder


def test_a_page_that_cannot_be_written_is_said_before_it_is_drawn(
    comparison: Path, tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(comparison, tmp_path / "out")
    (tmp_path / "out" / "report.html").unlink()
    (tmp_path / "out" / "report.html").mkdir()
    capsys.readouterr()
    for words in (f"report {tmp_path}/out", f"retrain {tmp_path}/out", f"{COMPARE} {tmp_path}/out --seeds 2"):
        assert "report.html" in refused(words, capsys)
    main(["report", f"{tmp_path}/out", "--out", f"{tmp_path}/new/page.html"])
    capsys.readouterr()
    assert (tmp_path / "new" / "page.html").exists()
    (tmp_path / "report.html").mkdir()
    assert "page" in refused(f"report {tmp_path}/out --out {tmp_path}", capsys)


@pytest.mark.parametrize("out", ["there", "made/"])
def test_a_page_goes_into_the_folder_that_is_named(comparison: Path, out: str, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "there").mkdir()
    capsys.readouterr()
    main(["report", str(comparison), "--out", f"{tmp_path}/{out}"])
    page = (tmp_path / out / "report.html").resolve()
    assert capsys.readouterr().out == f"the picture: {page}\n"
    assert page.is_file()


@pytest.mark.parametrize("name", ["rnag-digits", load_benchmark("rnag-digits").name])
def test_the_page_of_a_benchmark_that_ships_is_drawn_here(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["report", name])
    assert capsys.readouterr().out == "the picture: rnag-digits-report.html\n"
    assert "Trainings on digits-halves" in (tmp_path / "rnag-digits-report.html").read_text(encoding="utf-8")


def test_the_page_of_a_benchmarks_trainings_spares_the_one_that_fit_drew(tmp_path: Path, capsys: Any) -> None:
    folder = Path(shutil.copytree(released()["rnag-digits"], tmp_path / "benchmark"))
    (folder / "report.html").write_text("how far it can be trusted", encoding="utf-8")
    main(["report", str(folder)])
    assert capsys.readouterr().out == f"the picture: {folder}/evaluations-report.html\n"
    assert (folder / "report.html").read_text(encoding="utf-8") == "how far it can be trusted"


def test_a_disk_that_is_full_in_the_middle_is_one_sentence(tmp_path: Path) -> None:
    """A page has megabytes."""
    done = jointbench(f"report {RELEASED} --out out.html", cwd=tmp_path, limit=500_000)
    assert (done.returncode, done.stdout) == (2, "")
    (said,) = done.stderr.splitlines()
    assert said.endswith("'out.html' given, expected a place that can be written to (File too large)")
    assert names(tmp_path) == []


def jointbench(words: str, *, cwd: Path, limit: int | None = None, **more: Any) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, whose files may have `limit` bytes."""

    def in_the_child() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more.pop("env", {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    call = [sys.executable, "-m", "jointbench", *words.split()]
    return subprocess.run(call, cwd=cwd, env=environment, encoding="utf-8", preexec_fn=in_the_child, **pipes)


def test_standard_output_that_takes_nothing_is_one_sentence(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = jointbench("describe", cwd=tmp_path, stdout=full)
    assert done.returncode == 2
    assert done.stderr == "jointbench: standard output: No space left on device\n"


#: Python as it is where the locale's encoding is not UTF-8; ASCII has still less than ISO-8859-1.
NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_a_comparison_where_the_locale_is_not_utf8(tmp_path: Path) -> None:
    done = jointbench(f"{COMPARE} größe", cwd=tmp_path, env=NO_UTF8)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "| random " in done.stdout
    page = (tmp_path / "größe" / "report.html").read_text(encoding="utf-8")
    assert '<meta charset="utf-8">' in page
    # There the folder's name is no text at all, and the page says by what command it was made.
    assert r"gr\udcc3\udcb6" in page


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "größer… ━ ?"), ("iso8859-1", "größer... ? ?"), ("ascii", "grosser... ? ?".replace("oss", "o?"))],
)
def test_a_terminal_shows_what_it_can(encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    print_anywhere()
    # The last is a byte of a file's name that is no UTF-8.
    print("größer… ━ \udcff", end="", flush=True)
    assert terminal.buffer.getvalue().decode(encoding) == shown  # type: ignore[attr-defined]


def test_comparisons_may_start_at_the_same_moment(tmp_path: Path) -> None:
    """In one folder: each finds it new, or as another has begun it."""
    fork, wanted = multiprocessing.get_context("fork"), settings()
    together = fork.Barrier(6)

    def work() -> None:
        for number in range(10):
            together.wait(timeout=60)
            start(tmp_path / str(number), wanted, ["random"], "the same command", force=False)

    processes = [fork.Process(target=work) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    for number in range(10):
        assert names(tmp_path / str(number)) == [SETTINGS, RUNS]
        assert Settings.read(tmp_path / str(number)) == wanted


def test_a_comparison_goes_into_what_a_start_left_and_into_nothing_of_a_persons(tmp_path: Path) -> None:
    left, persons = tmp_path / "left", tmp_path / "persons"
    for folder in (left, persons):
        (folder / RUNS).mkdir(parents=True)
        (folder / f".{'0' * 32}.writing").touch()
    (persons / RUNS / "marathon.txt").touch()
    start(left, settings(), ["random"], "x", force=False)
    with pytest.raises(WouldOverwriteError, match="empty or new"):
        start(persons, settings(), ["random"], "x", force=False)


class TestLocks:
    @pytest.fixture
    def no_locks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As NFS without its lock service."""

        def refuse(file: object, operation: int) -> NoReturn:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(fcntl, "flock", refuse)

    @pytest.mark.usefixtures("no_locks")
    def test_a_file_system_without_them_is_not_another_process(self, tmp_path: Path) -> None:
        path = tmp_path / "runs" / "x.journal"
        with pytest.raises(LogError, match=r"file system that can lock files \(No locks available\), or lock=False"):
            Journal(path)
        Journal(path, lock=False).close()

    @pytest.mark.usefixtures("no_locks")
    @pytest.mark.parametrize(
        "words",
        [
            "collect {tmp}/out --images digits --ladder 1,3 --full-budgets 1 --device cpu",
            "compare digits-cpu --objective train --optimizers random --full-budgets 1 --device cpu --out {tmp}/out",
        ],
        ids=lambda words: words.split()[0],
    )
    def test_a_command_that_trains_can_do_without(
        self, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> None:
        """A run takes its journal first and its workers then."""

        def arrived(cluster: object) -> NoReturn:
            raise RuntimeError("workers are started")

        monkeypatch.setattr("jointbench.bench.running.dask_cluster.DaskCluster.__enter__", arrived)
        given = words.format(tmp=tmp_path).split()
        with pytest.raises(SystemExit, match="2"):
            main(given)
        assert "--no-lock" in capsys.readouterr().err
        with pytest.raises(RuntimeError, match="workers are started"):
            main([*given, "--no-lock"])


class TestReports:
    @pytest.mark.parametrize("log", [RELEASED, RELEASED.parent], ids=["file", "folder"])
    def test_of_what_ships_are_written_here(self, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        before = names(RELEASED.parent)
        main(["report", str(log)])
        assert names(RELEASED.parent) == before
        (page,) = tmp_path.iterdir()
        assert page.name == f"{log.stem}-report.html"

    def test_offer_no_upload(self) -> None:
        import plotly.graph_objects as go

        drawn = figure_html(go.Figure(go.Scatter(x=[1], y=[2])), 300)
        assert '"showSendToCloud": false' in drawn
