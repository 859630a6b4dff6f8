"""A file of a person's own, run as a module."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from jointbench.data.errors import InputError
from jointbench.optimizers.failure import happened


def module_of(file: Path, kind: str, given: str) -> ModuleType:
    """What the file defines; `kind`: what it is to hold, such as an optimizer, and `given` how a person called it.

    Raises InputError for a file that cannot be run.
    """
    name = f"jointbench_{kind}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while it is being executed.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(kind, given, f"a file that Python can run ({happened(error)})") from error
    return module
