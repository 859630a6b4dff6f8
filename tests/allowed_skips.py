"""Which tests may be skipped: those that `allowed_skips.toml` lists, on a machine that cannot run them."""

import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

LIST = Path(__file__).with_suffix(".toml")

#: Debian keeps what serves where only root looks.
_SERVERS = "/usr/sbin"


@cache
def allowed() -> list[dict[str, object]]:
    skips: list[dict[str, object]] = tomllib.loads(LIST.read_text(encoding="utf-8"))["skip"]
    return skips


def refusal(reason: str) -> str | None:
    """Why a test may not be skipped for this reason; None where it may."""
    there = []
    for skip in allowed():
        if found := re.fullmatch(str(skip["says"]), reason, flags=re.DOTALL):
            what = _there(skip, found.groupdict())
            if what is None:
                return None
            there.append(what)
    if there:
        return f"skipped ({reason}), but there is {' and '.join(there)}"
    return f"skipped for a reason that {LIST.name} does not list: {reason}"


def _there(skip: Mapping[str, object], groups: Mapping[str, str]) -> str | None:
    """What the skip says is missing and is there; None where it is missing."""
    if "module" in skip:
        module = str(skip["module"]).format(**groups)
        return module if find_spec(module) is not None else None
    if "python" in skip:
        command = f"python{str(skip['python']).format(**groups)}"
        return command if shutil.which(command) else None
    if "variable" in skip:
        variable = str(skip["variable"])
        return variable if os.environ.get(variable) else None
    if "folder" in skip:
        folder = str(skip["folder"])
        return folder if Path(folder).is_dir() else None
    commands, one_of = skip.get("commands", []), skip.get("one_of", [])
    assert isinstance(commands, list)
    assert isinstance(one_of, list)
    if commands and all(map(_command, commands)):
        return ", ".join(commands)
    return next(filter(_command, one_of), None)


def _command(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_SERVERS)
