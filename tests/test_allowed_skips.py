"""A skip fails unless it is listed and the machine cannot run the test."""

import re
from pathlib import Path

import pytest
from allowed_skips import allowed, refusal

TESTS = Path(__file__).parent
pytest_plugins = ["pytester"]

SKIPS = """
import pytest

def test_lacks_what_nobody_has():
    pytest.importorskip("no_such_library")

def test_lacks_what_is_there():
    pytest.skip("could not import 'numpy': they say")

def test_has_no_time():
    pytest.skip("takes too long")

@pytest.mark.skipif(True, reason="on Mondays")
def test_is_lazy():
    pass

@pytest.mark.xfail(reason="known")
def test_fails_as_expected():
    assert False
"""


def test_other_skips_are_failures(pytester: pytest.Pytester) -> None:
    for name in ("conftest.py", "allowed_skips.py", "allowed_skips.toml"):
        (pytester.path / name).write_text((TESTS / name).read_text(encoding="utf-8"), encoding="utf-8")
    pytester.makepyfile(SKIPS)
    pytester.makepyfile(test_module="import pytest\npytest.skip('never', allow_module_level=True)")
    result = pytester.runpytest_subprocess("--continue-on-collection-errors")
    result.assert_outcomes(skipped=1, failed=2, xfailed=1, errors=2)
    text = result.stdout.str()
    assert "but there is numpy" in text
    for reason in ("takes too long", "on Mondays", "never"):
        assert f"does not list: {reason}" in text


def test_each_allowed_skip_says_why() -> None:
    for skip in allowed():
        re.compile(str(skip["says"]))
        assert skip["why"]
        assert not set(skip) - {"says", "why", "module", "commands", "one_of", "folder", "python", "variable"}


def test_what_a_machine_lacks_may_be_skipped() -> None:
    assert refusal("could not import 'no_such_library': No module named 'no_such_library'") is None
    assert refusal("there is no Python 2.4 on this machine") is None
    assert refusal("could not import 'pytest': it is there") is not None


def test_what_nobody_asks_for_may_be_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "JOINTBENCH_HOUSES is not set"
    monkeypatch.delenv("JOINTBENCH_HOUSES", raising=False)
    assert refusal(reason) is None
    monkeypatch.setenv("JOINTBENCH_HOUSES", "1")
    assert "but there is JOINTBENCH_HOUSES" in str(refusal(reason))
