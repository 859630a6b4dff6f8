"""Generators: golden counts, what a seed draws, what is inert, and the rules of the wider spaces."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.data.images.registry import known_facts
from jointbench.data.seeds import architecture_seed
from jointbench.data.spaces.architecture import Merge, Sizes
from jointbench.data.spaces.generators import GENERATORS, GeneratorSpace, staged
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.spaces.registry import find_configuration, get_space

PHOTOGRAPHS, DIGITS = (3, 32, 32), (1, 8, 8)

spaces = pytest.mark.parametrize("space", GENERATORS, ids=lambda space: space.name)


def generator(*values: float, of: str = "hnag") -> dict[str, Any]:
    return dict(zip(get_space(of).names, values, strict=True))


def of(name: str) -> GeneratorSpace:
    space = get_space(name)
    assert isinstance(space, GeneratorSpace)
    return space


# By hand for the first: B = 9 (1 + 2 + 2 + 8 + 8 + 32) = 477, and 4 M allow 85 times 1, 2 and 4 channels.
@pytest.mark.parametrize(
    ("graphs", "name", "shape", "multiplier", "parameters", "above", "multiply_adds", "numbers"),
    [
        ((3, 2, 3, 2), "hnag", PHOTOGRAPHS, 85, 3_982_582, 4_071_223, 630_410_880, 2_051_840),
        ((3, 2, 3, 2), "hnag-small", DIGITS, 14, 96_995, 111_242, 1_026_256, 18_592),
        ((3, 2, 5, 4), "hnag", PHOTOGRAPHS, 64, 3_896_678, 4_013_613, 589_509_120, 2_293_760),
        ((3, 2, 5, 4), "hnag-small", DIGITS, 10, 87_868, 106_177, 870_960, 20_000),
        ((5, 4, 5, 4), "hnag", PHOTOGRAPHS, 57, 3_878_880, 4_010_286, 772_994_816, 3_448_704),
        ((5, 4, 5, 4), "hnag-small", DIGITS, 9, 90_294, 111_290, 1_178_424, 31_608),
    ],
)
@pytest.mark.parametrize("seed", [0, 12345])
def test_complete_graphs_have_these_facts(
    graphs: tuple[int, int, int, int],
    name: str,
    shape: tuple[int, int, int],
    multiplier: int,
    parameters: int,
    above: int,
    multiply_adds: int,
    numbers: int,
    seed: int,
) -> None:
    space, (cells, top, operations, bottom) = of(name), graphs
    at = generator(cells, top, 0.7, 1, 0.3, operations, bottom, 0.2)
    facts = space.facts(at, shape, 10, seed)
    assert facts.widths == (multiplier, 2 * multiplier, 4 * multiplier)
    assert (facts.parameters, facts.flops, facts.memory) == (parameters, 2 * multiply_adds, 4 * numbers)
    # One channel more would be too many.
    assert above > space.limit

    class Wider(type(space)):  # type: ignore[misc]
        limit = large_limit = above

    assert Wider().facts(at, shape, 10, seed).parameters == above


@spaces
@given(seed=st.integers(0, 2**32), drawn=st.integers(0, 2**62))
@settings(max_examples=15, deadline=None)
def test_networks_are_as_large_as_the_limit_allows(space: GeneratorSpace, seed: int, drawn: int) -> None:
    at = space.sample(np.random.default_rng(seed))[0]
    for shape in (DIGITS, (3, 224, 224)):
        facts = space.facts(at, shape, 10, drawn)
        limit = space.limit_for(shape)
        # With one channel less each would be within it, too: of 1, 2 and 4 that is not half.
        assert 0.4 * limit < facts.parameters <= limit
        assert facts.memory > 0
        assert facts.layers >= 6
        convolutions = space.convolutions(at, shape, 10, drawn)
        wide = space.head or facts.widths[-1]
        linear = wide * 10
        last = facts.flops // 2 - sum(c.count * c.weights * c.pixels for c in convolutions)
        assert last <= linear if space.head == 0 else last == linear
        assert facts.activations == sum(c.count * c.after * c.pixels for c in convolutions)


@pytest.mark.parametrize(("name", "limit"), [("hnag", 6_000_000), ("hnag-small", 100_000), ("rnag", 6_000_000)])
def test_large_images_have_a_limit_of_their_own(name: str, limit: int) -> None:
    assert of(name).limit_for((3, 224, 224)) == limit
    assert of(name).limit_for((3, 39, 39)) == of(name).limit
    assert of(name).limit_for((3, 40, 40)) == limit


def test_stages_have_these_pixels() -> None:
    assert Sizes((1, 28, 28)).stages == ((28, 28), (14, 14), (7, 7))
    assert Sizes((1, 8, 8)).stages == ((8, 8), (4, 4), (2, 2))
    assert Sizes((3, 224, 224)).stages == ((56, 56), (28, 28), (14, 14))
    assert Sizes((3, 224, 224)).halved == (112, 112)


@pytest.mark.parametrize(
    ("cells", "sizes"),
    [(3, (1, 1, 1)), (4, (2, 1, 1)), (5, (2, 2, 1)), (7, (3, 2, 2)), (8, (3, 3, 2)), (10, (4, 3, 3))],
)
def test_stages_are_thirds_the_first_ones_larger(cells: int, sizes: tuple[int, int, int]) -> None:
    architecture = of("hnag").drawn(generator(cells, 2, 0.5, 1, 0.5, 3, 2, 0.5), 1)
    stages = [cell.stage for cell in architecture.cells]
    assert tuple(stages.count(stage) for stage in range(3)) == sizes
    assert stages == staged(cells, (1.0, 1.0, 1.0)) == sorted(stages)


def test_shares_of_stages_are_the_papers_and_none_is_empty() -> None:
    assert np.bincount(staged(20, (0.2, 0.2, 0.6))).tolist() == [4, 4, 12]
    assert np.bincount(staged(10, (1.0, 0.1, 0.1))).tolist() == [8, 1, 1]
    assert staged(3, (1.0, 0.1, 0.1)) == [0, 1, 2]


@given(cells=st.integers(3, 10), weights=st.tuples(*[st.floats(0.1, 1.0)] * 3))
def test_every_stage_has_a_cell(cells: int, weights: tuple[float, float, float]) -> None:
    assert set(staged(cells, weights)) == {0, 1, 2}


def test_seeds_draw_other_networks_and_share_luck_where_they_can() -> None:
    space = of("hnag")
    one, more = generator(6, 2, 0.5, 3, 0.4, 6, 2, 0.5), generator(6, 2, 0.5, 4, 0.4, 6, 2, 0.5)
    assert len({space.drawn(one, seed) for seed in range(10)}) == 10
    first, second = space.drawn(one, 3), space.drawn(more, 3)
    assert first.wiring == second.wiring
    for cell, other in zip(first.cells, second.cells, strict=True):
        assert [node.wiring for node in cell.nodes] == [node.wiring for node in other.nodes][:3]
    # Every graph is its own.
    assert len({cell.wiring for cell in first.cells}) > 1
    assert len({node.wiring for cell in first.cells for node in cell.nodes}) > 3


def test_memory_hardly_depends_on_the_seed() -> None:
    space = of("hnag")
    for at in space.sample(np.random.default_rng(0), 8):
        memory = [space.facts(at, PHOTOGRAPHS, 10, seed).memory / 1e6 for seed in range(6)]
        # The multiplier may differ by one between seeds, which is a few per cent where it is small.
        assert np.std(memory) < 0.06 * np.mean(memory)


INERT: list[tuple[tuple[float, ...], Mapping[str, str]]] = [
    (
        (3, 2, 0.3, 1, 0.2, 3, 2, 0.8),
        {
            "top_neighbours": "3 nodes have room for 2 neighbours",
            "top_rewiring": "3 nodes with 2 neighbours are all joined",
            "mid_edges": "1 node has no edges",
            "bottom_neighbours": "3 nodes have room for 2 neighbours",
            "bottom_rewiring": "3 nodes with 2 neighbours are all joined",
        },
    ),
    ((6, 4, 0.3, 2, 0.2, 6, 2, 0.8), {}),
    ((6, 5, 0.3, 2, 0.2, 5, 5, 0.8), {
        "top_neighbours": "5 acts as 4",
        "bottom_neighbours": "5 acts as 4",
        "bottom_rewiring": "5 nodes with 4 neighbours are all joined",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("values", "inert"), INERT)
def test_what_is_inert_is_said_and_is(values: tuple[float, ...], inert: Mapping[str, str]) -> None:
    space, at = of("hnag"), generator(*values)
    assert space.inert(at) == inert
    for name, why in inert.items():
        ends = {float(space.by_name[name].low), float(space.by_name[name].high)}
        if "acts as" in why:
            ends = {float(why.split()[-1])}
        for end in ends:
            changed = {**at, name: space.by_name[name].value(end)}
            assert space.drawn(changed, 11) == space.drawn(at, 11), name


@pytest.mark.parametrize("name", ["rnag-small", "hnag-aug2", "joint"])
def test_other_spaces_say_it_too(name: str) -> None:
    space = get_space(name)
    found: set[str] = set()
    for at in space.sample(np.random.default_rng(0), 60):
        found |= set(space.inert(at))
    expected = {"rnag-small": "stage_2_rewiring", "hnag-aug2": "stage_1", "joint": "death_rate"}[name]
    assert expected in found


def test_table_3_and_the_default_generator_have_names() -> None:
    space, at = find_configuration("sport8-bohb")
    assert (space.name, dict(at)) == ("hnag", generator(7, 2, 0.9, 5, 0.8, 6, 3, 0.6))
    assert len(space.named) == 11
    space, at = find_configuration("rnag-d")
    assert (space.name, dict(at)) == ("rnag", generator(*(32, 4, 0.75) * 3, of="rnag"))


def test_trainings_are_the_protocols() -> None:
    """Sources in the notes of each number: Ru et al. 2020 and Yang et al. 2020; of ImageNet Xie et al. 2019."""
    search = Recipe(96, 0.025, 0.9, 3e-4, "sgd", "cosine", 0.0, 16, 5.0, 0.0, nesterov=False)
    imagenet = Recipe(256, 0.1, 0.9, 5e-5, "sgd", "cosine", 0.0, 0, None, 0.1, nesterov=False)
    for space in GENERATORS:
        recipe = space.recipe(space.active(space.usual))
        assert recipe == (imagenet if space.name == "hnag-imagenet" else search)


@pytest.mark.parametrize("name", ["flowers102", "sport8", "mit67", "imagenet"])
def test_on_photographs_networks_have_the_large_limit(name: str) -> None:
    facts = known_facts(name)
    named = generator(3, 2, 0.5, 1, 0.5, 3, 2, 0.5)
    found, above = of("hnag").facts(named, facts.shape, facts.classes), of("hnag").limit_for(facts.shape)
    assert above == 6_000_000
    assert 0.8 * above < found.parameters <= above


def test_totals_of_operations_are_the_papers() -> None:
    for name, few, many in (("hnag", 9, 1000), ("rnag", 30, 120), ("hnag-small", 9, 90), ("rnag-small", 12, 39)):
        space = of(name)
        counted = [space.drawn(space.configuration(row), 0).operations for row in space.ends]
        assert counted == [few, many]
        at = dict(zip(space.names, space.ends.T, strict=True))
        assert space.features(at, 1.0, None)["operations"].tolist() == [few, many]


def test_sums_match_by_a_convolution_what_has_other_channels() -> None:
    merge = Merge((1, 2, 2))
    assert (merge.after, merge.matched, merge.weighted) == (2, (0,), (1, 2))
    joined = Merge((1, 2, 2), concatenated=True)
    assert (joined.after, joined.matched, joined.weighted) == (5, (), ())
    alone = Merge((4,))
    assert (alone.after, alone.matched, alone.weighted) == (4, (), ())


def test_the_outputs_of_aug1_are_convolutions_and_its_shares_those_of_the_weights() -> None:
    space = of("hnag-aug1")
    at = {**generator(10, 4, 0.5, 3, 0.5, 8, 4, 0.5), "merge_sum": 0.9, "merge_concatenation": 0.3}
    at |= {"conv_1": 0.2, "conv_3": 0.4, "conv_5": 0.2, "pool_3": 0.1, "pool_5": 0.1}
    joins, operations = [], []
    for seed in range(6):
        for cell in space.drawn(at, seed).cells:
            for node in cell.nodes:
                for place, one in enumerate(node.operations):
                    if place in node.wiring.outputs:
                        assert not one.operation.pools
                        assert one.after == cell.after
                    else:
                        operations.append((one.operation.side, one.operation.pools))
                    if node.wiring.predecessors[place]:
                        joins.append(one.merge.concatenated)
    # Standard deviations of these shares are below 0.02, for about 1,000 nodes.
    assert abs(np.mean(joins) - 0.25) < 0.06
    for key, share in {(1, False): 0.2, (3, False): 0.4, (5, False): 0.2, (3, True): 0.1, (5, True): 0.1}.items():
        assert abs(operations.count(key) / len(operations) - share) < 0.06


def test_channels_of_aug2_are_its_ratios() -> None:
    space = of("hnag-aug2")
    at = {**generator(6, 2, 0.5, 1, 0.5, 3, 2, 0.5), "stage_1": 0.5, "stage_2": 0.2, "stage_3": 0.2}
    at |= {"channels_1": 3, "channels_2": 1, "channels_3": 2}
    first, second, third = space.facts(at).widths
    assert first == 3 * second
    assert third == 2 * second


PROGRAM = """
import json
from jointbench.data.images.registry import known_facts
from jointbench.data.seeds import architecture_seed
from jointbench.data.spaces.registry import SPACES
found = {"seeds": [architecture_seed(0), architecture_seed(2**51 + 3)]}
for name in ("hnag", "hnag-small", "hnag-aug1", "hnag-aug2", "rnag", "rnag-small"):
    space = SPACES[name]
    facts = space.facts(space.active(space.usual), (3, 32, 32), 10, architecture_seed(7))
    found[name] = [facts.parameters, facts.flops, facts.memory, facts.layers]
print(json.dumps(found))
"""

#: As when the first evaluations were collected.
GOLDEN = {
    "seeds": [2_005_568_888_642_958_943, 3_126_490_685_790_530_117],
    "hnag": [3_997_448, 1_153_014_016, 27_695_616, 130],
    "hnag-small": [92_186, 37_028_480, 2_314_240, 29],
    "hnag-aug1": [3_810_187, 954_926_080, 24_978_432, 130],
    "hnag-aug2": [3_873_515, 3_417_523_200, 52_988_928, 130],
    "rnag": [3_974_751, 1_152_230_400, 17_048_576, 50],
    "rnag-small": [93_100, 28_754_560, 1_536_000, 19],
}


def test_what_a_seed_draws_is_the_same_in_every_process_for_good() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "5"}
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(ran.stdout) == GOLDEN


def test_architecture_seeds_of_trainings_are_each_their_own() -> None:
    found = {architecture_seed(seed) for seed in range(1000)}
    assert len(found) == 1000
    assert all(0 < seed < 2**62 for seed in found)
