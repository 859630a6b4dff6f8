"""One of a thing is said in the singular, wherever there can be one."""

import re
from pathlib import Path

import pytest

import jointbench
from jointbench.bench.calls.checking import CHECKS
from jointbench.cli import main
from jointbench.data.ladder import Ladder
from jointbench.surrogate.rungs import Rungs

#: A single one of several.
WRONG = re.compile(r"(?<![\d,.])1 (evaluation|configuration|task|run|answer|trial|seed|hyperparameter|network|row)s\b")


def said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """On standard output, in one line."""
    main(words.split())
    return " ".join(capsys.readouterr().out.split())


def test_a_log_of_one_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.csv").write_text("lr,epoch,loss\n0.1,1,2\n", encoding="utf-8")
    (tmp_path / "two.csv").write_text("lr,epoch,loss\n0.1,1,2\n1,1,2\n", encoding="utf-8")
    how = "--budget epoch --metrics loss=loss --out"
    said(f"import {tmp_path / 'two.csv'} {how} {tmp_path / 'two'}", capsys)
    space = tmp_path / "two" / "space.json"
    imported = said(f"import {tmp_path / 'mine.csv'} {how} {tmp_path / 'one'} --space {space}", capsys)
    merged = said(f"merge {tmp_path / 'one'} --out {tmp_path / 'merged'}", capsys)
    examined = said(f"doctor {tmp_path / 'one'}", capsys)
    assert "1 evaluation of 1 configuration in" in imported
    assert "1 evaluation in" in merged
    assert "1 evaluation" in examined
    assert "1 part that can be read" in examined
    assert not any(map(WRONG.search, (imported, merged, examined)))


def test_a_comparison_on_one_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    how = f"--optimizers random --seeds 1 --full-budgets 4 --jobs 1 --out {tmp_path / 'c'}"
    shown = said(f"compare --tasks mfh3-good {how}", capsys)
    assert "over 1 task:" in shown
    assert not WRONG.search(shown)
    folder = next(path.parent for path in (tmp_path / "c").rglob("comparison.json"))
    assert "1 run on" in repr(jointbench.Comparison(folder))


def test_a_batch_of_one() -> None:
    for name in ("digits-cpu", "hnag-digits"):
        benchmark = jointbench.load_benchmark(name)
        assert repr(benchmark.query_batch(benchmark.sample(1, 0), benchmark.ladder.maximum)).startswith("<1 answer, ")


def test_a_rung_with_one_configuration() -> None:
    [sentence, *_] = Rungs(Ladder(1, 3), (1, 40)).words(["random"])
    assert "with 1 configuration that ended ok" in sentence
    assert "with 1 and 0 configurations" in Rungs(Ladder(1, 9), (1, 0, 40)).words(["random"])[0]


def test_an_optimizer_that_breaks_one_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(
        "from jointbench import Optimizer, Trial\n"
        "class SameSeed(Optimizer):\n"
        "    def ask(self):\n"
        "        self.drawn = getattr(self, 'drawn', -1) + 1\n"
        "        return Trial(self.space.usual if self.drawn == 0 else next(self.later), self.ladder.maximum)\n"
        "    def tell(self, trial, evaluation):\n"
        "        pass\n"
        "    @property\n"
        "    def later(self):\n"
        "        import numpy as np\n"
        "        return iter(self.space.sample(np.random.default_rng(self.drawn), 1))\n",
        encoding="utf-8",
    )
    with pytest.raises(SystemExit, match="1"):
        main(["check", f"{tmp_path / 'mine.py'}:SameSeed", "--trials", "5"])
    shown = capsys.readouterr().out
    assert "FAILED seed" in shown
    assert len(re.findall("  ok ", shown)) == len(CHECKS) - 1
    assert "1 of the contract's promises is not kept" in shown


def test_no_sentence_leaves_the_number_to_its_reader() -> None:
    package = Path(jointbench.__file__).parent
    # Of what is counted, and no function of s.
    left = re.compile(r"\} [a-z ]+\(s\)|\d [a-z ]+\(s\)")
    written = [*package.rglob("*.py"), *package.rglob("card.md")]
    assert not [path.name for path in written if left.search(path.read_text(encoding="utf-8"))]
