"""Small forests for the tests of whole analyses: all that is shown is there, from a tenth of the work."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jointbench.bench.analysing import importance


@contextmanager
def small_forests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {"ASKED": 800, "TRIED": 200, "TREES": 4, "BOOTSTRAPS": 4}.items():
            patched.setattr(importance, name, value)
        yield
