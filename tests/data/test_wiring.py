"""Random graphs: their laws, against exact chances and networkx; and their streams, which are frozen for good."""

import os
import subprocess
import sys
from collections import Counter

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.spaces.wiring import Wiring, chain, erdos_renyi, half_degree, stream, watts_strogatz

#: Exact chances that G(N, P) is connected: c(n) = 1 - sum of C(n-1, k-1) c(k) (1-P)^(k(n-k)) over k < n.
CONNECTED = {
    0.1: (0.100, 0.028, 0.0129, 0.0081, 0.0062, 0.0055, 0.0054, 0.0057, 0.0064),
    0.2: (0.200, 0.104, 0.083, 0.082, 0.092, 0.111, 0.139, 0.174, 0.217),
    0.3: (0.300, 0.216, 0.219, 0.256, 0.317, 0.394, 0.480, 0.567, 0.649),
    0.5: (0.500, 0.500, 0.594, 0.711, 0.815, 0.890, 0.937, 0.965, 0.980),
}

seeds = st.integers(0, 2**62)


def connected(wiring: Wiring) -> bool:
    edges = [(node, source) for node, before in enumerate(wiring.predecessors) for source in before]
    graph = networkx.Graph(edges)
    graph.add_nodes_from(range(len(wiring)))
    return bool(networkx.is_connected(graph))


def check_orientation(wiring: Wiring) -> None:
    for node, before in enumerate(wiring.predecessors):
        assert list(before) == sorted(set(before))
        assert all(source < node for source in before)
    assert wiring.inputs[0] == 0
    assert wiring.outputs[-1] == len(wiring) - 1
    assert connected(wiring)
    for node, before in enumerate(wiring.predecessors):
        assert wiring.depths[node] == 1 + max((wiring.depths[source] for source in before), default=-1)


@given(nodes=st.integers(3, 40), neighbours=st.integers(2, 9), rewiring=st.floats(0.1, 0.9), seed=seeds)
def test_watts_strogatz_keeps_its_edges_and_is_connected(
    nodes: int, neighbours: int, rewiring: float, seed: int
) -> None:
    wiring = watts_strogatz(nodes, neighbours, rewiring, stream(seed))
    assert wiring.edges == nodes * half_degree(nodes, neighbours)
    check_orientation(wiring)


@given(nodes=st.integers(1, 10), probability=st.floats(0.1, 0.9), seed=seeds)
def test_erdos_renyi_is_connected_however_rare_that_is(nodes: int, probability: float, seed: int) -> None:
    check_orientation(erdos_renyi(nodes, probability, stream(seed)))


@pytest.mark.parametrize(("nodes", "neighbours"), [(3, 2), (3, 5), (5, 4), (5, 5)])
def test_complete_graphs_are_the_same_for_every_seed(nodes: int, neighbours: int) -> None:
    drawn = {watts_strogatz(nodes, neighbours, 0.9, stream(seed)) for seed in range(20)}
    assert drawn == {Wiring(tuple(tuple(range(node)) for node in range(nodes)))}


@pytest.mark.parametrize("nodes", [5, 8])
def test_an_odd_number_of_neighbours_acts_as_the_even_one_below(nodes: int) -> None:
    for even in (2, 4):
        odd = watts_strogatz(nodes, even + 1, 0.5, stream(7))
        assert odd == watts_strogatz(nodes, even, 0.5, stream(7))


def test_chances_of_connected_graphs_are_exact() -> None:
    """The table follows from the recursion, and drawing until connected takes as many numbers as that says."""
    from math import comb

    for probability, row in CONNECTED.items():
        chance = [0.0, 1.0]
        for n in range(2, 11):
            lost = sum(comb(n - 1, k - 1) * chance[k] * (1 - probability) ** (k * (n - k)) for k in range(1, n))
            chance.append(1 - lost)
        assert np.allclose(chance[2:], row, atol=0.0006)
        for nodes in (2, 4, 6):
            drawn = 0

            def counting(draw=stream(nodes, "numbers")) -> float:  # type: ignore[no-untyped-def] # noqa: B008
                nonlocal drawn
                drawn += 1
                return draw()

            times = 300
            for _ in range(times):
                erdos_renyi(nodes, probability, counting)
            tries = drawn / (nodes * (nodes - 1) / 2) / times
            # Tries are geometric: their mean over 300 graphs is within four standard deviations.
            expected = 1 / chance[nodes]
            assert abs(tries - expected) < 4 * np.sqrt(expected**2 - expected + 1e-9) / np.sqrt(times) + 1e-9


def _shares(counted: Counter[object], other: Counter[object]) -> float:
    """The largest difference of two shares, in standard deviations of it."""
    one, two = sum(counted.values()), sum(other.values())
    worst = 0.0
    for key in counted.keys() | other.keys():
        pooled = (counted[key] + other[key]) / (one + two)
        spread = np.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / one + 1 / two))
        worst = max(worst, abs(counted[key] / one - other[key] / two) / spread)
    return worst


def _edges(graph: networkx.Graph) -> frozenset[tuple[int, int]]:
    return frozenset((min(edge), max(edge)) for edge in graph.edges)


def _own(wiring: Wiring) -> frozenset[tuple[int, int]]:
    return frozenset((source, node) for node, before in enumerate(wiring.predecessors) for source in before)


@pytest.mark.parametrize(("nodes", "neighbours", "rewiring"), [(4, 2, 0.5), (5, 2, 0.3), (6, 4, 0.8)])
def test_the_law_of_watts_strogatz_is_networkxs(nodes: int, neighbours: int, rewiring: float) -> None:
    times = 1500
    draw = stream(1, "law")
    ours = Counter(_own(watts_strogatz(nodes, neighbours, rewiring, draw)) for _ in range(times))
    theirs = Counter(
        _edges(networkx.connected_watts_strogatz_graph(nodes, neighbours, rewiring, tries=10_000, seed=seed))
        for seed in range(times)
    )
    by_edge: list[Counter[object]] = [
        Counter(edge for graph, count in found.items() for edge in graph for _ in range(count))
        for found in (ours, theirs)
    ]
    # Of at most 15 edges, and of some graphs: beyond 4.5 standard deviations once in ten thousand times.
    assert _shares(*by_edge) < 4.5
    common = [Counter({key: found[key] for key in found if ours[key] + theirs[key] > 20}) for found in (ours, theirs)]
    for found in common:
        found[frozenset()] = times - sum(found.values())
    assert _shares(*common) < 4.5  # type: ignore[arg-type]


def test_the_law_of_erdos_renyi_is_networkxs_given_connected() -> None:
    draw = stream(2, "law")
    ours = Counter(_own(erdos_renyi(4, 0.4, draw)) for _ in range(2000))
    theirs: Counter[frozenset[tuple[int, int]]] = Counter()
    seed = 0
    while sum(theirs.values()) < 2000:
        graph = networkx.gnp_random_graph(4, 0.4, seed=seed)
        seed += 1
        if networkx.is_connected(graph):
            theirs[_edges(graph)] += 1
    # 38 graphs are connected; beyond 4.5 standard deviations once in ten thousand times.
    assert len(ours) == 38
    assert _shares(ours, theirs) < 4.5  # type: ignore[arg-type]


#: As they were when the first evaluations were collected; whoever changes one makes every log of a generator wrong.
PROGRAM = """
from jointbench.data.spaces.wiring import erdos_renyi, stream, watts_strogatz
print(watts_strogatz(8, 4, 0.5, stream(3, "top")).predecessors)
print(watts_strogatz(6, 2, 0.9, stream(2**61, "bottom", 2, 1)).predecessors)
print(erdos_renyi(6, 0.2, stream(3, "mid", 0)).predecessors)
print(repr(stream(0)()))
"""


GOLDEN = [
    "((), (0,), (0, 1), (2,), (1,), (1, 2, 3), (1, 3, 4, 5), (1, 2, 3, 4))",
    "((), (), (0,), (1,), (1, 2, 3), (1,))",
    "((), (0,), (1,), (2,), (2, 3), (4,))",
    "0.6996750207760786",
]


def test_streams_are_frozen_and_the_same_in_every_process() -> None:
    told = []
    for hash_seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment
        )
        told.append(ran.stdout.splitlines())
    assert told == [GOLDEN, GOLDEN]


def test_streams_of_other_names_are_others() -> None:
    names = [(), ("top",), ("mid", 0), ("mid", 1), ("bottom", 0, 1), ("bottom", 1, 0), ("bottom", 10)]
    assert len({stream(seed, *name)() for name in names for seed in (0, 1)}) == 2 * len(names)


def test_a_chain_reads_the_node_before() -> None:
    assert chain(3) == Wiring(((), (0,), (1,)))
    assert chain(3).outputs == (2,)
