"""A real Slurm of one node, in a folder of its own, where its programs are installed (Debian: slurm-wlm and munge).

It needs neither root nor /etc, so that any number of them may run beside each other and beside the computer's own.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

#: Debian keeps what serves where only root looks.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])

needs_slurm = pytest.mark.skipif(
    any(shutil.which(program, path=PATH) is None for program in PROGRAMS), reason="no Slurm is installed"
)

#: One node of four processors, whatever the machine has; the daemons belong to whoever runs the tests.
CONFIGURATION = """
ClusterName=test
SlurmctldHost=localhost
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def slurm(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which `sbatch` and the like talk to it; its state and logs are in `folder`."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(user=user, folder=folder, ports=_free_ports(2)), encoding="utf-8")
    environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(configuration)}
    munge = ["munged", "--foreground", "--force", f"--key-file={key}"]
    munge += [
        f"--{what}={folder}/munge.{what.split('-')[0]}" for what in ("socket", "pid-file", "log-file", "seed-file")
    ]
    with ExitStack() as running:
        for number, words in enumerate((munge, ["slurmctld", "-D"], ["slurmd", "-D", "-N", "localhost"])):
            said = running.enter_context(open(folder / f"{number}.log", "w", encoding="utf-8"))
            daemon = subprocess.Popen(words, env=environment, stdout=said, stderr=said)
            running.callback(_end, daemon)
            if number == 0:
                _until(folder, lambda: (folder / "munge.socket").exists())
        _until(folder, lambda: "idle" in asked(environment, "sinfo", "-h", "-o", "%T"))
        try:
            yield environment
        finally:
            asked(environment, "scancel", "--user", user)
            _until(folder, lambda: not jobs(environment))


def jobs(environment: dict[str, str]) -> list[str]:
    """Their numbers, of those that wait, run or are ending."""
    return asked(environment, "squeue", "-h", "-o", "%i").split()


def asked(environment: dict[str, str], *words: str) -> str:
    return subprocess.run(words, env=environment, capture_output=True, text=True).stdout


def _free_ports(number: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _until(folder: Path, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        logs = "\n".join(log.read_text(encoding="utf-8")[-2000:] for log in sorted(folder.glob("*.log")))
        assert time.monotonic() < deadline, f"Slurm does not do what it should:\n{logs}"
        time.sleep(0.1)


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
