"""JSON that a person has written: a name given twice is refused, a byte-order mark is read, what is wrong is said."""

import codecs
import json
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.comparing.comparison_folder import SETTINGS, Settings
from jointbench.cli import main
from jointbench.data.errors import BenchmarkError, ConfigurationError, InputError, LogError
from jointbench.data.json_text import read_json
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.golden import check_golden, read_golden
from jointbench.surrogate.stored import MANIFEST, load_benchmark, released

CONFIGURATION = JOINT.named["zela-2018"]
TEXT = json.dumps(dict(CONFIGURATION), indent=1)
TWICE = TEXT.replace('"momentum"', '"learning_rate": 0.5,\n "momentum"')

#: As editors and shells of other systems write text.
ENCODED = {
    "UTF-8": TEXT.encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + TEXT.encode(),
    "UTF-16 with a mark": TEXT.encode("utf-16"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "UTF-32 with a mark": TEXT.encode("utf-32"),
    "lines of Windows": TEXT.replace("\n", "\r\n").encode(),
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=30)
@given(JSON, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]), st.booleans())
def test_what_was_written_is_read(content: object, encoding: str, ascii_alone: bool) -> None:
    assert read_json(json.dumps(content, ensure_ascii=ascii_alone).encode(encoding), "file") == content


@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED)
def test_a_configuration_is_read_whatever_wrote_it(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(content)
    assert JOINT.load(str(file)) == CONFIGURATION
    main(["query", "digits-cpu", str(file)])
    assert json.loads(capsys.readouterr().out)["budget"] == 27.0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (TWICE.encode(), "'learning_rate' given, expected JSON that gives each name once"),
        (b'{"a": {"b": 1, "b": 1}}', "'b' given, expected JSON that gives each name once"),
        (b"", "'' given, expected JSON (line 1, column 1: Expecting value)"),
        (codecs.BOM_UTF8, "'' given, expected JSON (line 1, column 1: Expecting value)"),
        (b'{"a": 1,\n  "b" 2}', "'\"b\" 2}' given, expected JSON (line 2, column 7: Expecting ':' delimiter)"),
        (b"{'a': 1}", "expected JSON (line 1, column 2: Expecting property name enclosed in double quotes)"),
        (b'{"a": "\xe9"}', "given, expected JSON in UTF-8"),
        (b"[1,2\n\n", "'[1,2' given, expected JSON (line 3, column 1: Expecting ',' delimiter)"),
        ("[1,2\n".encode("utf-16"), "'[1,2' given, expected JSON (line 2, column 1: Expecting ',' delimiter)"),
        (b"\xff\xfe", "b'\\xff\\xfe' given, expected JSON"),
        (b"\xff\xfe\xfd{", "b'\\xff\\xfe\\xfd{' given, expected JSON"),
        (b"[" * 10**5, "expected JSON that is not nested so deeply"),
        (b"9" * 10**4, "expected JSON (Exceeds the limit"),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("command", ["query digits-cpu", "describe"])
def test_what_is_wrong_is_said_with_its_place(
    content: bytes, sentence: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError):
        JOINT.load(str(file))
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), str(file)])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert f"{file}: " in said.err
    assert sentence in said.err


@given(st.text(), st.text(max_size=3))
def test_any_text_is_json_or_refused(text: str, twice: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        with suppress(InputError):
            read_json(text.encode(encoding), "file")
    name = json.dumps(twice)
    with pytest.raises(LogError, match="each name once"):
        read_json(f"{{{name}: 1, {name}: 2}}".encode(), "file", LogError)


class TestOtherFilesOfAPerson:
    def test_a_benchmarks_manifest(self, tmp_path: Path) -> None:
        folder = shutil.copytree(released()["digits-cpu"], tmp_path / "benchmark")
        written = (folder / MANIFEST).read_bytes()
        (folder / MANIFEST).write_bytes(codecs.BOM_UTF8 + written)
        assert load_benchmark(folder).checksum == load_benchmark("digits-cpu").checksum
        (folder / MANIFEST).write_bytes(written.replace(b'"version"', b'"name": "mine",\n "version"', 1))
        with pytest.raises(BenchmarkError, match=r"benchmark\.json: 'name' given, expected JSON that gives each name"):
            load_benchmark(folder)

    def test_golden_answers(self) -> None:
        benchmark, content = load_benchmark("digits-cpu"), read_golden(released()["digits-cpu"])
        assert check_golden(benchmark, "\ufeff" + content) == check_golden(benchmark, content)
        with pytest.raises(BenchmarkError, match="golden answers"):
            check_golden(benchmark, content.replace('"budget"', '"budget": 27.0, "budget"', 1))

    def test_a_comparisons_settings(self, tmp_path: Path) -> None:
        (tmp_path / SETTINGS).write_text('{"settings": {}, "settings": {}}', encoding="utf-8")
        with pytest.raises(LogError, match=r"comparison\.json: 'settings' given, expected JSON that gives each name"):
            Settings.read(tmp_path)

    def test_the_file_of_a_slurm_cluster(self, tmp_path: Path) -> None:
        from jointbench.bench.running.workplaces import Slurm

        (tmp_path / "slurm.toml").write_bytes(codecs.BOM_UTF8 + b'queue = "gpu"\n')
        assert Slurm.read(tmp_path / "slurm.toml", 2).options == {"queue": "gpu"}
        # TOML itself gives each name once.
        (tmp_path / "slurm.toml").write_text('queue = "gpu"\nqueue = "cpu"\n', encoding="utf-8")
        with pytest.raises(InputError, match="TOML"):
            Slurm.read(tmp_path / "slurm.toml", 2)
