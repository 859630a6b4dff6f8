"""Who gets into the Dask cluster of a run: nobody but the run itself; and what is left of it when it has ended."""

import asyncio
import errno
import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, Security, rpc

from jointbench.bench.running.credentials import LOCAL, new_credentials, remove_old_credentials
from jointbench.bench.running.private_folder import private_folder, remove_abandoned
from jointbench.bench.running.worker_end import EndAtOnce
from jointbench.bench.running.workplaces import ThisMachine
from jointbench.cli import main
from jointbench.data.errors import InputError
from jointbench.data.log import CREDENTIALS


def listening() -> set[tuple[str, int]]:
    """Interface and port, of this process and those that it has started."""
    this = psutil.Process()
    found = set()
    for process in (this, *this.children(recursive=True)):
        try:
            connections = process.net_connections()
        except psutil.Error:
            continue
        found |= {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}
    return found


def page(port: int, path: str) -> int | None:
    """The HTTP status that a port answers with; None where it speaks no HTTP."""
    try:
        return int(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def gets_in(address: str, security: Security | None) -> bool:
    try:
        with Client(address, security=security, timeout="2s") as client:
            client.run_on_scheduler(os.getpid)
    except OSError:
        return False
    return True


def answers(address: str, security: Security) -> bool:
    async def ask() -> None:
        async with rpc(address, connection_args=security.get_connection_args("client"), timeout=2) as other:
            await other.identity()

    try:
        asyncio.run(ask())
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, set[tuple[str, int]]]]:
    """A cluster of one worker, and where it listens."""
    before = listening()
    with ThisMachine.processors(1).open(tmp_path_factory.mktemp("log")) as cluster:
        yield cluster, listening() - before


class TestLocal:
    def test_nothing_listens_beyond_loopback(self, opened: tuple[Any, set[tuple[str, int]]]) -> None:
        _, where = opened
        # Scheduler, nanny and worker at least.
        assert len(where) >= 3
        assert {interface for interface, _ in where} == {"127.0.0.1"}

    def test_a_client_without_the_credentials_is_refused(self, opened: tuple[Any, set[tuple[str, int]]]) -> None:
        cluster, _ = opened
        encrypted = cluster.scheduler_address
        plain = encrypted.replace("tls://", "tcp://")
        assert encrypted.startswith("tls://127.0.0.1:")
        assert gets_in(encrypted, cluster.security)
        assert not gets_in(plain, None)
        assert not gets_in(plain, Security(require_encryption=False))
        assert not gets_in(encrypted, Security.temporary())

    @pytest.mark.parametrize("who", ["worker", "nanny"])
    def test_neither_workers_nor_what_watches_them_take_orders(
        self, opened: tuple[Any, set[tuple[str, int]]], who: str
    ) -> None:
        cluster, _ = opened
        ((worker, facts),) = cluster.scheduler_info["workers"].items()
        encrypted = worker if who == "worker" else facts["nanny"]
        assert answers(encrypted, cluster.security)
        assert not answers(encrypted.replace("tls://", "tcp://"), Security(require_encryption=False))
        assert not answers(encrypted, Security.temporary())

    def test_there_is_no_page(self, opened: tuple[Any, set[tuple[str, int]]]) -> None:
        _, where = opened
        for path in ("/", "/status", "/info/main/workers.html", "/json/identity.json", "/metrics", "/health"):
            answers = {page(port, path) for _, port in where}
            assert answers <= {None, 404}, path

    def test_the_key_is_in_a_folder_that_nobody_else_enters(self, opened: tuple[Any, set[tuple[str, int]]]) -> None:
        cluster, _ = opened
        key = Path(cluster.security.tls_worker_key)
        assert "PRIVATE KEY" in key.read_text(encoding="utf-8")
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.parent.stat().st_mode & 0o777 == 0o700


def test_pages_where_they_are_asked_for_are_on_loopback(tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    before = listening()
    with ThisMachine([], dashboard=True).open(tmp_path) as cluster:
        where = listening() - before
        assert cluster.dashboard_link.startswith("http://127.0.0.1:")
        port = int(cluster.dashboard_link.split(":")[2].split("/")[0])
        assert ("127.0.0.1", port) in where
        assert {interface for interface, _ in where} == {"127.0.0.1"}
        assert page(port, "/status") == 200


def test_pages_need_something_to_draw_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("jointbench.bench.calls.workers.find_spec", lambda name: None)
    words = f"collect {tmp_path}/log --images digits --ladder 1,3 --full-budgets 1 --device cpu --dashboard"
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert "jointbench[dashboard]" in capsys.readouterr().err
    assert not (tmp_path / "log").exists()


def test_a_worker_that_closes_does_not_wait_for_what_it_computes(tmp_path: Path) -> None:
    with ThisMachine.processors(1).open(tmp_path) as cluster, Client(cluster) as client:
        client.register_plugin(EndAtOnce())
        client.submit(time.sleep, 10_000)
        (worker,) = client.run(os.getpid).values()
        process = psutil.Process(worker)
    assert not process.is_running()


class TestPrivateFolder:
    def test_it_is_gone_in_the_end_whatever_happens(self, tmp_path: Path) -> None:
        def fails() -> None:
            with private_folder(tmp_path, "x-") as folder:
                (folder / "key").write_text("", encoding="utf-8")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fails()
        assert not list(tmp_path.iterdir())

    def test_that_of_a_killed_process_is_removed_and_that_of_a_living_one_stays(self, tmp_path: Path) -> None:
        code = """
import sys, time
from pathlib import Path
from jointbench.bench.running.credentials import new_credentials, shared_folder
with shared_folder(Path(sys.argv[1])) as folder:
    new_credentials(folder)
    print(folder, flush=True)
    time.sleep(1000)
"""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        folder = Path(other.stdout.readline().strip())
        try:
            remove_old_credentials(tmp_path)
            assert (folder / "key.pem").exists()
        finally:
            other.kill()
            other.communicate()
        assert (folder / "key.pem").exists()
        remove_old_credentials(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_a_killed_local_run_leaves_nothing_to_the_next(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        left = tmp_path / f"{LOCAL}1"
        left.mkdir()
        (left / "lock").write_text("elsewhere 1", encoding="utf-8")
        (left / "key.pem").write_text("", encoding="utf-8")
        remove_old_credentials(tmp_path / "log")
        assert not list(tmp_path.iterdir())

    def test_without_locks_the_process_number_tells(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_locks(*_: object) -> None:
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(fcntl, "flock", no_locks)
        gone = subprocess.Popen(["true"])
        gone.wait()
        with private_folder(tmp_path, "x-") as folder:
            remove_abandoned(tmp_path, "x-")
            assert folder.exists()
            (folder / "lock").write_text(f"{socket.gethostname()} {gone.pid}", encoding="utf-8")
            remove_abandoned(tmp_path, "x-")
            assert not folder.exists()

    def test_what_only_looks_like_one_stays(self, tmp_path: Path) -> None:
        (tmp_path / f"{CREDENTIALS}mine").mkdir()
        (tmp_path / f"{CREDENTIALS}file").write_text("", encoding="utf-8")
        (tmp_path / f"{CREDENTIALS}link").symlink_to(tmp_path)
        remove_old_credentials(tmp_path)
        assert len(list(tmp_path.iterdir())) == 3

    def test_where_it_cannot_be_made_one_sentence_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="can be written to"), private_folder(tmp_path / "nowhere", "x-"):
            pass

    def test_a_file_system_that_keeps_nobody_out_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As drives of other systems are mounted: all files with the same mode.
        made = Path.mkdir
        monkeypatch.setattr(Path, "mkdir", lambda self, mode: (made(self), self.chmod(0o777)))
        with pytest.raises(InputError, match="keep others out"), private_folder(tmp_path, "x-"):
            pass
        assert not list(tmp_path.iterdir())


def test_no_two_clusters_share_a_key(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        new_credentials(tmp_path / name)
    first, second = ((tmp_path / name / "key.pem").read_bytes() for name in ("a", "b"))
    assert first != second
