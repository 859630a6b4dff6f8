"""One job of a Slurm cluster, as dask-jobqueue submits it."""

import shlex
from typing import Any

from dask_jobqueue.slurm import SLURMJob
from distributed import Security


class Job(SLURMJob):
    """Its script names the files of the credentials so that a shell takes them as they are."""

    def __init__(self, *arguments: Any, security: Security, **options: Any) -> None:
        files = security.get_tls_config_for_role("worker")
        quoted = Security(
            require_encryption=True,
            tls_ca_file=shlex.quote(files["ca_file"]),
            tls_worker_cert=shlex.quote(files["cert"]),
            tls_worker_key=shlex.quote(files["key"]),
        )
        super().__init__(*arguments, security=quoted, **options)
