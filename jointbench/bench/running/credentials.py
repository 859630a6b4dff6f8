"""Who may take part in a Dask cluster: whoever has the key that was made for it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jointbench.bench.running.private_folder import private_folder, remove_abandoned
from jointbench.data.log import CREDENTIALS

#: Of the private folders of runs whose workers are all on this machine; these are where temporary files go.
LOCAL = "jointbench-run-"


@contextmanager
def local_folder() -> Iterator[Path]:
    """A private folder on this machine."""
    with private_folder(Path(tempfile.gettempdir()), LOCAL) as folder:
        yield folder


@contextmanager
def shared_folder(log: Path) -> Iterator[Path]:
    """A private folder that workers on other machines reach too, since they write into the log."""
    with private_folder(log, CREDENTIALS) as folder:
        yield folder


def remove_old_credentials(log: Path) -> None:
    """Remove what runs that were killed have left on this machine and in the folder of the log."""
    remove_abandoned(Path(tempfile.gettempdir()), LOCAL)
    remove_abandoned(log, CREDENTIALS)


def new_credentials(folder: Path) -> Any:
    """A `distributed.Security` of mutual TLS, made for one cluster; its two files lie in `folder`, a private one.

    Scheduler, workers and clients show the same certificate and accept no other.
    """
    from distributed import Security

    made = Security.temporary()
    certificate = _written(folder / "certificate.pem", made.tls_ca_file)
    key = _written(folder / "key.pem", made.tls_worker_key)
    roles = ("client", "scheduler", "worker")
    files = {f"tls_{role}_cert": certificate for role in roles} | {f"tls_{role}_key": key for role in roles}
    return Security(require_encryption=True, tls_ca_file=certificate, **files)


def _written(path: Path, text: str) -> str:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return str(path)
