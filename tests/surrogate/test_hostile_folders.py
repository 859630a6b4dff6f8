"""Damaged and hostile folders: refused by one sentence before anything is evaluated, or else answered as any other."""

import hashlib
import json
import math
import os
import shutil
import tracemalloc
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hostile import changed, flipped, mutated, places, small, ubjson, write

from jointbench.data.errors import BenchmarkError, JointBenchError
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.contract import corners_and_samples
from jointbench.surrogate.model_file import join_models
from jointbench.surrogate.stored import MANIFEST, MODELS, read_benchmark, released
from jointbench.surrogate.ubjson import read_ubjson

ROWS = corners_and_samples(JOINT, 68)
CONFIGURATIONS = [JOINT.configuration(row) for row in ROWS[:3]]
#: Where the first tree of the model of errors is.
TREE = ("errors-0", "learner", "gradient_booster", "model", "trees", 0)


@cache
def models() -> bytes:
    return join_models(small()[1])


@cache
def decoded() -> Any:
    return read_ubjson(models(), "")


@cache
def inside(which: int) -> list[tuple[Any, ...]]:
    """The places in the manifest and in the models."""
    return places((small()[0], decoded())[which])


def refused(folder: Path, expected: str) -> None:
    with pytest.raises(BenchmarkError, match=expected) as caught:
        read_benchmark(folder)
    assert_one_sentence(caught.value)


def assert_one_sentence(error: JointBenchError) -> None:
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 700
    assert "expected" in str(error)


def assert_answers_as_any(benchmark: Benchmark) -> None:
    """Whatever was read: fractions, and costs that are finite and positive, at and between the rungs."""
    ends = benchmark.ladder.minimum, benchmark.ladder.maximum
    answers = [
        benchmark.query(c, budget, seed) for c in CONFIGURATIONS for budget, seed in zip(ends, (1, None), strict=True)
    ]
    for answer in (*answers, *benchmark.query_batch(ROWS, math.sqrt(ends[0]) * math.sqrt(ends[1]), 3)):
        for fraction in (answer.validation_error, answer.test_error, answer.failure_probability):
            assert 0 <= fraction <= 1
        costs = answer.training_seconds, answer.wall_seconds, answer.images_per_second, answer.peak_memory
        for cost in (*costs, answer.epochs):
            assert 0 < cost < math.inf


def test_the_small_benchmark_is_whole(tmp_path: Path) -> None:
    assert ubjson(decoded()) != models()
    for content in (models(), ubjson(decoded())):
        assert_answers_as_any(read_benchmark(write(tmp_path / "folder", small()[0], content)))


Contents = tuple[dict[str, Any] | bytes, bytes]


def _bytes_of_models(random: Random) -> Contents:
    return small()[0], flipped(random, models())


def _parts_of_models(random: Random) -> Contents:
    return small()[0], ubjson(mutated(random, decoded(), inside(1)))


def _bytes_of_manifest(random: Random) -> Contents:
    fitting = {**small()[0], "models": hashlib.sha256(models()).hexdigest()}
    return flipped(random, json.dumps(fitting).encode()), models()


def _parts_of_manifest(random: Random) -> Contents:
    return mutated(random, small()[0], inside(0)), models()


@pytest.mark.parametrize("damage", [_bytes_of_models, _parts_of_models, _bytes_of_manifest, _parts_of_manifest])
def test_mutated_folders_are_refused_or_answer_as_any(damage: Callable[[Random], Contents], tmp_path: Path) -> None:
    """Behind the checksum's back; some seconds each, since it takes thousands to meet what nobody thought of."""
    outcomes = {"refused": 0, "answered": 0}
    for seed in range(600):
        try:
            benchmark = read_benchmark(write(tmp_path / "folder", *damage(Random(seed))))
        except BenchmarkError as error:
            assert_one_sentence(error)
            outcomes["refused"] += 1
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_answers_as_any(benchmark)
        outcomes["answered"] += 1
    # Else the damage reaches nothing, or nothing that is behind the first check.
    assert min(outcomes.values()) > 20, outcomes


class TestTrees:
    """One array of the first tree, or one number in it; the file is whole otherwise and fits its checksum."""

    @staticmethod
    def refused(folder: Path, name: str, change: Callable[[Any], Any], expected: str) -> None:
        content = changed(decoded(), (*TREE, name), partial(replace, value=change(tree()[name].copy())))
        refused(write(folder / "folder", small()[0], ubjson(content)), expected)

    @pytest.mark.parametrize(
        "name", ["left_children", "right_children", "split_indices", "split_conditions", "split_type", "leaf_weights"]
    )
    @pytest.mark.parametrize("count", [0, 1, -1])
    def test_a_truncated_array_is_refused(self, name: str, count: int, tmp_path: Path) -> None:
        self.refused(tmp_path, name, lambda array: array[:count], "an XGBoost model with")

    @pytest.mark.parametrize("index", [-(2**31), -2, 33, 10**6, 2**31 - 1])
    def test_a_feature_that_there_is_not_is_refused(self, index: int, tmp_path: Path) -> None:
        self.refused(tmp_path, "split_indices", partial(put, at=0, value=index), "features among 33")

    @pytest.mark.parametrize("name", ["left_children", "right_children"])
    @pytest.mark.parametrize("child", [-(2**31), -2, 0, 3, 10**6, 2**31 - 1])
    def test_a_child_that_there_is_not_or_that_leads_round_is_refused(
        self, name: str, child: int, tmp_path: Path
    ) -> None:
        self.refused(tmp_path, name, partial(put, at=0, value=child), "one way to each node")

    @pytest.mark.parametrize("child", [-3, 0, 1, 5, 10**6, 2**31 - 2])
    def test_a_pair_of_children_that_there_is_not_or_that_leads_round_is_refused(
        self, child: int, tmp_path: Path
    ) -> None:
        """Of the node behind the root; 1 is itself, 5 its sister's, and the largest are in no tree."""
        content, (inner, *_) = decoded(), np.flatnonzero(tree()["left_children"][1:] != -1) + 1
        assert tree()["left_children"][inner] != child
        for name, number in (("left_children", child), ("right_children", child + 1)):
            content = changed(content, (*TREE, name), partial(edit_at, at=inner, value=number))
        refused(write(tmp_path / "folder", small()[0], ubjson(content)), "one way to each node")

    def test_children_in_another_tree_are_refused(self, tmp_path: Path) -> None:
        """A leaf of the first tree takes over the last pair of the second, whose parent becomes a leaf."""
        second = (*TREE[:-1], 1)
        leaf, parent = int(np.flatnonzero(tree()["left_children"] == -1)[0]), int(tree(1)["left_children"].argmax())
        pair = len(tree()["left_children"]) + int(tree(1)["left_children"][parent])
        content = decoded()
        for where, name, at, value in (
            (TREE, "left_children", leaf, pair),
            (TREE, "right_children", leaf, pair + 1),
            (second, "left_children", parent, -1),
            (second, "right_children", parent, 0),
        ):
            content = changed(content, (*where, name), partial(edit_at, at=at, value=value))
        refused(write(tmp_path / "folder", small()[0], ubjson(content)), "one way to each node")

    def test_a_leaf_without_a_value_is_refused(self, tmp_path: Path) -> None:
        leaf = int(np.flatnonzero(tree()["left_children"] == -1)[0])
        for place in (-1, 10**6, 2**31 - 1):
            self.refused(tmp_path, "right_children", partial(put, at=leaf, value=place), "a value for each leaf")

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_a_threshold_that_is_no_number_is_refused(self, value: float, tmp_path: Path) -> None:
        self.refused(tmp_path, "split_conditions", partial(put, at=0, value=value), "finite thresholds")

    @pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
    def test_a_leaf_that_is_no_number_of_this_world_is_refused(self, value: float, tmp_path: Path) -> None:
        self.refused(tmp_path, "leaf_weights", partial(put, at=0, value=value), "leaves that add up")

    def test_a_tree_that_would_not_fit_into_memory_is_refused_before_it_is_joined(self, tmp_path: Path) -> None:
        count = 10**6
        content = decoded()
        for name, kind in (("left_children", "i1"), ("right_children", "i1"), ("split_indices", "i1")):
            content = changed(content, (*TREE, name), partial(replace, value=np.zeros(count, kind)))
        folder = write(tmp_path / "folder", small()[0], ubjson(content))
        tracemalloc.start()
        try:
            refused(folder, "nodes a tree")
            # The file itself, twice; joined, its arrays would take 24 times as much.
            assert tracemalloc.get_traced_memory()[1] < 3 * (folder / MODELS).stat().st_size
        finally:
            tracemalloc.stop()

    def test_more_trees_than_a_query_has_time_for_are_refused(self, tmp_path: Path) -> None:
        content = changed(decoded(), TREE[:-1], partial(replace, value=[tree()] * 5000))
        refused(write(tmp_path / "folder", small()[0], ubjson(content)), "at most 4096 trees")

    def test_a_number_of_targets_that_nobody_could_count_is_refused(self, tmp_path: Path) -> None:
        for digits in ("-1", "0", "9" * 4000, "1e9", 2, math.inf, None):
            place = ("errors-0", "learner", "learner_model_param", "num_target")
            content = changed(decoded(), place, partial(replace, value=digits))
            refused(write(tmp_path / "folder", small()[0], ubjson(content)), "an XGBoost model with")


def put(array: Any, *, at: int, value: float) -> Any:
    array = array.astype("i4") if array.dtype.kind == "i" else array
    array[at] = value
    return array


def edit_at(holder: Any, key: Any, *, at: int, value: float) -> None:
    holder[key] = put(holder[key].copy(), at=at, value=value)


def replace(holder: Any, key: Any, *, value: Any) -> None:
    holder[key] = value


def tree(number: int = 0) -> dict[str, Any]:
    found: Any = decoded()
    for key in (*TREE[:-1], number):
        found = found[key]
    return found  # type: ignore[no-any-return]


class TestUbjson:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[" * 10**6,
            b"{L" + (2**62).to_bytes(8, "big") + b"errors-0",
            b"[$d#L" + (2**62).to_bytes(8, "big"),
            b"[$d#L" + (2**64 - 1).to_bytes(8, "big"),
            b"[#L" + (2**62).to_bytes(8, "big") + b"Z" * 10**6,
            b"[" + b"Z" * 10**6 + b"]",
            b"SL" + (2**13).to_bytes(8, "big") + b"a" * 2**13,
            b"Si\x02\xff\xfe",
            b"[$[#i\x01",
            b"H",
        ],
        ids=lambda content: f"{content[:6]!r}{len(content)}",
    )
    def test_lengths_depths_and_counts_that_lie_are_refused(self, content: bytes, tmp_path: Path) -> None:
        refused(write(tmp_path / "folder", small()[0], content), "UBJSON")

    def test_a_name_given_twice_is_refused(self, tmp_path: Path) -> None:
        first = join_models({"errors-0": small()[1]["errors-0"]})
        refused(write(tmp_path / "folder", small()[0], first[:-1] + models()[1:]), "a whole UBJSON file")

    def test_bytes_behind_the_end_are_refused(self, tmp_path: Path) -> None:
        refused(write(tmp_path / "folder", small()[0], models() + b"Z"), "UBJSON of")


class TestManifest:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"[" * 10**5,
            b'{"a":' * 10**5,
            b"\xff\xfe",
            b"9" * 10**5,
            b"[]",
            b"null",
            b'"text"',
            b'{"name": "a", "name": "b"}',
        ],
        ids=lambda content: f"{content[:6]!r}{len(content)}",
    )
    def test_what_is_no_plain_json_object_is_refused(self, content: bytes, tmp_path: Path) -> None:
        refused(write(tmp_path / "folder", content, models()), "JSON")

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            (("name",), "../../etc/passwd"),
            (("name",), "a" * 65),
            (("name",), "9" * 10**5),
            (("version",), 10**400),
            (("version",), 1.0),
            (("members",), 10**9),
            (("features",), 7),
            (("ladder", "maximum"), 10**400),
            (("ladder", "minimum"), 5e-324),
            (("images", "classes"), 10**400),
            (("images", "shape"), [1, 10**9, 10**9]),
            (("images", "name"), ["digits"]),
            (("laws", "image_seconds"), [1e300] * 6),
            (("laws", "image_seconds"), [5e-324, 0.0, 0.0, 0.0, 0.0, 0.0]),
            (("laws", "peak_bytes"), [math.nan, 0.0, 0.0]),
            (("noise", "floor"), 10**400),
            (("noise", "counting"), 1e308),
            (("odds",), {"out_of_memory": [10**400, 0]}),
            (("odds",), {"ok": 1}),
            (("odds",), {"on holiday": [1.0, 0.0]}),
            (("quality",), "excellent"),
            (("quality",), ["excellent"]),
            (("provenance",), 1),
        ],
    )
    def test_an_entry_of_another_kind_or_size_is_refused(
        self, place: tuple[str, ...], value: object, tmp_path: Path
    ) -> None:
        manifest = changed(small()[0], place, partial(replace, value=value))
        assert manifest is not small()[0]
        refused(write(tmp_path / "folder", manifest, models()), "expected")


class TestFiles:
    """What is not even looked into."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return write(tmp_path / "folder", small()[0], models())

    @pytest.mark.parametrize("file", [MANIFEST, MODELS])
    def test_a_file_of_a_size_that_makes_no_sense_is_refused(self, file: str, folder: Path) -> None:
        os.truncate(folder / file, 2**40)
        refused(folder, "at most .* bytes")

    @pytest.mark.parametrize("file", [MANIFEST, MODELS])
    def test_a_pipe_that_never_ends_is_refused(self, file: str, folder: Path) -> None:
        (folder / file).unlink()
        os.mkfifo(folder / file)
        refused(folder, "a plain file")

    @pytest.mark.parametrize("file", [MANIFEST, MODELS])
    def test_a_link_out_of_the_folder_is_refused(self, file: str, folder: Path) -> None:
        (folder / file).rename(folder.parent / file)
        (folder / file).symlink_to(folder.parent / file)
        refused(folder, "a plain file")

    def test_content_that_does_not_fit_its_checksum_is_refused(self, folder: Path) -> None:
        content = bytearray(models())
        content[len(content) // 2] ^= 1
        (folder / MODELS).write_bytes(content)
        refused(folder, "content that fits its checksum")


def without_points(content: Any) -> Any:
    """As other programs write JSON: 1 for 1.0."""
    match content:
        case dict():
            return {name: without_points(value) for name, value in content.items()}
        case list():
            return [without_points(value) for value in content]
        case float() if content.is_integer():
            return int(content)
    return content


@pytest.mark.parametrize("name", released())
def test_whole_numbers_of_a_manifest_may_be_written_without_a_point(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(released()[name], tmp_path / name))
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    content["noise"] |= {"floor": 0.0} | ({"depth": 1.0} if "depth" in content["noise"] else {})
    answers = []
    for written in (content, without_points(content)):
        (folder / MANIFEST).write_text(json.dumps(written), encoding="utf-8")
        benchmark = read_benchmark(folder)
        configuration = benchmark.sample(1, seed=0)[0]
        answers.append([benchmark.query(configuration, benchmark.ladder.maximum, seed) for seed in range(5)])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("depth", [0, -1, True, "1", None])
def test_what_is_no_depth_of_luck_is_refused(depth: Any, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(released()["fashion-small"], tmp_path / "folder"))
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    content["noise"]["depth"] = depth
    (folder / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    refused(folder, r"noise depth: .* given, expected a number")
